import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AuditDraft, Clock, Logger, Store } from '@agent-runtime/domain';
import type { CheckpointFile, RollbackFinding } from '../audit/index.ts';
import { releaseReservations } from '../ledger/index.ts';
import { syncFolder } from '../vault/index.ts';
import type { Kernel } from './kernel.ts';

/** First writes of an epoch: that it began, what it found, what a dead process left. */
export async function recordBoot(
  kernel: Kernel,
  input: { readonly clock: Clock; readonly log: Logger },
  { file, cursorFile }: { readonly file: CheckpointFile; readonly cursorFile: string },
  rollback: RollbackFinding | undefined,
): Promise<void> {
  const { store, log } = kernel;
  const opened = {
    action: 'boot.open',
    actor: 'appliance',
    subject: `epoch:${store.epoch}`,
    data: { epoch: store.epoch },
  };
  if (rollback === undefined) {
    await store.commit(opened, async () => undefined);
  } else {
    input.log.error({ room: 'boot', rollback: rollback.kind }, rollback.text);
    await closeGate(store, opened, rollback, input.clock.nowMs());
    // The heads of the other history are evidence, not this chain's past.
    file.setAside(`until-epoch-${store.epoch}`);
    setCursorAside(cursorFile, store.epoch);
  }
  // Before anything of this epoch can leave: whoever puts back a copy from before this start is noticed at the next one.
  await log.checkpoint();
  await releaseReservations(store);
}

/** The projector's cursor of the other history is evidence as well; left in place it would raise the same alarm at every start. */
function setCursorAside(path: string, epoch: number): void {
  if (!existsSync(path)) return;
  renameSync(path, path.replace(/\.json$/, `.until-epoch-${epoch}.json`));
  syncFolder(dirname(path));
}

/** Closes the gate in one transaction with the record of why. Only a signed request opens it again. */
async function closeGate(
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
