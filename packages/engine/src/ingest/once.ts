import { AppError, type AuditDraft, type StoreTx } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';

/**
 * Writes something once per key. Two that come at the same time both see that nothing is there yet: the second one in the queue takes its
 * own record back.
 * @returns false when it was written before
 */
export async function writeOnce(
  deps: EngineDeps,
  key: string,
  audit: AuditDraft,
  also: (tx: StoreTx) => Promise<void> = async () => undefined,
): Promise<boolean> {
  if ((await deps.store.read.get('notify_notice', { key })) !== undefined) return false;
  try {
    await deps.store.commit(audit, async (tx) => {
      if ((await tx.get('notify_notice', { key })) !== undefined) throw overtaken();
      await tx.insert('notify_notice', { key, at: deps.clock.nowMs() });
      await also(tx);
    });
    return true;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === OVERTAKEN) return false;
    throw thrown;
  }
}

const OVERTAKEN = 'ingest.once.conflict';

/** Takes a commit back; nobody outside sees it. */
function overtaken(): AppError {
  return new AppError({ code: OVERTAKEN, kind: 'conflict', message: 'This was written before.' });
}
