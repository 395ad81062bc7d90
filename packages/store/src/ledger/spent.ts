import type { Connection } from '../database/index.ts';
import type { SqlValue } from '../tables/index.ts';

export interface SpentFilter {
  readonly workspace?: string | undefined;
  readonly sender?: string | undefined;
  /** Epoch ms, inclusive. */
  readonly sinceMs: number;
}

/** Reserved and settled tokens of the entries that fit. */
export function sumTokens(connection: Pick<Connection, 'get'>, filter: SpentFilter): number {
  const conditions = ['at >= ?', "state <> 'released'"];
  const params: SqlValue[] = [filter.sinceMs];
  if (filter.workspace !== undefined) {
    conditions.push('workspace = ?');
    params.push(filter.workspace);
  }
  if (filter.sender !== undefined) {
    conditions.push('sender = ?');
    params.push(filter.sender);
  }
  const row = connection.get(
    `select coalesce(sum(tokens), 0) as tokens from ledger_entry where ${conditions.join(' and ')}`,
    params,
  );
  return Number(row?.tokens ?? 0);
}
