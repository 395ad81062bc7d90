import { AppError } from '@agent-runtime/domain';
import type { RecordingLogger } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { makeTeller } from './tell.ts';
import { CONFIG, TEST_AUDIT, useWorld } from './world.fixture.ts';

const at = useWorld();
const SECRET = 'the-secret-word';
const words = (n = 1) => ({
  id: `ntce_${n}`,
  connector: 'chat',
  account: 'test',
  channel: 'talk',
  text: `Take ${SECRET}.`,
});
const heard = () => at.world.chat.sent.map((one) => one.payload.text);

test('words are said once, filtered, under their own key', async () => {
  const teller = makeTeller(at.world.deps);
  teller.tell({ ...words(), text: 'Look at https://evil.example/x' });
  await teller.drain(1_000);
  expect(at.world.chat.sent).toMatchObject([{ effectId: 'ntce_1', part: 0 }]);
  expect(heard().join()).not.toContain('https://evil.example');
});

test('trouble outside goes to the log, without the words, and nothing is tried again', async () => {
  const log = at.world.deps.log as RecordingLogger; // safe: the world's logger records
  const error = new AppError({ code: 'chat.send.unavailable', kind: 'unavailable', message: 'down' });
  at.world.chat.script.push({ kind: 'throw', error });
  const teller = makeTeller(at.world.deps);
  teller.tell(words());
  await teller.drain(1_000);
  await at.world.clock.advance(3_600_000);
  expect(heard()).toEqual([]);
  expect(log.dump()).toContain('did not arrive');
  expect(log.dump()).not.toContain(SECRET);
});

test('nothing starts after panic, and the next part of what has begun is not said', async () => {
  const teller = makeTeller(at.world.deps);
  at.world.chat.onDeliver = async () => {
    at.world.panic.turnOn('test', 0);
    teller.abort();
    return undefined;
  };
  teller.tell({ ...words(), text: 'one\n\ntwo' });
  await teller.drain(1_000);
  expect(heard()).toEqual(['one']);
  teller.tell(words(2));
  await teller.drain(1_000);
  expect(heard()).toEqual(['one']);
});

test('nothing is said behind a closed gate, nor by a connector that is not there', async () => {
  const teller = makeTeller(at.world.deps);
  teller.tell({ ...words(), connector: 'other' });
  await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
    tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'restore', at: 0 }),
  );
  teller.tell(words());
  await teller.drain(1_000);
  expect(heard()).toEqual([]);
});

test.each(['the time for a delivery', 'panic', 'the end of the process'])(
  'an outside that does not answer is waited for until %s',
  async (end) => {
    at.world.chat.script.push({ kind: 'hang' });
    const teller = makeTeller(at.world.deps);
    teller.tell(words());
    await at.world.clock.settle();
    let isOver = false;
    const drained = teller.drain(end === 'the end of the process' ? 5 : 10_000_000).then(() => {
      isOver = true;
    });
    await at.world.clock.settle();
    expect(isOver).toBe(false);
    if (end === 'panic') teller.abort();
    else await at.world.clock.advance(end === 'the end of the process' ? 5 : CONFIG.deliverTimeoutMs);
    await drained;
  },
);
