import { describe, expect, test } from 'vitest';
import { manualClock, until } from './clock.ts';

describe('manualClock', () => {
  test('ends due sleeps in the order of their due times, each at its own instant', async () => {
    const clock = manualClock(1_000);
    const ended: [string, number][] = [];
    const sleep = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      ended.push([name, clock.nowMs()]);
    };
    void sleep('late', 30);
    void sleep('early', 10);
    void sleep('never', 31);
    await clock.advance(30);
    expect(ended).toEqual([
      ['early', 1_010],
      ['late', 1_030],
    ]);
    expect(clock.sleeping).toBe(1);
    expect(clock.nextDueInMs).toBe(1);
  });

  test('a sleep that a woken one begins also ends, when it is due on the way', async () => {
    const clock = manualClock(0);
    let ticks = 0;
    void (async () => {
      while (true) {
        await clock.sleep(10);
        ticks += 1;
      }
    })();
    await clock.advance(55);
    expect(ticks).toBe(5);
    expect(clock.nowMs()).toBe(55);
  });

  test('an abort ends a sleep at once and leaves nothing behind', async () => {
    const clock = manualClock();
    const control = new AbortController();
    const sleep = clock.sleep(1_000, control.signal);
    control.abort();
    await sleep;
    expect(clock.sleeping).toBe(0);
    await clock.sleep(1_000, control.signal);
  });

  test('a jump of the wall moves no sleep and no duration', async () => {
    const clock = manualClock(5_000);
    let isOver = false;
    void clock.sleep(10).then(() => {
      isOver = true;
    });
    clock.jumpWall(-4_000);
    await clock.settle();
    expect([clock.nowMs(), clock.monotonicMs(), isOver]).toEqual([1_000, 0, false]);
    await clock.advance(10);
    expect([clock.nowMs(), isOver]).toEqual([1_010, true]);
  });
});

test('until names what did not happen', async () => {
  await expect(until(() => false, 'a miracle', 5)).rejects.toThrow('a miracle');
  await until(() => true, 'nothing');
});
