import type { Clock } from '@agent-runtime/domain';
import { deliveryError } from '../errors.ts';
import { chatAllowance } from './allowance.ts';

/** What a call may cost: `chat` when it goes to one, else the name of its method. */
export type Scope = `chat ${number}` | `method ${string}`;

export interface Pace {
  /**
   * Waits for a turn.
   * @throws AppError connectors.delivery.exhausted while the server's own wait lasts, without asking it again · the same when the turn is
   *   further away than `PATIENCE_MS`, or not at once and it is no answer · unavailable when the signal aborts meanwhile
   */
  admit(scope: Scope, how: { readonly weight: Weight; readonly signal: AbortSignal }): Promise<void>;
  /** The server asked to wait. */
  hold(scope: Scope, ms: number): void;
}

/**
 * `answer`: a message that people wait for · `frame`: one of the frames of a live message, dropped when there is no turn · `sign`: no
 * message, dropped too · `other`: no message, and worth waiting for.
 */
export type Weight = 'answer' | 'frame' | 'sign' | 'other';

const WINDOW_MS = 1_000;
/** A turn that is further away is for the outbox to wait for. */
const PATIENCE_MS = 5_000;
/** Faster is only a server without limits. */
const UNLIMITED_PER_SECOND = 1_000;
const STORM_MS = 2_000;
const STORM_CHATS = 3;
const ALL = 'all';

/**
 * Keeps to the limits of the server: at most so many calls a second over all, so many messages in a chat, none before a wait is over. A
 * 429 does not say whom it means: its chat, unless it names none or three chats get one within two seconds.
 */
export function makePace(clock: Clock, perSecond: number): Pace {
  const held = new Map<string, number>();
  const chats = chatAllowance(clock);
  const isPaced = perSecond <= UNLIMITED_PER_SECOND;
  let times: number[] = [];
  let refusals: { readonly chat: string; readonly atMs: number }[] = [];
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
  const messageOf = (scope: Scope, weight: Weight) => {
    const isMessage = isPaced && scope.startsWith('chat ') && (weight === 'answer' || weight === 'frame');
    return isMessage ? { chat: Number(scope.slice('chat '.length)), isFrame: weight === 'frame' } : undefined;
  };
  const isStorm = (chat: string): boolean => {
    const atMs = clock.monotonicMs();
    refusals = [...refusals.filter((one) => one.atMs > atMs - STORM_MS && one.chat !== chat), { chat, atMs }];
    return refusals.length >= STORM_CHATS;
  };

  return {
    admit: async (scope, { weight, signal }) => {
      const message = messageOf(scope, weight);
      const isPatient = weight === 'answer' || weight === 'other';
      for (;;) {
        if (signal.aborted) throw deliveryError('unavailable', 'Stopped before anything was sent.');
        const heldMs = Math.max(leftMs(ALL), leftMs(scope));
        if (heldMs > 0) throw deliveryError('exhausted', undefined, heldMs);
        const waitMs = Math.max(turnInMs(), message === undefined ? 0 : chats.waitMs(message));
        if (waitMs <= 0) break;
        if (!isPatient || waitMs > PATIENCE_MS) throw deliveryError('exhausted', undefined, waitMs);
        await clock.sleep(waitMs, signal);
      }
      if (Number.isFinite(perSecond)) times.push(clock.monotonicMs());
      if (message !== undefined) chats.take(message);
    },
    hold: (scope, ms) => {
      const until = clock.monotonicMs() + ms;
      held.set(scope, Math.max(until, held.get(scope) ?? 0));
      if (!scope.startsWith('chat ') || isStorm(scope)) held.set(ALL, Math.max(until, held.get(ALL) ?? 0));
    },
  };
}
