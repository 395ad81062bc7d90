import {
  AppError,
  type Approval,
  type AuditReader,
  canonicalJson,
  type Digest,
  personOf,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import type { AdminDeps } from './deps.ts';

/** An answer as it came over the wire. */
export interface SignedVote {
  readonly id: string;
  readonly digest: Digest;
  readonly audit_head: string;
  readonly key_id: string;
  readonly signature: string;
  readonly reason?: string | undefined;
}

/**
 * Checks that the person's own key signed this answer about exactly this question, and that the point of the log they saw is one
 * of ours. The statement is built again from our own rows; nothing of it is taken from the sender but what is compared.
 * @returns the actor with the statement as proof, for the vote and the log
 * @throws AppError approval.key.denied · approval.digest.conflict · approval.head.conflict · signature.decision.unauthenticated
 */
export async function provedVote(
  deps: Pick<AdminDeps, 'store' | 'audit' | 'keys'>,
  input: {
    readonly actor: Actor;
    readonly approval: Approval;
    readonly decision: 'grant' | 'deny' | 'release';
    readonly vote: SignedVote;
  },
): Promise<Actor> {
  const { actor, approval, decision, vote } = input;
  const key = await deps.store.read.get('identity_key', { id: vote.key_id });
  if (key === undefined || key.revokedAt !== undefined || key.user !== personOf(actor.principal))
    throw foreignKey();
  if (vote.digest !== approval.digest) throw otherBytes(approval);
  await requireKnownHead(deps.audit, vote.audit_head);
  const signed = canonicalJson({
    approval: approval.id,
    effect: approval.effect,
    digest: approval.digest,
    decision,
    expiry: approval.expiresAt,
    auditHead: vote.audit_head,
  });
  deps.keys.verifyDecision({ publicKeyPem: key.publicKeyPem, canonical: signed, signature: vote.signature });
  return { ...actor, proof: { keyId: key.id, signature: vote.signature, signed } };
}

/** A head is known when that record stands in our log: an answer prepared against another history does not count here. */
async function requireKnownHead(audit: AuditReader, text: string): Promise<void> {
  const match = /^(\d{1,12}):(sha256:[0-9a-f]{64})$/.exec(text);
  const seq = Number(match?.[1]);
  if (match !== null) {
    const [event] = await audit.tail(1, { beforeSeq: seq + 1 });
    if (event !== undefined && event.seq === seq && event.hash === match[2]) return;
  }
  throw new AppError({
    code: 'approval.head.conflict',
    kind: 'conflict',
    message:
      'The log has another history than the one you saw. Look at the question again before you decide.',
  });
}

function foreignKey(): AppError {
  return new AppError({
    code: 'approval.key.denied',
    kind: 'denied',
    message: 'An answer counts only with a valid key of the person who gives it.',
  });
}

function otherBytes(approval: Approval): AppError {
  return new AppError({
    code: 'approval.digest.conflict',
    kind: 'conflict',
    message: `${approval.id} is about other bytes than the ones you saw. Look at it again before you decide.`,
  });
}
