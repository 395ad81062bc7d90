import type { AuditDraft } from '@agent-runtime/domain';

/**
 * True for a record after which something approved may leave: its head is signed outside the database before the commit resolves, so that
 * no older copy of the database can be put back unnoticed and send it again. Answers (E0) need no approval and do not pay for it; a
 * record that does not say its class counts as approved.
 */
export function mustSignHead(draft: AuditDraft): boolean {
  return draft.action === 'effect.perform' && draft.data?.class !== 'E0';
}
