import type { RouteSpend, Status, WorkspaceId } from '@agent-runtime/domain';
import type { AdminDeps } from './deps.ts';

/** What of the ledger is for the asker. */
export interface SpentHere {
  readonly workspaces: readonly WorkspaceId[];
  /** Only the runs of these contexts; undefined: everything in the workspaces. */
  readonly contexts: ReadonlySet<string> | undefined;
  readonly sinceMs: number;
}

type Spent = Pick<Status, 'tokens_today' | 'cost_today_usd_micros' | 'spent_today'>;

/** Tokens and money, in all and by model. Money only where some model has a price, for a sum of nothing would say that it is free. */
export async function spentIn(deps: AdminDeps, here: SpentHere): Promise<Spent> {
  const { contexts } = here;
  const parts =
    contexts === undefined ? await ofWorkspaces(deps, here) : await ofContexts(deps, here, contexts);
  const byRoute = new Map<string, RouteSpend>();
  for (const part of parts) {
    const before = byRoute.get(part.route);
    byRoute.set(part.route, {
      route: part.route,
      tokens: part.tokens + (before?.tokens ?? 0),
      costUsdMicros: part.costUsdMicros + (before?.costUsdMicros ?? 0),
    });
  }
  const rows = [...byRoute.values()].toSorted((a, b) => b.tokens - a.tokens);
  const priced = new Set(
    deps.routes
      .filter((route) => route.inputUsdMicrosPerMTok + route.outputUsdMicrosPerMTok > 0)
      .map((route) => route.name),
  );
  // A price that was taken out of the settings during the day leaves what was booked with it.
  const isPriced = (row: RouteSpend): boolean => priced.has(row.route) || row.costUsdMicros > 0;
  return {
    tokens_today: rows.reduce((sum, row) => sum + row.tokens, 0),
    cost_today_usd_micros:
      priced.size === 0 && !rows.some(isPriced)
        ? undefined
        : rows.reduce((sum, row) => sum + row.costUsdMicros, 0),
    spent_today: rows.map((row) => ({
      model: row.route,
      tokens: row.tokens,
      cost_usd_micros: isPriced(row) ? row.costUsdMicros : undefined,
    })),
  };
}

async function ofWorkspaces(
  deps: AdminDeps,
  { workspaces, sinceMs }: SpentHere,
): Promise<readonly RouteSpend[]> {
  const parts: RouteSpend[] = [];
  for (const workspace of workspaces)
    parts.push(...(await deps.store.read.spentByRoute({ workspace, sinceMs })));
  return parts;
}

/** A ledger entry names its run, and the run its context. */
async function ofContexts(
  deps: AdminDeps,
  { sinceMs }: SpentHere,
  contexts: ReadonlySet<string>,
): Promise<readonly RouteSpend[]> {
  const { read } = deps.store;
  const entries = await read.find('ledger_entry', {
    at: { gte: sinceMs },
    state: { in: ['reserved', 'settled'] },
  });
  const contextOf = new Map<string, string | undefined>();
  const parts: RouteSpend[] = [];
  for (const entry of entries) {
    const { run } = entry;
    if (run === undefined) continue;
    if (!contextOf.has(run)) contextOf.set(run, (await read.get('run', { id: run }))?.context);
    if (contexts.has(contextOf.get(run) ?? '')) parts.push(entry);
  }
  return parts;
}
