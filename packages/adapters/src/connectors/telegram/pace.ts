import type { Clock } from '@agent-runtime/domain';
import { deliveryError } from '../errors.ts';

/** What a call may cost: `chat` when it goes to one, else the name of its method. */
export type Scope = `chat ${number}` | `method ${string}`;

export interface Pace {
  /**
   * Waits for a turn.
   * @throws AppError connectors.delivery.exhausted while the server's own wait lasts, without asking it again · the same when there is no
   *   turn at once and `isPatient` is false · unavailable when the signal aborts meanwhile
   */
  admit(scope: Scope, how: { readonly isPatient: boolean; readonly signal: AbortSignal }): Promise<void>;
  /** The server asked to wait. */
  hold(scope: Scope, ms: number): void;
}

const WINDOW_MS = 1_000;

/**
 * Keeps to the limits of the server: at most so many calls a second over all, none before a wait is over. A 429 does not say whom it
 * means; when a second chat gets one while the first still waits, it is taken to mean everybody.
 */
export function makePace(clock: Clock, perSecond: number): Pace {
  const held = new Map<string, number>();
  let times: number[] = [];
  const leftMs = (scope: string): number => {
    const until = held.get(scope);
    if (until === undefined) return 0;
    const left = until - clock.monotonicMs();
    if (left <= 0) held.delete(scope);
    return Math.max(0, left);
  };
  const turnInMs = (): number => {
    const now = clock.monotonicMs();
    times = times.filter((at) => at > now - WINDOW_MS);
    const oldest = times.at(-perSecond);
    return oldest === undefined ? 0 : oldest + WINDOW_MS - now;
  };

  return {
    admit: async (scope, { isPatient, signal }) => {
      for (;;) {
        if (signal.aborted) throw deliveryError('unavailable', 'Stopped before anything was sent.');
        const heldMs = Math.max(leftMs(ALL), leftMs(scope));
        if (heldMs > 0) throw deliveryError('exhausted', undefined, heldMs);
        const waitMs = turnInMs();
        if (waitMs <= 0) break;
        if (!isPatient) throw deliveryError('exhausted', undefined, waitMs);
        await clock.sleep(waitMs, signal);
      }
      if (Number.isFinite(perSecond)) times.push(clock.monotonicMs());
    },
    hold: (scope, ms) => {
      const isChat = scope.startsWith('chat ');
      const others = [...held.keys()].filter(
        (key) => key.startsWith('chat ') && key !== scope && leftMs(key) > 0,
      );
      const until = clock.monotonicMs() + ms;
      held.set(scope, until);
      if (isChat && others.length > 0) held.set(ALL, Math.max(until, held.get(ALL) ?? 0));
    },
  };
}

const ALL = 'all';
