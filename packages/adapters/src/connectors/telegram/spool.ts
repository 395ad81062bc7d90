import type { Clock, ConnectorMemory, Logger } from '@agent-runtime/domain';
import { FIRST_WAIT_MS, isOverWithin, nextWaitMs } from './patience.ts';

/**
 * Updates that wait, on the disk, so that they may be confirmed to Telegram. Written only when something waits; what was accepted since
 * stays in it until nothing waits, and is then a repeat at most.
 */
export interface Spool {
  /** Hands over what an earlier process left, before it can be written over; asked for until there is an answer. */
  load(use: (updates: readonly unknown[]) => void, signal: AbortSignal): Promise<void>;
  /** In the place of what was kept before. @returns false when it is not on the disk, or not soon */
  keep(updates: readonly unknown[]): Promise<boolean>;
  clear(): void;
  settled(): Promise<void>;
}

export interface SpoolParts {
  readonly memory: ConnectorMemory;
  readonly clock: Clock;
  readonly log: Logger;
}

const KEY = 'spool';
/** A disk that hangs must not keep anybody from asking on. */
const PATIENCE_MS = 200;

export function makeSpool({ memory, clock, log }: SpoolParts): Spool {
  // Unknown before it was read: until then it may neither be written over nor be taken away.
  let content: 'unknown' | 'none' | 'some' = 'unknown';
  let writing: Promise<boolean> | undefined;
  const write = (work: () => Promise<void>, after: 'none' | 'some'): Promise<boolean> => {
    const done = work().then(
      () => {
        content = after;
        return true;
      },
      () => {
        content = 'some';
        log.warn({}, 'What waits could not be written down.');
        return false;
      },
    );
    writing = done.finally(() => {
      writing = undefined;
    });
    return writing;
  };
  return {
    load: async (use, signal) => {
      for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = nextWaitMs(waitMs)) {
        const found = await memory.get(KEY).then(
          (value) => ({ value }),
          () => undefined,
        );
        if (found === undefined) {
          await clock.sleep(waitMs, signal);
          continue;
        }
        use(listOf(found.value, log));
        content = found.value === undefined ? 'none' : 'some';
        return;
      }
    },
    keep: async (updates) => {
      if (content === 'unknown' || writing !== undefined) return false;
      const done = write(() => memory.set(KEY, JSON.stringify(updates)), 'some');
      return (await isOverWithin(clock, done, PATIENCE_MS)) && (await done);
    },
    clear: () => {
      if (content === 'some' && writing === undefined) void write(() => memory.remove(KEY), 'none');
    },
    settled: async () => void (await writing),
  };
}

function listOf(value: string | undefined, log: Logger): readonly unknown[] {
  try {
    const list: unknown = value === undefined ? [] : JSON.parse(value);
    if (Array.isArray(list)) return list;
  } catch {
    // Told below.
  }
  log.error({}, 'What waited cannot be read, and was left out.');
  return [];
}
