import type { Effect } from '@agent-runtime/domain';

/** No wait between two tries is longer, ms; a receiver that wants more is asked again then. */
export const LONGEST_WAIT_MS = 24 * 3_600_000;

/** An instant further ahead than any wait was written before the wall clock was set back: it holds up nothing. */
export function mustWait(effect: Pick<Effect, 'notBefore'>, nowMs: number): boolean {
  return effect.notBefore > nowMs && effect.notBefore <= nowMs + LONGEST_WAIT_MS;
}
