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

/** Usage figures come from outside: never negative, never absurd. An absurd report is replaced by the reservation's bound. */
export function plausibleUsage(reported: Usage | undefined, bound: Usage): Usage {
  const clamp = (value: number | undefined, max: number): number =>
    value === undefined || !Number.isFinite(value) || value < 0 || value > max * 4 + 1024
      ? max
      : Math.ceil(value);
  return {
    inputTokens: clamp(reported?.inputTokens, bound.inputTokens),
    outputTokens: clamp(reported?.outputTokens, bound.outputTokens),
    cachedTokens: Math.min(clamp(reported?.cachedTokens, 0), clamp(reported?.inputTokens, bound.inputTokens)),
  };
}
