import {
  askResult,
  type Clock,
  isFinalRun,
  type LiveFeed,
  type RunEventWire,
  type RunId,
  type StoreReader,
  textEventBetween,
} from '@agent-runtime/domain';
import type { LiveTexts } from './live-text.ts';
import { runFacts, type StepFact } from './run-facts.ts';

/** What a stream looks at. */
export interface RunStreamDeps {
  readonly read: StoreReader;
  /** Journalled steps of a run, oldest first. */
  readonly steps: (run: RunId) => Promise<readonly StepFact[]>;
  readonly live: LiveFeed;
  readonly texts: LiveTexts;
  readonly clock: Clock;
}

export interface RunStreamOptions {
  /** The last number that the receiver has; 0: everything. */
  readonly after: number;
  /** A heartbeat is sent when nothing else was for this long, ms. */
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

export type StreamFrame =
  | { readonly kind: 'event'; readonly id?: number | undefined; readonly event: RunEventWire }
  | { readonly kind: 'heartbeat' };

/**
 * Follows a run: first the journalled facts after `after`, then a snapshot of the answer, then what is new, then one `end`.
 * The feed only says that it is time to look; what is told comes from the store, so nothing is lost between looking and listening.
 * @returns frames until the run ends or the signal aborts; nothing for a run that does not exist
 */
export async function* runStream(
  deps: RunStreamDeps,
  id: RunId,
  options: RunStreamOptions,
): AsyncGenerator<StreamFrame, void> {
  const bell = makeBell(deps.clock);
  const leave = deps.live.subscribe(id, bell.ring);
  options.signal.addEventListener('abort', bell.ring, { once: true });
  let sent = options.after;
  let answer = '';
  try {
    while (!options.signal.aborted) {
      bell.reset();
      const run = await deps.read.get('run', { id });
      if (run === undefined) return;
      for (const { id: number, event } of runFacts(run, await deps.steps(id))) {
        if (number <= sent) continue;
        sent = number;
        yield { kind: 'event', id: number, event };
      }
      const isOver = isFinalRun(run.state);
      // Nothing in the making is no reason to take back what was shown; the end will say what counts.
      const now = isOver ? (run.output ?? '') : deps.texts.textOf(id) || answer;
      const change = textEventBetween(answer, now);
      answer = now;
      if (change !== undefined) yield { kind: 'event', event: { type: 'text', run_id: id, ...change } };
      if (isOver) return yield { kind: 'event', event: { type: 'end', run: askResult(run) } };
      if (!(await bell.rang(options.heartbeatMs))) yield { kind: 'heartbeat' };
    }
  } finally {
    leave();
    options.signal.removeEventListener('abort', bell.ring);
    bell.ring();
  }
}

interface Bell {
  ring(): void;
  reset(): void;
  /** @returns false when `ms` went by in silence */
  rang(ms: number): Promise<boolean>;
}

/** A ring before anyone listens is kept, so that no wake-up is lost between looking and waiting. */
function makeBell(clock: Clock): Bell {
  let isRung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      isRung = true;
      wake?.();
    },
    reset: () => {
      isRung = false;
    },
    rang: async (ms) => {
      if (isRung) return true;
      const stop = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
        clock.sleep(ms, stop.signal),
      ]);
      wake = undefined;
      stop.abort('rung');
      return isRung;
    },
  };
}
