import type { RouteSpend } from '@agent-runtime/domain';
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
  const { where, params } = conditionsOf(filter);
  const row = connection.get(
    `select coalesce(sum(tokens), 0) as tokens from ledger_entry where ${where}`,
    params,
  );
  return Number(row?.tokens ?? 0);
}

/** The same by route, with what it cost. */
export function sumByRoute(connection: Pick<Connection, 'all'>, filter: SpentFilter): readonly RouteSpend[] {
  const { where, params } = conditionsOf(filter);
  const rows = connection.all(
    `select route, sum(tokens) as tokens, sum(cost_usd_micros) as cost from ledger_entry where ${where} group by route order by route`,
    params,
  );
  return rows.map(({ route, tokens, cost }) => ({
    route: String(route),
    tokens: Number(tokens),
    costUsdMicros: Number(cost),
  }));
}

function conditionsOf(filter: SpentFilter): { readonly where: string; readonly params: SqlValue[] } {
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
  return { where: conditions.join(' and '), params };
}
