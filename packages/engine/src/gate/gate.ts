import { AppError, decide, principalKey, type StoreReader, type StoreTx } from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import { policyRules } from '../effect/rules.ts';
import { type Voided, voidUnfinished } from '../panic/void.ts';
import { requireLiveKey, signedFacts } from '../signed-facts.ts';

/** Closed after a restore or rollback, until a signed request opens it. */
export async function isGateClosed(reader: StoreReader): Promise<boolean> {
  return (await reader.get('gate_state', { id: 'gate' }))?.isClosed ?? false;
}

/** Closes the gate and ends what the restored data believes to be unfinished. */
export function closeGate(deps: EngineDeps, reason: string): Promise<Voided> {
  return deps.store.commit(
    { action: 'gate.close', actor: 'appliance', subject: 'gate', data: { reason } },
    async (tx) => {
      await setGate(tx, { isClosed: true, reason, at: deps.clock.nowMs() });
      return endRestored(deps, tx, 'appliance');
    },
  );
}

/** At start behind a closed gate: unused approvals are void, unfinished effects uncertain. Does nothing when the gate is open. */
export async function settleGate(deps: EngineDeps): Promise<Voided | undefined> {
  if (!(await isGateClosed(deps.store.read))) return undefined;
  const open = await deps.store.read.count('effect', {
    state: { in: ['proposed', 'approved', 'performing'] },
  });
  if (open === 0) return { ended: 0, uncertain: [] };
  return deps.store.commit({ action: 'gate.settle', actor: 'appliance', subject: 'gate' }, (tx) =>
    endRestored(deps, tx, 'appliance'),
  );
}

/**
 * Opens the gate after a person has reviewed the restore. Nothing from before is sent.
 * @throws AppError gate.open.denied
 */
export async function openGate(deps: EngineDeps, actor: Actor): Promise<Voided> {
  const rules = await policyRules(deps, deps.store.read, undefined);
  const { principal, via } = actor;
  const decision = decide(
    { action: 'admin', verb: 'gate.open', principal, via, target: { kind: 'all' } },
    rules,
  );
  if (decision.kind !== 'permit') {
    throw new AppError({
      code: 'gate.open.denied',
      kind: 'denied',
      message: decision.reasons.map((reason) => reason.text).join(' '),
    });
  }
  const by = principalKey(principal);
  return deps.store.commit(
    { action: 'gate.open', actor: by, subject: 'gate', data: signedFacts(actor) },
    async (tx) => {
      await requireLiveKey(tx, actor);
      if (!(await isGateClosed(tx))) return { ended: 0, uncertain: [] };
      const voided = await endRestored(deps, tx, by);
      await setGate(tx, { isClosed: false, reason: '', at: deps.clock.nowMs() });
      return voided;
    },
  );
}

/** What a backup calls approved may have left after the backup was made; only a person can know. */
function endRestored(deps: EngineDeps, tx: StoreTx, actor: string): Promise<Voided> {
  return voidUnfinished(tx, {
    nowMs: deps.clock.nowMs(),
    actor,
    why: 'The data was restored.',
    isMeant: () => true,
    isApprovedDoubtful: true,
  });
}

async function setGate(
  tx: StoreTx,
  state: { readonly isClosed: boolean; readonly reason: string; readonly at: number },
): Promise<void> {
  const changed = await tx.update('gate_state', { id: 'gate' }, state);
  if (changed === 0) await tx.insert('gate_state', { id: 'gate', ...state });
}
