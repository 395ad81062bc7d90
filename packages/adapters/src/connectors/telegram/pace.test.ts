import { AppError, type Draft } from '@agent-runtime/domain';
import { afterEach, expect, test } from 'vitest';
import { type Stage, stages } from './telegram.fixture.ts';

const { open, close } = stages();
afterEach(close);

const never = new AbortController().signal;
const RATES = { perGroupPerMinute: 20, perSecond: 30 };

/** Tries again as long as it is told to wait. */
async function outbox(one: Stage, draft: Draft, address = String(one.group.id)): Promise<void> {
  for (;;) {
    try {
      await one.send(draft, address);
      return;
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.kind !== 'exhausted') throw thrown;
      await one.clock.sleep(thrown.retryAfterMs ?? 1_000, never);
    }
  }
}

/** Frames every three seconds, and then an answer of many messages. */
async function run(one: Stage, key: string): Promise<void> {
  for (let count = 0; count < 8; count += 1) {
    const frame = { address: String(one.group.id), key, text: `${key} ${count}` };
    await one.connector.live?.show(frame, never);
    await one.clock.sleep(3_000, never);
  }
  await outbox(one, { text: `${key} done`, live: key });
  for (let part = 1; part < 14; part += 1) await outbox(one, { text: `${key} part ${part}` });
}

test('two runs in one group: all arrives, and Telegram never has to say that it is too much', async () => {
  const one = await open({}, { rates: RATES });
  let isOver = false;
  const runs = Promise.all([run(one, 'a'), run(one, 'b')]).then(() => {
    isOver = true;
  });
  await one.pass(() => isOver, 'both are done', 500);
  await runs;
  const texts = one.server.visible(one.group).map(({ text }) => text);
  expect(texts.filter((text) => /done|part/.test(text ?? ''))).toHaveLength(28);
  expect(one.server.faults.tooEarly).toBe(0);
  expect(one.server.invalid.tooMany).toBe(0);
});

test('frames use half of the minute of a group, and of its seconds, and leave the rest to answers', async () => {
  const one = await open({}, { rates: RATES });
  for (let run = 0; run < 40; run += 1) {
    const frame = { address: String(one.group.id), key: `run_${run}`, text: 'So' };
    await one.connector.live?.show(frame, never);
    await one.clock.advance(1_000);
  }
  expect(one.played).toHaveLength(10);
  // An exhausted one would throw.
  for (let count = 0; count < 10; count += 1) {
    await one.send({ text: `${count}` });
    await one.clock.advance(1_000);
  }
  expect(one.server.invalid.tooMany).toBe(0);
  await expect(one.send({ text: 'one more' })).rejects.toMatchObject({ kind: 'exhausted' });
});

test('in a private chat a few at once, then one a second; other chats do not wait for it', async () => {
  const one = await open();
  const own = String(one.server.cast.privateChat(one.ann).id);
  const sent: number[] = [];
  let isOver = false;
  const all = Promise.all(
    Array.from({ length: 15 }, () =>
      outbox(one, { text: 'x' }, own).then(() => sent.push(one.clock.monotonicMs())),
    ),
  ).then(() => {
    isOver = true;
  });
  await one.clock.settle();
  await one.send({ text: 'y' });
  const startedAt = one.clock.monotonicMs();
  await one.pass(() => isOver, 'all are sent', 100);
  await all;
  for (const at of sent)
    expect(sent.filter((other) => other >= at && other < at + 4_000).length).toBeLessThanOrEqual(5);
  expect((sent.at(-1) ?? 0) - startedAt).toBeLessThan(20_000);
});

test('a server without limits is not waited for', async () => {
  const one = await open({ perSecond: 1_001 });
  for (let count = 0; count < 40; count += 1) await one.send({ text: 'x' });
  expect(one.played).toHaveLength(40);
});

test('429 of two chats are theirs; of three within two seconds everybody’s', async () => {
  const one = await open();
  const chats = ['B', 'C', 'D'].map((title) => one.server.cast.chat({ type: 'group', title }));
  const [b, c, d] = chats.map(({ id }) => String(id));
  const haste = (chat: (typeof chats)[number]) =>
    one.server.faults.add({ kind: 'too-many', retryAfterSeconds: 7, chat });
  const refused = (address: string | undefined) =>
    expect(one.send({ text: 'x' }, address)).rejects.toMatchObject({ kind: 'exhausted' });
  for (const chat of chats) haste(chat);
  await refused(b);
  await refused(c);
  await one.send({ text: 'still' });
  await one.clock.advance(2_000);
  await refused(d);
  await one.send({ text: 'still' });
  expect(one.server.invalid.tooMany).toBe(3);
  await one.clock.advance(10_000);
  for (const chat of chats) haste(chat);
  for (const address of [b, c, d]) await refused(address);
  await refused(undefined);
  expect(one.server.callsOf('sendMessage')).toHaveLength(8);
});

test('429 to a call without a chat is everybody’s', async () => {
  const one = await open();
  one.server.faults.add({ kind: 'too-many', method: 'answerCallbackQuery', retryAfterSeconds: 7 });
  await one.connector.start(one.accept);
  const { externalId } = await one.send({ text: 'x', buttons: [{ id: 'b-1', label: 'Yes' }] });
  one.server.people.press({ chat: one.group, message_id: Number(externalId) }, 'b-1', one.ann);
  await one.pass(() => one.server.invalid.tooMany === 1, 'it is too much', 20);
  await one.clock.settle();
  await expect(one.send({ text: 'y' })).rejects.toMatchObject({ kind: 'exhausted' });
});
