import type { AuditDraft, Store } from '@agent-runtime/domain';
import type { RollbackFinding } from '../audit/index.ts';

/** Closes the gate in one transaction with the record of why. Only a signed request opens it again. */
export async function closeGate(
  store: Store,
  opened: AuditDraft,
  finding: RollbackFinding,
  nowMs: number,
): Promise<void> {
  const state = { isClosed: true, reason: finding.text, at: nowMs };
  const found: AuditDraft = {
    action: 'audit.rollback',
    actor: 'appliance',
    subject: 'audit',
    data: { kind: finding.kind, expectedSeq: finding.expectedSeq, foundSeq: finding.foundSeq },
  };
  const closed: AuditDraft = {
    action: 'gate.close',
    actor: 'appliance',
    subject: 'gate',
    data: { reason: finding.text },
  };
  await store.commit([opened, found, closed], async (tx) => {
    const changed = await tx.update('gate_state', { id: 'gate' }, state);
    if (changed === 0) await tx.insert('gate_state', { id: 'gate', ...state });
  });
}
