import { AppError, type ApprovalDetail, canonicalJson } from '@agent-runtime/domain';
import type { AdminClient } from './client.ts';
import { checkExtension, type ExtensionInput } from './witness.ts';
import type { WitnessStore } from './witness-store.ts';

export type Decision = 'grant' | 'deny' | 'release';

/** What a person was shown when they decided. */
export type Shown = Pick<ApprovalDetail, 'id' | 'effect' | 'digest' | 'expiry' | 'audit_head'>;

/** One answer on its way. */
export interface Answering {
  readonly client: Pick<AdminClient, 'call' | 'instanceId' | 'signDecision'>;
  /** What this machine remembers of the log; undefined only where nothing can be remembered. */
  readonly witnesses: WitnessStore | undefined;
  readonly shown: Shown;
  readonly decision: Decision;
  readonly reason?: string | undefined;
}

/**
 * Signs exactly what was shown, on the newest head of a log that goes on from what this machine has seen, and sends it. The command line
 * and the screens answer through this alone.
 * @throws AppError of kind conflict when the bytes are no longer those that were shown · tui.log.conflict (nothing was signed then)
 */
export async function answerApproval(answering: Answering): Promise<ApprovalDetail> {
  const { client, witnesses, shown, decision, reason = '' } = answering;
  const head = witnesses === undefined ? undefined : await checkExtension({ client, witnesses });
  const auditHead = head === undefined ? shown.audit_head : `${head.seq}:${head.hash}`;
  const statement = {
    approval: shown.id,
    effect: shown.effect,
    digest: shown.digest,
    decision,
    expiry: shown.expiry,
    auditHead,
  };
  const { keyId, signature } = await client.signDecision(canonicalJson(statement));
  const after = await client.call(`approval.${decision}`, {
    id: shown.id,
    digest: shown.digest,
    audit_head: auditHead,
    key_id: keyId,
    signature,
    ...(reason === '' ? {} : { reason }),
  });
  if (witnesses !== undefined) await witnessAnswer({ client, witnesses });
  return after;
}

/** This machine remembers a head that holds its own answer, or a log without it could be put back unseen. */
async function witnessAnswer(input: ExtensionInput): Promise<void> {
  try {
    await checkExtension(input);
  } catch (thrown) {
    // The answer counts all the same; the next command looks again.
    if (!(thrown instanceof AppError) || thrown.kind !== 'unavailable') throw thrown;
  }
}

/** What became of an answer, in words. `next` says where to look further. */
export function answerText(after: ApprovalDetail, decision: Decision, next: string): string {
  const granted = after.votes.filter((vote) => vote.decision === 'grant').length;
  if (decision === 'grant' && after.state === 'pending')
    return `Your approval of ${after.id} counts: ${granted} of ${after.needed}. It still waits for others.`;
  const done = { grant: 'approved', deny: 'denied', release: 'released' }[decision];
  return `You ${done} ${after.id}. It is ${after.state}. ${next}`;
}
