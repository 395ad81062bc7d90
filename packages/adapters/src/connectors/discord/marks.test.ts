import { expect, test } from 'vitest';
import { skippingClock, testMemory } from './discord.fixture.ts';
import { marksOf } from './marks.ts';
import { instantOf, snowflakeAt } from './snowflake.ts';

const DAY_MS = 24 * 3_600_000;

function staged() {
  const clock = skippingClock(true);
  const memory = testMemory(clock);
  const writes: string[] = [];
  const { set } = memory;
  memory.set = async (key, value) => {
    writes.push(key);
    await set(key, value);
  };
  return { clock, memory, writes, make: () => marksOf(memory, { clock, maxAgeMs: DAY_MS }) };
}

test('a direct message of long ago: its channel is still asked, for what is not too old', async () => {
  const { clock, make } = staged();
  const marks = make();
  await marks.load();
  marks.passed('1', snowflakeAt(clock.nowMs() - 9 * DAY_MS), true);
  marks.passed('2', snowflakeAt(clock.nowMs()), true);
  marks.passed('3', snowflakeAt(clock.nowMs()), false);
  expect(marks.directs()).toEqual(['2', '1']);
  expect(clock.nowMs() - instantOf(marks.after('1'))).toBe(DAY_MS);
});

test('not too many of them, those heard of last first', async () => {
  const { clock, make } = staged();
  const marks = make();
  for (let index = 1; index <= 300; index += 1) marks.passed(`${index}`, snowflakeAt(clock.nowMs()), true);
  expect(marks.directs()).toHaveLength(100);
  expect(marks.directs()[0]).toBe('300');
});

test('somebody writes for the first time and the process dies: the next one asks for it', async () => {
  const { clock, make } = staged();
  const message = snowflakeAt(clock.nowMs());
  const marks = make();
  await marks.load();
  marks.opened('1', message);
  marks.began('work', message);
  await marks.flush();
  const next = make();
  await next.load();
  expect(next.directs()).toEqual(['1']);
  expect(BigInt(next.after('1'))).toBe(BigInt(message) - 1n);
});

test('while nothing is said only the sign of life is written, once a minute and at the end', async () => {
  const { clock, writes, make } = staged();
  const marks = make();
  await marks.load();
  marks.passed('1', snowflakeAt(clock.nowMs()), true);
  writes.splice(0);
  const beat = async (): Promise<void> => {
    clock.skip(2_000);
    marks.breathe();
    await marks.flush();
  };
  for (let index = 0; index < 60; index += 1) await beat();
  expect(writes).toEqual(['marks', 'alive', 'alive']);
  clock.skip(2_000);
  marks.breathe();
  await marks.flush(true);
  expect(writes.at(-1)).toBe('alive');
  const next = make();
  await next.load();
  expect(next.after('9')).toBe(snowflakeAt(clock.nowMs() - 120_000));
});

test('what could not be written is written the next time', async () => {
  const { clock, memory, writes, make } = staged();
  const marks = make();
  const { set } = memory;
  memory.set = () => Promise.reject(new Error('full'));
  marks.passed('1', snowflakeAt(clock.nowMs()), true);
  await expect(marks.flush()).rejects.toThrow('full');
  memory.set = set;
  await marks.flush();
  expect(writes).toContain('marks');
});
