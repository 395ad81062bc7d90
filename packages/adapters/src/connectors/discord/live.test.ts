import type { Connector, Draft } from '@agent-runtime/domain';
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

const never = new AbortController().signal;
const POSTS = { method: 'POST', route: '/channels/{channel_id}/messages' } as const;
const contents = (stage: Stage) => stage.server.messages(stage.channel).map(({ wire }) => wire.content);

function show(
  stage: Stage,
  text: string,
  more: { progress?: string; replyTo?: string; key?: string } = {},
  connector = stage.connector,
) {
  stage.clock.skip(1_300);
  return connector.live?.show({ address: stage.channel, key: 'run_1', text, ...more }, never);
}

async function finish(
  stage: Stage,
  draft: Draft,
  effectId = 'efct_1',
  connector: Connector = stage.connector,
  attempt = 1,
) {
  const address = stage.channel;
  const sink = { connector: 'discord', account: connector.account, address };
  const receipts: string[] = [];
  for (const [part, payload] of connector
    .render({ live: 'run_1', ...draft }, { address, effectId, nowMs: 0 })
    .entries()) {
    const to = { sink, effectId, part, attempt, createdAt: stage.clock.nowMs() };
    receipts.push((await connector.deliver(payload, to, never)).externalId);
  }
  return receipts;
}

describe('a live answer at discord', () => {
  test('one message: it begins, grows, and ends as the answer', async () => {
    const stage = await staged();
    const asked = stage.server.say({ channel: stage.channel, from: stage.ada, content: 'hi' });
    await stage.connector.live?.typing(stage.channel, never);
    expect(stage.server.typing).toHaveLength(1);
    await show(stage, '', { progress: 'searching', replyTo: asked.id });
    expect(contents(stage)).toEqual(['hi', '-# searching']);
    await show(stage, 'The answer', { replyTo: asked.id });
    await show(stage, 'The answer is', { progress: 'counting', replyTo: asked.id });
    expect(contents(stage)).toEqual(['hi', 'The answer is\n-# counting']);
    const [message] = await finish(stage, { text: 'The answer is 42.', replyTo: asked.id });
    expect(contents(stage)).toEqual(['hi', 'The answer is 42.']);
    expect(stage.server.messages(stage.channel)[1]?.wire).toMatchObject({
      id: message,
      message_reference: { message_id: asked.id },
    });
    await show(stage, 'too late');
    expect(contents(stage)).toEqual(['hi', 'The answer is 42.']);
    expect(stage.server.violations).toEqual([]);
  });

  test('frames come no sooner than everyMs, and none while one is on its way', async () => {
    const clock = skippingClock(true);
    const stage = await staged({ clock });
    const frame = (text: string) =>
      stage.connector.live?.show({ address: stage.channel, key: 'run_1', text }, never);
    await frame('one');
    clock.skip(1_199);
    await frame('too soon');
    expect(contents(stage)).toEqual(['one']);
    clock.skip(1);
    const first = frame('two');
    clock.skip(1_200);
    await Promise.all([first, frame('while one is on its way')]);
    expect(contents(stage)).toEqual(['two']);
  });

  test('an answer waits for the frame that is on its way, and what it noted stays', async () => {
    const stage = await staged();
    stage.server.faults.add({ ...POSTS, kind: 'slow', delayMs: 100 });
    const slow = show(stage, 'one');
    await finish(stage, { text: 'end' });
    await slow;
    await finish(stage, { text: 'second' }, 'efct_2');
    expect(contents(stage)).toEqual(['end', 'second']);
  });

  test('killed between the first frame and the note of it: the answer takes that very message', async () => {
    const stage = await staged();
    const { set } = stage.memory;
    let writes = 0;
    stage.memory.set = async (key, value) => {
      writes += 1;
      if (key.startsWith('live:') && writes > 1) throw new Error('killed');
      await set(key, value);
    };
    await show(stage, 'thinking');
    stage.memory.set = set;
    expect(contents(stage)).toEqual(['thinking']);
    await finish(stage, { text: 'end' }, 'efct_1', stage.again());
    expect(contents(stage)).toEqual(['end']);
  });

  test('killed after the answer left: the repeat of the same effect is no second message', async () => {
    const stage = await staged();
    await show(stage, 'thinking');
    const first = await finish(stage, { text: 'end' });
    const second = await finish(stage, { text: 'end' }, 'efct_1', stage.again(), 2);
    expect(second).toEqual(first);
    expect(contents(stage)).toEqual(['end']);
  });

  test('another effect of the same run is a message of its own', async () => {
    const stage = await staged();
    await show(stage, 'thinking');
    await finish(stage, { text: 'first' });
    await finish(stage, { text: 'second' }, 'efct_2');
    expect(contents(stage)).toEqual(['first', 'second']);
  });

  test('somebody deleted the beginning: the answer comes all the same', async () => {
    const stage = await staged();
    await show(stage, 'thinking');
    const [begun] = stage.server.messages(stage.channel);
    if (begun !== undefined) stage.server.remove(begun.wire);
    await finish(stage, { text: 'end' });
    expect(contents(stage)).toEqual(['end']);
  });

  test('of a command: "is thinking" itself grows and ends as the answer; dropped, it goes away', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    const use = (text: string) =>
      stage.server.command({ channel: stage.channel, from: stage.ada, name: 'task', values: { text } });
    const first = use('a');
    await until(() => stage.heard.length === 1, 'the command');
    const replyTo = stage.heard[0]?.message ?? '';
    await show(stage, 'so far', { replyTo });
    expect(first.original?.wire.content).toBe('so far');
    await finish(stage, { text: 'end', replyTo });
    await show(stage, 'too late', { replyTo });
    expect(first.original?.wire.content).toBe('end');
    const second = use('b');
    await until(() => stage.heard.length === 2, 'the command');
    await show(stage, 'never mind', { replyTo: stage.heard[1]?.message ?? '', key: 'run_2' });
    await stage.connector.live?.drop(stage.channel, 'run_2', never);
    expect(second.original?.deletedAtMs).toBeDefined();
  });

  test.each(['drop-before', 'drop-after'] as const)(
    'a frame whose fate is unknown (%s): no further one, and the answer is a message of its own',
    async (kind) => {
      const stage = await staged();
      await show(stage, 'so far');
      const [begun] = stage.server.messages(stage.channel);
      stage.server.faults.add({ kind, method: 'PATCH' });
      await show(stage, 'so far, so good');
      await show(stage, 'no more');
      expect(contents(stage)).toEqual([kind === 'drop-after' ? 'so far, so good' : 'so far']);
      const [message] = await finish(stage, { text: 'end' });
      expect(contents(stage)).toEqual(['end']);
      expect(message).not.toBe(begun?.wire.id);
      expect(await finish(stage, { text: 'end' }, 'efct_1', stage.again(), 2)).toEqual([message]);
      expect(contents(stage)).toEqual(['end']);
    },
  );

  test('of a command: where a frame may still arrive, the answer follows "is thinking" and that goes', async () => {
    const stage = await staged();
    await stage.listen(() => ({ isAnswered: true }));
    const record = stage.server.command({
      channel: stage.channel,
      from: stage.ada,
      name: 'task',
      values: { text: 'a' },
    });
    await until(() => stage.heard.length === 1, 'the command');
    const replyTo = stage.heard[0]?.message ?? '';
    await show(stage, 'so far', { replyTo });
    stage.server.faults.add({ kind: 'drop-before', method: 'PATCH' });
    await show(stage, 'so far, so good', { replyTo });
    await finish(stage, { text: 'end', replyTo });
    expect(record.original?.deletedAtMs).toBeDefined();
    expect(record.followUps.map(({ wire }) => wire.content)).toEqual(['end']);
  });

  test('dropped: the message goes away', async () => {
    const stage = await staged();
    await show(stage, 'thinking');
    await stage.connector.live?.drop(stage.channel, 'run_1', never);
    expect(contents(stage)).toEqual([]);
    await show(stage, 'too late');
    expect(contents(stage)).toEqual([]);
  });

  test('trouble drops frames and never throws; after a lasting no there are no more', async () => {
    const stage = await staged();
    stage.server.faults.add({ ...POSTS, kind: 'too-many', retryAfterS: 30 });
    await show(stage, 'one');
    await show(stage, 'two');
    expect(stage.server.calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
    stage.clock.skip(30_000);
    stage.server.faults.add({ ...POSTS, kind: 'refusal', status: 403, code: 50_013 });
    await show(stage, 'three');
    await show(stage, 'four');
    expect(stage.server.calls.filter(({ method }) => method === 'POST')).toHaveLength(2);
    stage.server.faults.add({ kind: 'hang', method: 'POST' });
    await stage.server.down();
    await show(stage, 'five', { key: 'run_2' });
    await stage.connector.live?.typing(stage.channel, never);
    await stage.connector.live?.drop(stage.channel, 'run_2', never);
    await stage.server.up();
  });
});
