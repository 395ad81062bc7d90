import { AppError } from '../base/index.ts';
import type { Effect, EffectState } from './effect.ts';

/** What can happen to an effect. */
export type EffectEvent =
  | 'approve'
  | 'deny'
  | 'withdraw'
  | 'supersede'
  | 'expire'
  | 'claim'
  | 'succeed'
  | 'reject'
  | 'retry'
  | 'lose'
  | 'resolve_sent'
  | 'resolve_not_sent'
  | 'panic';

/**
 * The effect machine as a table; an absent entry is a refusal. `retry` is only for outcomes where nothing happened outside;
 * `lose` is for an outcome nobody knows. A performing effect that meets panic ends uncertain, never void: it may have left.
 */
const TABLE: Readonly<Record<EffectState, Partial<Record<EffectEvent, EffectState>>>> = {
  proposed: {
    approve: 'approved',
    deny: 'denied',
    withdraw: 'withdrawn',
    supersede: 'superseded',
    expire: 'expired',
    panic: 'void',
  },
  approved: {
    claim: 'performing',
    withdraw: 'withdrawn',
    deny: 'denied',
    supersede: 'superseded',
    expire: 'expired',
    panic: 'void',
  },
  performing: {
    succeed: 'done',
    reject: 'rejected',
    retry: 'approved',
    lose: 'uncertain',
    panic: 'uncertain',
  },
  uncertain: { resolve_sent: 'done', resolve_not_sent: 'rejected' },
  denied: {},
  withdrawn: {},
  superseded: {},
  expired: {},
  done: {},
  rejected: {},
  void: {},
};

export function isFinalEffect(state: EffectState): boolean {
  return Object.keys(TABLE[state]).length === 0;
}

/** Next state, or undefined when the machine refuses. */
export function nextEffectState(state: EffectState, event: EffectEvent): EffectState | undefined {
  // hasOwn: a word like `constructor` read from a row is not an event.
  const row = TABLE[state];
  return Object.hasOwn(row, event) ? row[event] : undefined;
}

/** @throws AppError effect.state.conflict */
export function moveEffect(effect: Pick<Effect, 'id' | 'state'>, event: EffectEvent): EffectState {
  const next = nextEffectState(effect.state, event);
  if (next !== undefined) return next;
  throw new AppError({
    code: 'effect.state.conflict',
    kind: 'conflict',
    message: `${effect.id} is ${effect.state}; it cannot ${event.replace('_', ' ')} any more.`,
  });
}
