import type { RunId, WorkspaceId } from '../base/index.ts';
import type { Usage } from './message.ts';

/** One line of the ledger: reserved before a call, settled after it, released when the call never happened. */
export interface LedgerEntry {
  readonly id: string;
  readonly workspace: WorkspaceId;
  /** Principal key of who asked. */
  readonly sender: string;
  readonly run?: RunId | undefined;
  readonly route: string;
  readonly state: 'reserved' | 'settled' | 'released';
  /** Tokens counted against budgets: the reservation, later what was used. */
  readonly tokens: number;
  readonly costUsdMicros: number;
  readonly at: number;
}

/**
 * Usage figures come from outside: never negative, never absurd (above four times the bound). What is missing or absurd is replaced
 * by the bound, so that a budget is charged too much rather than too little; cached tokens are part of the input, or none.
 * @returns whole numbers >= 0
 */
export function plausibleUsage(reported: Usage | undefined, bound: Usage): Usage {
  const inputTokens = within(reported?.inputTokens, bound.inputTokens);
  const cached = reported?.cachedTokens ?? 0;
  return {
    inputTokens,
    outputTokens: within(reported?.outputTokens, bound.outputTokens),
    cachedTokens: cached >= 0 && cached <= inputTokens ? Math.floor(cached) : 0,
  };
}

function within(value: number | undefined, bound: number): number {
  const isPlausible = value !== undefined && value >= 0 && value <= bound * 4 + 1024;
  return Math.ceil(isPlausible ? value : bound);
}
