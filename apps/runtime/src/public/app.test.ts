import { AppError, errorEnvelopeSchema, MAX_BODY_BYTES, type RunId } from '@agent-runtime/domain';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANONYMOUS_PER_MINUTE } from './app.ts';
import { eventBody, keyOf, type PublicWorld, publicWorld } from './public.fixture.ts';

let world: PublicWorld;
let secret: string;
beforeEach(async () => {
  world = await publicWorld();
  secret = (await world.token('shop')).secret;
});
afterEach(() => world.close());

async function errorOf(response: Response): Promise<{ code: string; kind: string; message: string }> {
  return errorEnvelopeSchema.parse(await response.json()).error;
}

async function started(patch: Readonly<Record<string, unknown>> = {}): Promise<RunId> {
  const response = await world.post(secret, eventBody(patch));
  expect(response.status).toBe(202);
  return ((await response.json()) as { run_id: RunId }).run_id; // safe: the shape is checked in its own test
}

describe('health', () => {
  test('healthz answers while the process lives', async () => {
    world.setHealth(['the store is gone']);
    expect((await world.request('/healthz')).status).toBe(200);
  });

  test('readyz says why it is not ready: the engine, and the process itself', async () => {
    const ready = await world.request('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
    world.setHealth(['the gate is closed']);
    world.setStopping(true);
    const not = await world.request('/readyz');
    expect([not.status, await not.json()]).toEqual([
      503,
      { ready: false, reasons: ['the gate is closed', 'stopping'] },
    ]);
  });
});

describe('who may knock', () => {
  test.each([
    ['no header', undefined],
    ['another scheme', 'Basic YWRhOmFkYQ=='],
    ['an unknown token', 'Bearer art_unknownunknownunknown'],
    ['a malformed token', 'Bearer art_'],
    ['a token with something after it', 'Bearer art_shopxxxxxxxxxxxxxxxxxxxx ; x'],
  ])('%s is refused with one text', async (_name, header) => {
    const headers: Record<string, string> = header === undefined ? {} : { Authorization: header };
    const response = await world.request('/v1/events', { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(await errorOf(response)).toMatchObject({
      code: 'public.token.unauthenticated',
      kind: 'unauthenticated',
    });
    expect(world.arrivals).toEqual([]);
  });

  test('a revoked, an expired and an orphaned token get the answer of an unknown one', async () => {
    const texts: string[] = [];
    const ask = async (of: string) => texts.push(await (await world.post(of, eventBody())).text());
    await ask('art_unknownunknownunknown');
    const revoked = await world.token('revoked');
    await world.patchToken(revoked.id, { revokedAt: 1 });
    await ask(revoked.secret);
    const expired = await world.token('expired');
    await world.patchToken(expired.id, { expiresAt: world.clock.nowMs() });
    await ask(expired.secret);
    await world.deactivateOwner();
    await ask(secret);
    expect(new Set(texts).size).toBe(1);
    expect(world.arrivals).toEqual([]);
  });

  test('a token that ends later still works until then', async () => {
    const token = await world.token('later');
    await world.patchToken(token.id, { expiresAt: world.clock.nowMs() + 10 });
    expect((await world.post(token.secret, eventBody())).status).toBe(202);
    await world.clock.advance(10);
    expect((await world.post(token.secret, eventBody())).status).toBe(401);
  });
});

describe('POST /v1/events', () => {
  test('hands the event to the one door, every key of the caller under its token', async () => {
    const token = await world.token('two');
    const response = await world.post(token.secret, eventBody({ idempotency_key: 'k1', raw: { a: [1] } }));
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      run_id: expect.stringMatching(/^run_/),
      task_id: expect.stringMatching(/^task_/),
    });
    const [arrival] = world.arrivals;
    expect(arrival).toMatchObject({
      door: 'http',
      conversationKey: `${token.id}:shop-42`,
      event: {
        source: `http:${token.id}`,
        externalId: 'key:k1',
        kind: 'message',
        sender: { id: `${token.id}:visitor-7`, displayName: 'visitor-7', isBot: false },
        text: 'How do I get a refund?',
        isRelayed: false,
      },
      authenticated: { context: 'api', principal: { kind: 'token', token: token.id } },
    });
    expect(arrival === undefined ? '' : keyOf(arrival)).toBe(token.id);
  });

  test('the same idempotency key gives the same answer, other words a conflict', async () => {
    const first = await world.post(secret, eventBody({ idempotency_key: 'k' }));
    const again = await world.post(secret, eventBody({ idempotency_key: 'k' }));
    expect([again.status, await again.json()]).toEqual([202, await first.json()]);
    const other = await world.post(secret, eventBody({ idempotency_key: 'k', text: 'Something else' }));
    expect(other.status).toBe(409);
    expect((await errorOf(other)).kind).toBe('conflict');
  });

  test('two tokens with the same keys never meet', async () => {
    const other = await world.token('other');
    const mine = await started({ idempotency_key: 'k' });
    const response = await world.post(other.secret, eventBody({ idempotency_key: 'k' }));
    expect(((await response.json()) as { run_id: string }).run_id).not.toBe(mine); // safe: shape checked above
    const [a, b] = world.arrivals;
    expect(a?.conversationKey).not.toBe(b?.conversationKey);
    expect(a?.event.sender.id).not.toBe(b?.event.sender.id);
    expect(a?.event.source).not.toBe(b?.event.source);
  });

  test('without a key each event is its own, and no key of a caller can be one of ours', async () => {
    await started();
    await started();
    const made = world.arrivals.map(({ event }) => event.externalId);
    expect(new Set(made).size).toBe(2);
    await started({ idempotency_key: made[0] });
    expect(world.arrivals.at(-1)?.event.externalId).toBe(`key:${made[0]}`);
  });

  test.each([
    ['another version', { schema_version: 2 }, 'schema_version'],
    ['another type', { type: 'command' }, 'type'],
    ['no text', { text: '' }, 'text'],
    ['a misspelt member', { idempotencykey: 'x' }, 'idempotencykey'],
    ['a key that is too long', { conversation_key: 'x'.repeat(201) }, 'conversation_key'],
    ['a key that is no text', { user_key: 7 }, 'user_key'],
    ['a text that is too long', { text: 'x'.repeat(64_001) }, 'text'],
  ])('%s is refused, and the member is named', async (_name, patch, member) => {
    const response = await world.post(secret, eventBody(patch));
    expect(response.status).toBe(400);
    const error = await errorOf(response);
    expect(error).toMatchObject({ code: 'contract.value.invalid', kind: 'invalid' });
    expect(error.message).toContain(member);
    expect(world.arrivals).toEqual([]);
  });

  test.each([
    ['no JSON', '{"schema_version":1'],
    ['nothing', ''],
    ['an array', '[]'],
    ['null', 'null'],
    ['a tower of brackets', `{"raw":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['a tower that never ends', '{"a":'.repeat(100_000)],
  ])('%s is refused', async (_name, body) => {
    const response = await world.post(secret, body);
    expect(response.status).toBe(400);
    expect((await errorOf(response)).kind).toBe('invalid');
  });

  test('brackets inside a text are only text', async () => {
    await started({ text: `${'['.repeat(500)} "quoted \\" ${'{'.repeat(500)}` });
  });

  test('bytes that are not UTF-8 are refused', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"schema_version":1,"text":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const response = await world.request('/v1/events', { method: 'POST', secret, body: bytes });
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toContain('UTF-8');
  });

  test('a body over 1 MiB is refused whether it is announced or not', async () => {
    const announced = await world.request('/v1/events', {
      method: 'POST',
      secret,
      headers: { 'Content-Length': String(MAX_BODY_BYTES + 1) },
      body: '{}',
    });
    expect(announced.status).toBe(413);
    const streamed = await world.request('/v1/events', {
      method: 'POST',
      secret,
      body: endless(),
      duplex: 'half',
    } as RequestInit); // safe: duplex is how fetch sends a stream
    expect(streamed.status).toBe(413);
    expect(await errorOf(streamed)).toMatchObject({ code: 'public.size.invalid', kind: 'invalid' });
    expect(world.arrivals).toEqual([]);
  });

  test('a body of exactly 1 MiB is read', async () => {
    const body = JSON.stringify(eventBody({ raw: { pad: '' } }));
    const padded = body.replace('"pad":""', `"pad":"${'x'.repeat(MAX_BODY_BYTES - body.length)}"`);
    expect(Buffer.byteLength(padded)).toBe(MAX_BODY_BYTES);
    expect((await world.post(secret, padded)).status).toBe(202);
  });

  test.each([
    ['exhausted', 429, 2_500],
    ['denied', 403, undefined],
    ['unavailable', 503, undefined],
  ] as const)('a refusal of kind %s keeps its kind and is %i', async (kind, status, retryAfterMs) => {
    world.refuseNext(
      new AppError({
        code: `ingest.test.${kind}`,
        kind,
        message: 'Not now.',
        ...(retryAfterMs ? { retryAfterMs } : {}),
      }),
    );
    const response = await world.post(secret, eventBody());
    expect(response.status).toBe(status);
    expect((await errorOf(response)).kind).toBe(kind);
    expect(response.headers.get('Retry-After')).toBe(retryAfterMs === undefined ? null : '3');
  });
});

describe('what breaks inside stays inside', () => {
  test('no stack, path, cause or secret leaves; the log has the rest under the reference', async () => {
    const canary = 'canary-4711-secret';
    world.refuseNext(new Error(`ENOENT /srv/data/${canary} at run.ts:12`));
    const response = await world.post(secret, eventBody());
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain(canary);
    expect(text).not.toContain('ENOENT');
    expect(text).not.toContain('/srv');
    const reference = /evnt_[0-9a-z]+/.exec(text)?.[0] ?? 'none';
    expect(world.log.dump()).toContain(reference);
    expect(world.log.dump()).not.toContain(secret);
  });
});

describe('GET /v1/runs/:id', () => {
  test('shows state and answer of the token’s own run', async () => {
    const run = await started();
    await world.setRun(run, { state: 'succeeded', output: 'Write to us.', finishedAt: 9 });
    const response = await world.request(`/v1/runs/${run}`, { secret });
    expect([response.status, await response.json()]).toEqual([
      200,
      { run_id: run, status: 'succeeded', output: 'Write to us.' },
    ]);
  });

  test('shows why a run failed', async () => {
    const run = await started();
    const error = { code: 'run.deadline.exhausted', kind: 'exhausted', message: 'Too late.' } as const;
    await world.setRun(run, { state: 'failed', error });
    const response = await world.request(`/v1/runs/${run}`, { secret });
    expect(await response.json()).toEqual({ run_id: run, status: 'failed', error });
  });

  test('a run of another token, an unknown one and a malformed id give the same answer', async () => {
    const run = await started();
    const other = await world.token('other');
    const answers = await Promise.all(
      [run, 'run_00000000000000000000', '../../etc/passwd', '%2e%2e%2f', 'x'.repeat(5_000)].flatMap((id) =>
        ['', '/events'].map((path) =>
          world.request(`/v1/runs/${encodeURIComponent(id)}${path}`, { secret: other.secret }),
        ),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
  });
});

describe('addresses and methods', () => {
  test.each(['/', '/v1', '/v1/runs', '/v2/events', '/admin/v1/status', '/metrics', '/healthz/x', '/%00'])(
    '%s is nothing',
    async (path) => {
      const response = await world.request(path);
      expect(response.status).toBe(404);
      expect(await errorOf(response)).toMatchObject({ code: 'public.path.missing', kind: 'missing' });
    },
  );

  test.each([
    ['DELETE', '/healthz', 'GET'],
    ['POST', '/readyz', 'GET'],
    ['GET', '/v1/events', 'POST'],
    ['OPTIONS', '/v1/events', 'POST'],
    ['PUT', '/v1/runs/run_x', 'GET'],
    ['POST', '/v1/runs/run_x/events', 'GET'],
    ['HEAD', '/v1/runs/run_x/events', 'GET'],
  ])('%s %s is the wrong method', async (method, path, allowed) => {
    const response = await world.request(path, { method, secret });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe(allowed);
    if (method !== 'HEAD') expect((await errorOf(response)).kind).toBe('invalid');
  });

  test('every answer says that it is data: 200, 202, 401, 404, 405, 500', async () => {
    world.refuseNext(new Error('broken'));
    const answers = [
      await world.post(secret, eventBody()),
      await world.post(secret, eventBody()),
      await world.request('/healthz'),
      await world.request('/nothing'),
      await world.request('/v1/events'),
      await world.request('/v1/runs/run_x'),
    ];
    for (const answer of answers) {
      expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(answer.headers.get('Cache-Control')).toBe('no-store');
      expect(answer.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
      expect(answer.headers.get('X-Frame-Options')).toBe('DENY');
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
    }
  });
});

describe('limits', () => {
  test('a token has its own limit, says when it is free again, and harms no other', async () => {
    const small = await publicWorld(2);
    const a = await small.token('a');
    const b = await small.token('b');
    expect((await small.post(a.secret, eventBody())).status).toBe(202);
    expect((await small.post(a.secret, eventBody())).status).toBe(202);
    const third = await small.post(a.secret, eventBody());
    expect(third.status).toBe(429);
    expect(third.headers.get('Retry-After')).toBe('30');
    expect((await small.post(b.secret, eventBody())).status).toBe(202);
    expect(small.arrivals).toHaveLength(3);
    await small.clock.advance(30_000);
    expect((await small.post(a.secret, eventBody())).status).toBe(202);
    await small.close();
  });

  test('asking how a run is doing does not use up messages', async () => {
    const small = await publicWorld(1);
    const { secret: own } = await small.token('a');
    for (let n = 0; n < 10; n += 1)
      expect((await small.request('/v1/runs/run_x', { secret: own })).status).toBe(404);
    expect((await small.request('/v1/runs/run_x', { secret: own })).status).toBe(429);
    expect((await small.post(own, eventBody())).status).toBe(202);
    await small.close();
  });

  test('strangers share one limit, and good tokens do not feel it', async () => {
    for (let n = 0; n < ANONYMOUS_PER_MINUTE; n += 1) await world.request('/v1/runs/run_x');
    expect((await world.request('/v1/runs/run_x')).status).toBe(429);
    expect((await world.post('art_unknownunknownunknown', eventBody())).status).toBe(429);
    expect((await world.post(secret, eventBody())).status).toBe(202);
  });
});

/** Sends spaces until it is told to stop. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024).fill(32)),
  });
}
