import {
  AppError,
  costUsdMicros,
  type EffectiveSettings,
  type LedgerEntry,
  type ModelRoute,
  moveRun,
  plausibleUsage,
  principalKey,
  type StoreTx,
  type Usage,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { auditOf, currentRun } from './finish.ts';
import type { RunPlace } from './session.ts';

const DAY_MS = 24 * 60 * 60_000;

export interface Reservation {
  readonly entry: LedgerEntry;
  /** What was reserved; also the most that a provider's own figures can charge. */
  readonly bound: Usage;
}

/**
 * Reserves the tokens of one model call, in a commit before the call, so that calls at the same time cannot pass a cap together. The first
 * call of a run marks it as running in the same commit: a run that makes no call never ran.
 * @throws AppError task.run.conflict when the run is over or is to stop · ledger.budget.exhausted with the instant at which the oldest spending leaves the window
 */
export function reserve(
  deps: EngineDeps,
  place: RunPlace,
  route: ModelRoute,
  bound: Usage,
): Promise<Reservation> {
  const { run, context, task, settings } = place;
  const entry: LedgerEntry = {
    id: deps.ids.make('entry'),
    workspace: context.workspace,
    sender: principalKey(task.requester),
    run: run.id,
    route: route.name,
    state: 'reserved',
    tokens: bound.inputTokens + bound.outputTokens,
    costUsdMicros: costUsdMicros(route, bound),
    at: deps.clock.nowMs(),
  };
  const audit = {
    action: 'ledger.reserve',
    actor: entry.sender,
    subject: entry.id,
    workspace: context.workspace,
    context: context.id,
    data: { run: run.id, route: route.name, tokens: entry.tokens },
  };
  return deps.store.commit(audit, async (tx) => {
    await markRunning(deps, tx, place);
    await assertWithin(tx, settings, entry);
    await tx.insert('ledger_entry', entry);
    return { entry, bound };
  });
}

async function markRunning(deps: EngineDeps, tx: StoreTx, place: RunPlace): Promise<void> {
  const current = await currentRun(tx, place.run);
  const state = moveRun(current, 'start');
  if (current.state === state) return;
  await tx.update('run', { id: current.id, state: current.state }, { state, startedAt: deps.clock.nowMs() });
  tx.audit(auditOf(place, 'run.start', { attempt: current.attempt, door: place.task.door }));
}

/** Writes what a call really cost; unknown or absurd figures cost what was reserved. */
export async function settle(
  tx: StoreTx,
  route: ModelRoute,
  reservation: Reservation,
  reported: Usage | undefined,
): Promise<Usage> {
  const usage = plausibleUsage(reported, reservation.bound);
  await tx.update(
    'ledger_entry',
    { id: reservation.entry.id, state: 'reserved' },
    {
      state: 'settled',
      tokens: usage.inputTokens + usage.outputTokens,
      costUsdMicros: costUsdMicros(route, usage),
    },
  );
  return usage;
}

/** Gives a reservation back whose call was never made. */
export async function release(tx: StoreTx, reservation: Reservation): Promise<void> {
  const { id } = reservation.entry;
  await tx.update('ledger_entry', { id, state: 'reserved' }, { state: 'released' });
}

/** May this still be spent today? @throws AppError ledger.budget.exhausted */
export async function assertWithin(
  tx: StoreTx,
  settings: EffectiveSettings,
  entry: LedgerEntry,
): Promise<void> {
  const sinceMs = entry.at - DAY_MS;
  const { tokensPerDay, tokensPerSenderPerDay } = settings.budget;
  if (tokensPerDay !== undefined) {
    const spent = await tx.tokensSpent({ workspace: entry.workspace, sinceMs });
    if (spent + entry.tokens > tokensPerDay)
      throw await spentUp(tx, entry, { workspace: entry.workspace }, 'This workspace’s');
  }
  if (tokensPerSenderPerDay !== undefined) {
    const spent = await tx.tokensSpent({ sender: entry.sender, sinceMs });
    if (spent + entry.tokens > tokensPerSenderPerDay)
      throw await spentUp(tx, entry, { sender: entry.sender }, 'Your');
  }
}

async function spentUp(
  tx: StoreTx,
  entry: LedgerEntry,
  whose: { readonly workspace: LedgerEntry['workspace'] } | { readonly sender: string },
  who: string,
): Promise<AppError> {
  const [oldest] = await tx.find(
    'ledger_entry',
    { ...whose, at: { gt: entry.at - DAY_MS } },
    { orderBy: 'at', limit: 1 },
  );
  const retryAfterMs = Math.max(60_000, (oldest?.at ?? entry.at) + DAY_MS - entry.at);
  return new AppError({
    code: 'ledger.budget.exhausted',
    kind: 'exhausted',
    message: `${who} model budget for a day is spent. It frees up again in ${Math.ceil(retryAfterMs / 60_000)} min; an admin can raise it (\`workspace set\`).`,
    retryAfterMs,
  });
}
