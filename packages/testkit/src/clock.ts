import type { Clock } from '@agent-runtime/domain';

/** A clock that moves only when a test says so. */
export interface ManualClock extends Clock {
  /**
   * Moves time forward. Sleeps that fall due on the way end in the order of their due times, each with its own `nowMs`,
   * and what they wake runs before the next one ends.
   * @param ms >= 0
   */
  advance(ms: number): Promise<void>;
  /** Moves only the wall time, forward or back, as an administrator or NTP would. Sleeps do not notice. */
  jumpWall(ms: number): void;
  /** Lets everything run that can run without time passing: promises, and a few rounds of the event loop. */
  settle(): Promise<void>;
  /** Sleeps that have not ended. */
  readonly sleeping: number;
  /** Time until the first sleep ends, ms; undefined when nothing sleeps. */
  readonly nextDueInMs: number | undefined;
}

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

/**
 * @param startMs wall time at which it begins, epoch ms; the monotonic time begins at 0
 * @param pause what `advance` waits for between two instants; for a caller who knows better when nothing moves any more
 */
export function manualClock(
  startMs = Date.UTC(2026, 10, 21, 9, 0, 0),
  pause: () => Promise<void> = settle,
): ManualClock {
  let monotonic = 0;
  let wallOffset = startMs;
  const sleepers = new Set<Sleeper>();
  const first = (): Sleeper | undefined => {
    let found: Sleeper | undefined;
    for (const sleeper of sleepers) if (found === undefined || sleeper.dueAt < found.dueAt) found = sleeper;
    return found;
  };

  return {
    nowMs: () => wallOffset + monotonic,
    monotonicMs: () => monotonic,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (ms <= 0 || signal?.aborted === true) return resolve();
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { dueAt: monotonic + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake);
      }),
    advance: async (ms) => {
      const target = monotonic + ms;
      await pause();
      for (let next = first(); next !== undefined && next.dueAt <= target; next = first()) {
        monotonic = Math.max(monotonic, next.dueAt);
        next.wake();
        await pause();
      }
      monotonic = target;
      await pause();
    },
    jumpWall: (ms) => {
      wallOffset += ms;
    },
    settle: pause,
    get sleeping() {
      return sleepers.size;
    },
    get nextDueInMs() {
      const next = first();
      return next === undefined ? undefined : Math.max(0, next.dueAt - monotonic);
    },
  };
}

const SETTLE_ROUNDS = 12;

/** A few rounds of the event loop: enough for chains of promises and short file operations, not for the network. */
export async function settle(): Promise<void> {
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Waits for something that real I/O brings about (a file, a socket, a child process).
 * @param what named in the error
 * @param limitMs real time, so that a broken test ends with a reason
 * @throws Error when it does not happen in time
 */
export async function until(
  isDone: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 5_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error(`Waited ${limitMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
