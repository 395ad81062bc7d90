import type { Clock } from '@agent-runtime/domain';
import type { Snowflake } from './wire.ts';

/** 2015-01-01, where the time in ids begins. */
const EPOCH_MS = 1_420_070_400_000;

/** Ids as the platform makes them: they sort by time, and never repeat even when the clock stands still or goes back. */
export function snowflakes(clock: Clock): () => Snowflake {
  let last = 0n;
  return () => {
    const now = BigInt(Math.floor(clock.nowMs()) - EPOCH_MS) << 22n;
    last = now > last ? now : last + 1n;
    return last.toString();
  };
}

/** Orders ids by time; they may differ in length. */
export function compareIds(left: Snowflake, right: Snowflake): number {
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}
