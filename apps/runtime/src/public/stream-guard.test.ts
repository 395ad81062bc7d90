import type { TokenId } from '@agent-runtime/domain';
import { manualClock } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { MAX_STREAMS_PER_TOKEN, streamGuard, whileGood } from './stream-guard.ts';

const a = 'tokn_a' as TokenId; // safe: only compared
const b = 'tokn_b' as TokenId; // safe: only compared
const good = async (): Promise<boolean> => true;

describe('open streams', () => {
  test('one whose token is good no more ends within a second, the others stay', async () => {
    const clock = manualClock();
    const guard = streamGuard(clock);
    let isGood = true;
    const first = guard.open(a, async () => isGood);
    const second = guard.open(b, good);
    await clock.advance(5_000);
    expect(first.signal.aborted).toBe(false);
    isGood = false;
    await clock.advance(999);
    expect(first.signal.aborted).toBe(true);
    expect(second.signal.aborted).toBe(false);
  });

  test('one that cannot be asked about ends as well', async () => {
    const clock = manualClock();
    const held = streamGuard(clock).open(a, async () => {
      throw new Error('the store is gone');
    });
    await clock.advance(1_000);
    expect(held.signal.aborted).toBe(true);
  });

  test('a token may have only so many; closing one makes room; others are not touched', () => {
    const guard = streamGuard(manualClock());
    const held = Array.from({ length: MAX_STREAMS_PER_TOKEN }, () => guard.open(a, good));
    expect(() => guard.open(a, good)).toThrow('at once');
    guard.open(b, good);
    held[0]?.release();
    guard.open(a, good);
  });

  test('closing ends all, and none opens any more', () => {
    const guard = streamGuard(manualClock());
    const held = guard.open(a, good);
    guard.close();
    expect(held.signal.aborted).toBe(true);
    expect(() => guard.open(a, good)).toThrow();
  });

  test('with nothing open nothing is looked at', async () => {
    const clock = manualClock();
    const guard = streamGuard(clock);
    guard.open(a, good).release();
    await clock.advance(1_000);
    expect(clock.sleeping).toBe(0);
    let looks = 0;
    guard.open(a, async () => {
      looks += 1;
      return true;
    });
    await clock.advance(1_000);
    expect(looks).toBeGreaterThan(1);
  });
});

test('no frame that is made after the token stopped being good is given out, and the source is closed', async () => {
  let isGood = true;
  let isClosed = false;
  const source = async function* (): AsyncGenerator<number, void> {
    try {
      yield 1;
      isGood = false;
      yield 2;
    } finally {
      isClosed = true;
    }
  };
  const got: number[] = [];
  for await (const frame of whileGood(source(), async () => isGood)) got.push(frame);
  expect(got).toEqual([1]);
  expect(isClosed).toBe(true);
  const failing = whileGood(source(), () => Promise.reject(new Error('who knows')));
  expect(await failing.next()).toMatchObject({ done: true });
});
