import { ADMIN_PREFIX, type Run } from '@agent-runtime/domain';
import { type ClientKey, newClientKey, SOCKET_AUTHORITY, signRequest } from '@agent-runtime/pki';
import { until } from '@agent-runtime/testkit';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { answer, type DoorWorld, MEMBER, makeDoor, requestOf, sharedKey } from './admin.fixture.ts';
import type { AdminParts } from './deps.ts';

let key: ClientKey;
let member: ClientKey;
let door: DoorWorld;

beforeAll(async () => {
  [key, member] = await Promise.all([sharedKey(), newClientKey()]);
}, 60_000);
beforeEach(async () => {
  door = await makeDoor(key);
  await door.enrolled(member, MEMBER);
});
afterEach(async () => door.opened.close());

const AUDIT = { action: 'test.change', actor: 'test', subject: 'world' };

async function asked(by: ClientKey): Promise<Run> {
  const posted = await answer(
    door,
    requestOf(door, 'ask.post', { text: 'ping', idempotency_key: 'key-00001' }, { key: by }),
  );
  expect(posted.status).toBe(200);
  const run = door.runs[0];
  if (run === undefined) throw new Error('no run');
  return run;
}

/** Opens a stream that nobody reads yet. */
async function opening(
  path: string,
  by: ClientKey,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly response: Response }> {
  const headers = signRequest({
    method: 'GET',
    path: ADMIN_PREFIX + path,
    query: '',
    authority: SOCKET_AUTHORITY,
    body: new Uint8Array(),
    key: by,
    bootId: door.parts.about.bootId,
    nowMs: door.clock.nowMs(),
  });
  return { response: await door.app.request(ADMIN_PREFIX + path, { headers: { ...headers, ...more } }) };
}

/** Opens a stream; `text()` is what has arrived so far. */
async function openStream(
  path: string,
  by: ClientKey,
): Promise<{
  readonly status: number;
  text(): string;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}> {
  const { response } = await opening(path, by);
  let text = '';
  const reader = response.body?.getReader();
  const ended = (async () => {
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) return;
      text += new TextDecoder().decode(part.value);
    }
  })();
  return { status: response.status, text: () => text, ended, stop: async () => reader?.cancel() };
}

async function finish(run: Run): Promise<void> {
  await door.opened.store.commit(AUDIT, async (tx) =>
    tx.update('run', { id: run.id }, { state: 'succeeded', output: 'pong', finishedAt: 1 }),
  );
  door.live.publish({ topic: run.id, kind: 'state', data: { status: 'succeeded' } });
}

describe('the stream of a run', () => {
  test('states, text as it grows, the end; then it closes', async () => {
    const run = await asked(member);
    const stream = await openStream(`/run/${run.id}/event`, member);
    await until(() => stream.text().includes('running'), 'the first state');
    door.live.publish({ topic: run.id, kind: 'text', data: { text: 'po' } });
    door.live.publish({ topic: run.id, kind: 'text', data: { text: 'pong' } });
    await until(() => stream.text().includes('"text":"ng"'), 'the second part');
    await finish(run);
    await stream.ended;
    expect(stream.text()).toContain('"offset":2');
    expect(stream.text()).toContain(
      `"type":"end","run":{"run_id":"${run.id}","status":"succeeded","output":"pong"}`,
    );
    expect(door.live.listeners).toBe(0);
  });

  test('steps with their place, once each, also those from before it was opened', async () => {
    const steps = new Map<
      string,
      { readonly kind: string; readonly name: string; readonly outcome?: string }
    >();
    await door.opened.close();
    const journal = { steps: async () => steps } as unknown as AdminParts['journal']; // safe: all that a stream reads of it
    door = await makeDoor(key, 'socket', { journal });
    await door.enrolled(member, MEMBER);
    const run = await asked(member);
    const write = (
      name: string,
      value: { readonly kind: string; readonly name: string; readonly outcome?: string },
    ): void => {
      steps.set(name, value);
      door.live.publish({ topic: run.id, kind: 'step', data: { run: run.id, step: name } });
    };
    write('llm:1', { kind: 'llm', name: 'main' });
    const stream = await openStream(`/run/${run.id}/event`, member);
    await until(() => stream.text().includes('"step":1'), 'the first step');
    write('tool:1', { kind: 'tool', name: 'qmd_search', outcome: 'done' });
    await until(() => stream.text().includes('"step":2'), 'the second step');
    await finish(run);
    await stream.ended;
    expect(stream.text().match(/"type":"step"/g)).toHaveLength(2);
    expect(stream.text()).toContain('"kind":"tool","name":"qmd_search","outcome":"done"');
  });

  test('ends also when no event told it to', async () => {
    const run = await asked(member);
    const stream = await openStream(`/run/${run.id}/event`, member);
    await until(() => stream.text().includes('running'), 'the first state');
    await door.opened.store.commit(AUDIT, async (tx) =>
      tx.update('run', { id: run.id }, { state: 'failed' }),
    );
    await until(async () => {
      await door.clock.advance(1_000);
      return stream.text().includes('"end"');
    }, 'the end');
    await stream.ended;
  });

  test('text in the making is for the asker; staff get the finished answer', async () => {
    const run = await asked(member);
    const stream = await openStream(`/run/${run.id}/event`, key);
    await until(() => stream.text().includes('running'), 'the first state');
    door.live.publish({ topic: run.id, kind: 'text', data: { text: 'half a secret' } });
    await finish(run);
    await stream.ended;
    expect(stream.text()).not.toContain('half a secret');
    expect(stream.text()).toContain('pong');
  });

  test('of somebody else is not there', async () => {
    const run = await asked(key);
    expect((await openStream(`/run/${run.id}/event`, member)).status).toBe(404);
    expect((await door.app.request(`${ADMIN_PREFIX}/run/${run.id}/event`)).status).toBe(401);
  });

  test('closes when the key is revoked, without another frame', async () => {
    const run = await asked(member);
    const stream = await openStream(`/run/${run.id}/event`, member);
    await until(() => stream.text().includes('running'), 'the first state');
    expect((await answer(door, requestOf(door, 'key.revoke', { id: member.keyId }))).status).toBe(200);
    door.live.publish({ topic: run.id, kind: 'text', data: { text: 'too late' } });
    await stream.ended;
    expect(stream.text()).not.toContain('too late');
    expect(door.live.listeners).toBe(0);
  });
});

describe('the stream of the appliance', () => {
  test('shows each what is theirs', async () => {
    const lords = await openStream('/events', key);
    const mias = await openStream('/events', member);
    await until(() => lords.text().includes('hello') && mias.text().includes('hello'), 'both streams');
    door.live.publish({
      topic: 'effects',
      kind: 'effect.done',
      data: { id: 'efct_1', workspace: 'acme', context: 'ops' },
    });
    await until(() => lords.text().includes('efct_1'), 'the event');
    expect(mias.text()).not.toContain('efct_1');
    await lords.stop();
    await mias.stop();
  });
});

describe('a reader that takes nothing', () => {
  const effect = (n: number) => ({
    topic: 'effects',
    kind: 'effect.done',
    data: { id: `efct_${n}`, workspace: 'acme', context: 'ops' },
  });
  const others = () => door.live.listeners;

  test('costs a thousand events; then nothing is kept for it, and it is told to come again', async () => {
    const { response } = await opening('/events', key);
    await until(() => others() > 0, 'the stream listens');
    // One waits in the line, one in the write that the reader holds up.
    for (let n = 0; n < 1_000; n += 1) door.live.publish(effect(n));
    expect(others()).toBeGreaterThan(0);
    for (let n = 1_000; n < 1_010; n += 1) door.live.publish(effect(n));
    expect(others()).toBe(0);
    const text = await response.text();
    expect(text).toMatch(/event: behind\ndata: \{\}\nretry: 1000\n\n$/);
    expect(text.match(/event: effects/g)?.length ?? 0).toBeLessThan(10);
  });

  test('is let go of after half a minute, though its write still waits', async () => {
    const { response } = await opening('/events', key);
    await until(() => others() > 0, 'the stream listens');
    for (let n = 0; n < 1_010; n += 1) door.live.publish(effect(n));
    await door.clock.advance(30_000);
    expect(await response.text()).not.toContain('behind');
  });

  test('has a few texts in the making to wait for, the newest among them', async () => {
    const run = await asked(member);
    const { response } = await opening(`/run/${run.id}/event`, member);
    await until(() => others() > 0, 'the stream listens');
    let whole = '';
    for (let n = 0; n < 5_000; n += 1) {
      whole += 'x';
      door.live.publish({ topic: run.id, kind: 'text', data: { text: whole } });
    }
    expect(others()).toBeGreaterThan(0);
    await finish(run);
    const text = await response.text();
    expect(text).not.toContain('behind');
    expect(text.match(/"type":"text"/g)?.length).toBeLessThan(30);
    expect(text).toContain('"output":"pong"');
  });

  test('goes on after the last fact that it has, when it comes again', async () => {
    const run = await asked(member);
    await finish(run);
    const first = await (await opening(`/run/${run.id}/event`, member)).response.text();
    const ids = [...first.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids.length).toBeGreaterThan(0);
    const last = String(Math.max(...ids));
    const { response } = await opening(`/run/${run.id}/event`, member, { 'last-event-id': last });
    const again = await response.text();
    expect(again).not.toMatch(/^id: /m);
    expect(again).toContain('"type":"end"');
  });
});
