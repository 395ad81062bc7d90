import { type ApprovalDetail, canonicalJson } from '@agent-runtime/domain';
import type { AdminClient } from './client.ts';

export type Decision = 'grant' | 'deny' | 'release';

/** What a person was shown when they decided. */
export type Shown = Pick<ApprovalDetail, 'id' | 'effect' | 'digest' | 'expiry' | 'audit_head'>;

/**
 * Signs exactly what was shown, at the point of the log where it was shown, and sends it. The command line and the screens answer
 * through this alone.
 * @throws AppError of kind conflict when the bytes are no longer those that were shown
 */
export async function answerApproval(
  client: AdminClient,
  shown: Shown,
  decision: Decision,
  reason = '',
): Promise<ApprovalDetail> {
  const statement = {
    approval: shown.id,
    effect: shown.effect,
    digest: shown.digest,
    decision,
    expiry: shown.expiry,
    auditHead: shown.audit_head,
  };
  const { keyId, signature } = await client.signDecision(canonicalJson(statement));
  return client.call(`approval.${decision}`, {
    id: shown.id,
    digest: shown.digest,
    audit_head: shown.audit_head,
    key_id: keyId,
    signature,
    ...(reason === '' ? {} : { reason }),
  });
}

/** What became of an answer, in words. `next` says where to look further. */
export function answerText(after: ApprovalDetail, decision: Decision, next: string): string {
  const granted = after.votes.filter((vote) => vote.decision === 'grant').length;
  if (decision === 'grant' && after.state === 'pending')
    return `Your approval of ${after.id} counts: ${granted} of ${after.needed}. It still waits for others.`;
  const done = { grant: 'approved', deny: 'denied', release: 'released' }[decision];
  return `You ${done} ${after.id}. It is ${after.state}. ${next}`;
}
