import type { LiveFrame } from '@agent-runtime/domain';
import { afterEach, expect, test } from 'vitest';
import { type Stage, stages } from './telegram.fixture.ts';

const { open, close } = stages();
afterEach(close);

const never = new AbortController().signal;
const KEY = 'run_1';
const frame = (one: Stage, text: string, more: Partial<LiveFrame> = {}): LiveFrame => ({
  address: String(one.group.id),
  key: KEY,
  text,
  ...more,
});
const show = async (one: Stage, text: string, more: Partial<LiveFrame> = {}): Promise<void> => {
  await one.connector.live?.show(frame(one, text, more), never);
  await one.clock.advance(3_000);
};
const seen = (one: Stage) => one.server.visible(one.group).map(({ text }) => text);

test('one message grows, and the words take its place', async () => {
  const one = await open();
  const asked = one.server.people.say({ chat: one.group, from: one.ann, text: 'question' });
  const replyTo = String(asked.message_id);
  await show(one, '', { replyTo });
  await show(one, 'So', { replyTo, progress: 'reads notes' });
  expect(seen(one)).toEqual(['question', 'So\n\nreads notes']);
  const receipt = await one.send({
    text: 'So **far** so good.',
    live: KEY,
    replyTo,
    buttons: [{ id: 'b', label: 'B' }],
  });
  expect(seen(one)).toEqual(['question', 'So far so good.']);
  const [, answer] = one.server.visible(one.group);
  expect(answer).toMatchObject({
    reply_to_message: { message_id: asked.message_id },
    entities: [{ type: 'bold' }],
  });
  expect(answer?.reply_markup?.inline_keyboard?.[0]).toMatchObject([{ callback_data: 'b' }]);
  expect(receipt.externalId).toBe(String(answer?.message_id));
  expect(one.played.map(({ method }) => method)).toEqual([
    'sendMessage',
    'editMessageText',
    'editMessageText',
  ]);
  expect(one.server.violations).toEqual([]);
});

test('without a live message the words are a new one; later parts always are', async () => {
  const one = await open();
  await one.send({ text: 'a', live: KEY });
  expect(one.played.map(({ method }) => method)).toEqual(['sendMessage']);
});

test('frames that come too soon, or say nothing new, are dropped; so is all after the words', async () => {
  const one = await open();
  await one.connector.live?.show(frame(one, 'a'), never);
  await one.connector.live?.show(frame(one, 'b'), never);
  expect(seen(one)).toEqual(['a']);
  await one.clock.advance(3_000);
  await show(one, 'a');
  expect(one.played).toHaveLength(1);
  await one.send({ text: 'end', live: KEY });
  await show(one, 'late');
  expect(seen(one)).toEqual(['end']);
});

test('429 drops frames, and asks no more until it is over', async () => {
  const one = await open();
  await show(one, 'a');
  one.server.faults.add({ kind: 'too-many', retryAfterSeconds: 10 });
  for (const text of ['b', 'c', 'd']) await show(one, text);
  expect(one.server.callsOf('editMessageText')).toHaveLength(1);
  await one.clock.advance(3_000);
  await show(one, 'e');
  expect(seen(one)).toEqual(['e']);
  expect(one.server.faults.tooEarly).toBe(0);
});

test('frames leave turns to what people wait for', async () => {
  const one = await open({ perSecond: 1 });
  await one.send({ text: 'answer to another' });
  await one.connector.live?.show(frame(one, 'a'), never);
  await one.connector.live?.typing(String(one.group.id), never);
  expect(one.server.calls).toHaveLength(1);
});

test.each(['server-error', 'drop-before', 'drop-after'] as const)(
  'nothing thrown on %s; a first frame that got lost is the only one',
  async (kind) => {
    const one = await open();
    one.server.faults.add({ kind });
    for (const text of ['a', 'b', 'c']) await show(one, text);
    expect(one.server.callsOf('sendMessage')).toHaveLength(1);
    await one.send({ text: 'end', live: KEY });
    expect(seen(one).at(-1)).toBe('end');
  },
);

test('another process completes the message of one that died, and again after it died once more', async () => {
  const one = await open();
  await show(one, 'half');
  const after = { ...one, connector: one.another() };
  const [payload = {}] = after.connector.render(
    { text: 'whole', live: KEY },
    { address: String(one.group.id), effectId: 'e', nowMs: 1 },
  );
  const to = {
    sink: { connector: 'telegram', account: after.connector.account, address: String(one.group.id) },
    effectId: 'e',
    part: 0,
  };
  const first = await after.connector.deliver(payload, to, never);
  // Its receipt was never written down.
  expect(await one.another().deliver(payload, { ...to, attempt: 2 }, never)).toEqual(first);
  expect(seen(one)).toEqual(['whole']);
});

test('a lost outcome of the last edit is found out: the answer is there once', async () => {
  const one = await open();
  await show(one, 'half');
  one.server.faults.add({ kind: 'drop-after', method: 'editMessageText' });
  const sent = one.send({ text: 'whole', live: KEY });
  await one.pass(() => one.server.callsOf('editMessageText').length === 2, 'it is sent again', 500);
  await sent;
  expect(seen(one)).toEqual(['whole']);
});

test('somebody took the live message away: the words are a new message', async () => {
  const one = await open();
  await show(one, 'half');
  const [half] = one.server.visible(one.group);
  one.server.people.remove({ chat: one.group, message_id: half?.message_id ?? 0 });
  await one.send({ text: 'whole', live: KEY });
  expect(seen(one)).toEqual(['whole']);
});

test('words that cannot take the place of a text come after it was taken away', async () => {
  const one = await open();
  await show(one, 'half');
  await one.send({ text: 'Which one?', live: KEY, asksReply: true });
  expect(seen(one)).toEqual(['Which one?']);
  expect(one.played.at(-1)?.body).toMatchObject({ reply_markup: { force_reply: true } });
});

test('words wait for a frame that is on its way', async () => {
  const one = await open();
  one.server.faults.add({ kind: 'slow', ms: 1_000 });
  const quick = one.connector.live?.show(frame(one, 'a'), never);
  await one.pass(() => one.server.calls.length === 1, 'it is on its way', 20);
  const words = one.send({ text: 'end', live: KEY });
  await one.pass(() => seen(one).includes('end'), 'they came', 100);
  await Promise.all([quick, words]);
  expect(seen(one)).toEqual(['end']);
  expect(one.server.calls.map(({ method }) => method)).toEqual(['sendMessage', 'editMessageText']);
});

test('for a slow frame they do not wait, and it is taken away once it is there', async () => {
  const one = await open();
  one.server.faults.add({ kind: 'slow', ms: 20_000 });
  const slow = one.connector.live?.show(frame(one, 'a'), never);
  await one.pass(() => one.server.calls.length === 1, 'it is on its way', 20);
  const words = one.send({ text: 'end', live: KEY });
  await one.pass(() => seen(one).includes('end'), 'they came', 500);
  await one.pass(() => one.server.callsOf('deleteMessage').length === 1, 'the late one goes');
  await Promise.all([slow, words]);
  expect(seen(one)).toEqual(['end']);
});

test('a frame that may still arrive cannot write over the words: they are a new message', async () => {
  const one = await open();
  await show(one, 'a');
  one.server.faults.add({ kind: 'slow', ms: 20_000, method: 'editMessageText' });
  const slow = one.connector.live?.show(frame(one, 'b'), never);
  await one.pass(() => one.server.callsOf('editMessageText').length === 1, 'it is on its way', 20);
  const words = one.send({ text: 'end', live: KEY });
  await one.pass(() => seen(one).includes('end'), 'they came', 500);
  await Promise.all([
    one.pass(() => one.server.callsOf('editMessageText')[0]?.status !== undefined, 'it arrives'),
    slow,
    words,
  ]);
  expect(seen(one)).toEqual(['end']);
});

test('an answer that will not come leaves nothing', async () => {
  const one = await open();
  await show(one, 'half');
  await one.connector.live?.drop(String(one.group.id), KEY, never);
  await one.connector.live?.drop(String(one.group.id), 'run_unknown', never);
  expect(seen(one)).toEqual([]);
  expect([...one.memory.kept.keys()]).toEqual([]);
});

test('typing, in the topic where it belongs; trouble with it is nobody’s', async () => {
  const one = await open();
  const forum = one.server.cast.chat({
    type: 'supergroup',
    title: 'Forum',
    isForum: true,
    members: [one.ann],
  });
  const topic = one.server.people.openTopic(forum, 'Planting', one.ann);
  await one.connector.live?.typing(`${forum.id}/${topic}`, never);
  expect(one.server.actionsIn(forum)).toMatchObject([{ action: 'typing', topic }]);
  one.server.faults.add({ kind: 'refuse', description: 'Bad Request: chat not found' });
  await one.connector.live?.typing(`${forum.id}/${topic}`, never);
  await one.connector.live?.typing('no address', never);
});

test('trouble with the memory: the answer waits rather than being there twice', async () => {
  const one = await open();
  await show(one, 'half');
  const broken = one.another({ memory: { ...one.memory, get: () => Promise.reject(new Error('disk')) } });
  const [payload = {}] = broken.render(
    { text: 'x', live: KEY },
    { address: String(one.group.id), effectId: 'e', nowMs: 1 },
  );
  const sink = { connector: 'telegram', account: broken.account, address: String(one.group.id) };
  await expect(broken.deliver(payload, { sink, effectId: 'e', part: 0 }, never)).rejects.toMatchObject({
    kind: 'unavailable',
  });
  await broken.live?.show(frame(one, 'x'), never);
  await broken.live?.drop(String(one.group.id), KEY, never);
});

test('live messages are forgotten after a day', async () => {
  const one = await open();
  await show(one, 'half');
  await one.clock.advance(86_400_000);
  await one.connector.start(one.accept);
  await one.pass(() => one.memory.kept.size === 0, 'it is forgotten', 20);
});
