import type { Draft, JsonObject } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { discordStage, type Stage, type StageOptions, skippingClock } from './discord.fixture.ts';

const open: Stage[] = [];
afterEach(async () => {
  for (const stage of open.splice(0)) await stage.close();
});

async function staged(options?: StageOptions): Promise<Stage> {
  const stage = await discordStage(options);
  open.push(stage);
  return stage;
}

const POSTS = { method: 'POST', route: '/channels/{channel_id}/messages' } as const;
const never = new AbortController().signal;

function payloadsOf(stage: Stage, draft: Draft): readonly JsonObject[] {
  return stage.connector.render(draft, { address: stage.channel, effectId: 'efct_1', nowMs: 0 });
}

function toOf(
  stage: Stage,
  more: { effectId?: string; part?: number; attempt?: number; createdAt?: number } = {},
) {
  const sink = { connector: 'discord', account: stage.connector.account, address: stage.channel };
  return { sink, effectId: 'efct_1', part: 0, createdAt: stage.clock.nowMs(), ...more };
}

const send = (stage: Stage, draft: Draft, more?: Parameters<typeof toOf>[1]) =>
  stage.connector.deliver(payloadsOf(stage, draft)[0] ?? {}, toOf(stage, more), never);
const contents = (stage: Stage) => stage.server.messages(stage.channel).map(({ wire }) => wire.content);

describe('sending to discord', () => {
  test('a reply: nobody is called, no previews, a reference that may be gone, a nonce that is enforced', async () => {
    const stage = await staged();
    const asked = stage.server.say({ channel: stage.channel, from: stage.ada, content: 'hi' });
    await send(stage, { text: `@everyone <@${stage.ada}> see https://example.org`, replyTo: asked.id });
    const call = stage.server.calls.at(-1);
    expect(call?.body).toMatchObject({
      allowed_mentions: { parse: [], replied_user: false },
      message_reference: { message_id: asked.id, fail_if_not_exists: false },
      enforce_nonce: true,
      nonce: expect.stringMatching(/^[a-z2-7]{24}$/),
      flags: 4,
    });
    const [, said] = stage.server.messages(stage.channel);
    expect(said?.pinged).toEqual({ users: [], roles: [], everyone: false });
    stage.server.remove(asked);
    await send(stage, { text: 'still', replyTo: asked.id }, { effectId: 'efct_2' });
    expect(contents(stage)).toContain('still');
    expect(stage.server.violations).toEqual([]);
  });

  test('a card is changed in place, its buttons too; a file comes along when an answer is too long', async () => {
    const stage = await staged();
    const { externalId } = await send(stage, {
      text: 'Send it?',
      card: { title: 'Approval', tone: 'ask' },
      buttons: Array.from({ length: 7 }, (_, index) => ({ id: `b${index}`, label: `Choice ${index}` })),
    });
    expect(stage.server.message(externalId).wire.components).toHaveLength(2);
    const changed = await send(
      stage,
      { text: 'Approved by Ada', card: { title: 'Approval', tone: 'good' }, edits: externalId },
      { effectId: 'efct_2' },
    );
    expect(changed.externalId).toBe(externalId);
    expect(stage.server.message(externalId).wire).toMatchObject({
      components: [],
      embeds: [{ description: 'Approved by Ada' }],
    });
    const long = Array.from({ length: 3_000 }, (_, index) => `word${index}`).join(' ');
    await send(stage, { text: long }, { effectId: 'efct_3' });
    const files = stage.server.calls.at(-1)?.files ?? [];
    expect(files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString('utf8')])).toEqual([
      ['answer.md', long],
    ]);
    expect(stage.server.violations).toEqual([]);
  });

  test.each([
    ['body', { scope: 'user' as const }],
    ['global', { scope: 'global' as const }],
    ['shared', { scope: 'shared' as const }],
  ])('429 (%s): exhausted for exactly so long, and not one call before that', async (_name, { scope }) => {
    const stage = await staged({ clock: skippingClock(true) });
    stage.server.faults.add({ ...POSTS, kind: 'too-many', retryAfterS: 1.234, scope });
    const thrown = await send(stage, { text: 'x' }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ kind: 'exhausted', retryAfterMs: 1_234 });
    for (let index = 0; index < 50; index += 1)
      await expect(send(stage, { text: 'x' })).rejects.toMatchObject({ kind: 'exhausted' });
    expect(stage.server.calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
    stage.clock.skip(1_235);
    await send(stage, { text: 'x' });
    expect(stage.server.limits.tooEarly).toEqual([]);
    expect(contents(stage)).toEqual(['x']);
  });

  test('429 of a proxy before Discord: the header alone counts', async () => {
    const stage = await staged({
      makeRequest: async () =>
        new Response('<html>slow down</html>', { status: 429, headers: { 'retry-after': '7' } }) as never,
    });
    await expect(send(stage, { text: 'x' })).rejects.toMatchObject({
      kind: 'exhausted',
      retryAfterMs: 7_000,
    });
  });

  test('429 storm: a full channel does not hold up another one, and nothing is burnt', async () => {
    const stage = await staged({ patienceMs: 0 });
    stage.server.limits.add({ ...POSTS, limit: 2, windowMs: 60_000 });
    const other = stage.server.channel({ guild: stage.guild, name: 'other' }).id;
    const outcomes: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      outcomes.push(
        await send(stage, { text: `m${index}` }, { effectId: `e${index}` }).then(
          () => 'sent',
          ({ kind }) => kind,
        ),
      );
    }
    expect(outcomes).toEqual(['sent', 'sent', ...Array(28).fill('exhausted')]);
    const [payload = {}] = stage.connector.render(
      { text: 'elsewhere' },
      { address: other, effectId: 'o', nowMs: 0 },
    );
    await stage.connector.deliver(payload, toOf(stage, { effectId: 'o' }), never);
    expect(stage.server.invalidRequests).toBe(0);
  });

  test.each([500, 502, 503])('%i: nobody knows, and the repeat is the same message', async (status) => {
    const stage = await staged();
    stage.server.faults.add({ ...POSTS, kind: 'server-error', status, isProcessed: true });
    await expect(send(stage, { text: 'x' })).rejects.toMatchObject({ kind: 'uncertain' });
    await send(stage, { text: 'x' }, { attempt: 2 });
    expect(contents(stage)).toEqual(['x']);
  });

  test('no answer in time: uncertain', async () => {
    const stage = await staged({ timeoutMs: 300 });
    stage.server.faults.add({ ...POSTS, kind: 'hang' });
    await expect(send(stage, { text: 'x' })).rejects.toMatchObject({ kind: 'uncertain' });
  });

  test('Discord is down: nothing happened', async () => {
    const stage = await staged();
    await stage.server.down();
    await expect(send(stage, { text: 'x' })).rejects.toMatchObject({ kind: 'unavailable' });
    await stage.server.up();
  });

  test.each([
    [403, 50_013, 'Send Messages'],
    [403, 50_001, 'View Channel'],
    [404, 10_003, 'gone'],
    [400, 50_035, 'form'],
  ])('%i with code %i: rejected, with words that help', async (status, code, words) => {
    const stage = await staged();
    stage.server.faults.add({ ...POSTS, kind: 'refusal', status, code, message: 'raw words' });
    const thrown = await send(stage, { text: 'x' }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ kind: 'rejected', message: expect.stringContaining(words) });
  });
});

describe('a lost outcome at discord', () => {
  test('after the window of the nonce the channel is read first: found, it is not sent again', async () => {
    const stage = await staged();
    const createdAt = stage.clock.nowMs();
    stage.server.faults.add({ ...POSTS, kind: 'drop-after' });
    await expect(send(stage, { text: 'once' })).rejects.toMatchObject({ kind: 'uncertain' });
    stage.clock.skip(10 * 60_000);
    const again = await send(stage, { text: 'once' }, { attempt: 2, createdAt });
    expect(contents(stage)).toEqual(['once']);
    expect(again.externalId).toBe(stage.server.messages(stage.channel)[0]?.wire.id);
  });

  test('not found, it is sent; unreadable, it stays uncertain', async () => {
    const stage = await staged();
    const createdAt = stage.clock.nowMs();
    stage.clock.skip(10 * 60_000);
    stage.server.faults.add({ kind: 'refusal', status: 403, code: 50_001, method: 'GET' });
    await expect(send(stage, { text: 'x' }, { attempt: 2, createdAt })).rejects.toMatchObject({
      kind: 'uncertain',
    });
    await send(stage, { text: 'x' }, { attempt: 2, createdAt });
    expect(contents(stage)).toEqual(['x']);
  });

  test('the same words of another effect are not mistaken for it', async () => {
    const stage = await staged();
    const createdAt = stage.clock.nowMs();
    await send(stage, { text: 'OK' });
    stage.clock.skip(10 * 60_000);
    await send(stage, { text: 'OK' }, { effectId: 'efct_2', attempt: 2, createdAt });
    expect(contents(stage)).toEqual(['OK', 'OK']);
  });

  test('reconcile: sent when it is there; not-sent only when nothing can be on its way any more', async () => {
    const stage = await staged();
    const createdAt = stage.clock.nowMs();
    const [payload = {}] = payloadsOf(stage, { text: 'lost' });
    const look = () => stage.connector.reconcile(payload, toOf(stage, { createdAt }), never);
    stage.server.faults.add({ ...POSTS, kind: 'drop-before' });
    await expect(send(stage, { text: 'lost' })).rejects.toMatchObject({ kind: 'uncertain' });
    expect(await look()).toEqual({ kind: 'unknown' });
    stage.clock.skip(31_000);
    expect(await look()).toEqual({ kind: 'not-sent' });
    stage.server.faults.add({ kind: 'server-error', method: 'GET' });
    expect(await look()).toEqual({ kind: 'unknown' });
    const { externalId } = await send(stage, { text: 'lost' });
    expect(await look()).toMatchObject({ kind: 'sent', receipt: { externalId } });
  });
});

test('the token is in no log, no error, no event and no memory, whatever goes wrong', async () => {
  const stage = await staged({ timeoutMs: 1_500 });
  const seen: unknown[] = [];
  await stage.listen(() => ({ isAnswered: true }));
  const { token } = stage.server;
  const record = stage.server.command({ channel: stage.channel, from: stage.ada, name: 'new' });
  await until(() => stage.heard.length === 1, 'the command');
  for (const kind of ['hang', 'drop-before', 'drop-after', 'server-error', 'refuse'] as const) {
    stage.server.faults.add({ ...POSTS, kind });
    seen.push(await send(stage, { text: 'x' }).catch((error: unknown) => error));
    stage.server.faults.add({ method: 'PATCH', kind });
    seen.push(
      await send(stage, { text: 'x', replyTo: stage.heard[0]?.message }).catch((error: unknown) => error),
    );
  }
  for (const [status, code] of [
    [401, 0],
    [403, 50_013],
    [404, 10_015],
    [400, 50_035],
  ] as const) {
    stage.server.faults.add({ method: 'PATCH', kind: 'refusal', status, code });
    seen.push(
      await send(stage, { text: 'x', replyTo: stage.heard[0]?.message }).catch((error: unknown) => error),
    );
  }
  stage.server.faults.add({ ...POSTS, kind: 'refusal', status: 401, code: 0 });
  seen.push(await send(stage, { text: 'x' }).catch((error: unknown) => error));
  stage.server.gateway.close(4004);
  await until(() => stage.log.lines.some(({ level }) => level === 'error'), 'the alarm');
  const everything = [
    stage.log.dump(),
    JSON.stringify(stage.heard),
    stage.memory.dump(),
    ...seen.map(wholeText),
    String(stage.connector.trouble?.()),
  ].join('\n');
  expect(seen.filter((one) => one instanceof Error).length).toBeGreaterThan(8);
  expect(everything).not.toContain(token.split('.')[2]);
  // The address of an answer is a right as well; the memory, which is sealed at rest, is the one place that has it.
  expect([stage.log.dump(), JSON.stringify(stage.heard), ...seen.map(wholeText)].join('\n')).not.toContain(
    record.token,
  );
});

/** An error with all that hangs on it. */
function wholeText(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value) ?? '';
  const own = Object.fromEntries(
    Object.getOwnPropertyNames(value).map((name) => [name, Reflect.get(value, name)]),
  );
  return `${JSON.stringify(own)} ${wholeText(value.cause)}`;
}
