import {
  AppError,
  type Approval,
  type ApprovalId,
  assertIntact,
  canonicalJson,
  castVote,
  close,
  ctxTag,
  type Decision,
  type Digest,
  decide,
  type Effect,
  INTEGRITY,
  makeLabel,
  moveEffect,
  type PolicyRequest,
  personOf,
  principalKey,
  type StoreReader,
  type StoreTx,
  type UserId,
  type Vote,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import { writeOutcome } from '../notify/outcome.ts';
import { requireLiveKey } from '../signed-facts.ts';
import { updateCards } from './cards.ts';
import { loadQuestion, moved, mustPermit, type Question, refused, viaOf } from './question.ts';

/** One person's answer on its way in. */
interface Answer {
  readonly id: ApprovalId;
  readonly decision: Vote['decision'];
  /** What the person saw; a denial without one is about whatever it is now. */
  readonly digest?: Digest | undefined;
  readonly reason?: string | undefined;
  readonly actor: Actor;
}

const VERB = { grant: 'approval.grant', deny: 'approval.deny', release: 'approval.release' } as const;
const DAY_MS = 24 * 3_600_000;

/**
 * Says yes to exactly the bytes of `digest`.
 * @returns the approval, `granted` once enough people agreed
 * @throws AppError approval.id.missing · approval.decision.denied · approval.digest.conflict · approval.state.conflict ·
 *   approval.vote.conflict · approval.release.denied · approval.proof.denied · effect.digest.conflict (the stored bytes were changed)
 */
export function approve(deps: EngineDeps, id: ApprovalId, digest: Digest, actor: Actor): Promise<Approval> {
  return answer(deps, { id, decision: 'grant', digest, actor });
}

/** Says no; the task may not ask for this kind again. An approved effect that has not left yet is stopped too. */
export function deny(deps: EngineDeps, id: ApprovalId, reason: string, actor: Actor): Promise<Approval> {
  return answer(deps, { id, decision: 'deny', reason: reason.slice(0, 500), actor });
}

/** Frees one's own private text in exactly these bytes; it is no approval yet. */
export function release(deps: EngineDeps, id: ApprovalId, digest: Digest, actor: Actor): Promise<Approval> {
  return answer(deps, { id, decision: 'release', digest, actor });
}

async function answer(deps: EngineDeps, given: Answer): Promise<Approval> {
  const via = viaOf(given.actor);
  const seen = await loadQuestion(deps, deps.store.read, given.id);
  const request = await requestOf(deps.store.read, seen, given);
  await mustPermit(deps, request, seen, given.actor);
  checkProof(seen, given);
  const person = personOf(given.actor.principal);
  if (person === undefined) throw refused({ kind: 'deny', reasons: [], obligations: [] });
  const vote = voteOf(seen, given, { person, via, at: deps.clock.nowMs() });
  return deps.store.commit(auditOf(seen, given, vote), async (tx) => {
    // Read, decide and write again inside the transaction: two racing answers meet here one after the other.
    await requireLiveKey(tx, given.actor);
    const fresh = await loadQuestion(deps, tx, given.id);
    const decision: Decision = decide(await requestOf(tx, fresh, given), fresh.rules);
    if (decision.kind !== 'permit') throw refused(decision);
    return write(deps, tx, fresh, vote);
  });
}

async function requestOf(reader: StoreReader, question: Question, given: Answer): Promise<PolicyRequest> {
  const person = personOf(given.actor.principal);
  return {
    action: VERB[given.decision],
    principal: given.actor.principal,
    approval: question.approval,
    effectClass: question.effect.class,
    via: viaOf(given.actor),
    chatGrantsToday:
      person === undefined ? 0 : await chatGrantsSince(reader, person, question.rules.nowMs - DAY_MS),
  };
}

/** Approvals given by chat since an instant. An answer is always older than its question's end, so older questions need no look. */
async function chatGrantsSince(reader: StoreReader, person: UserId, sinceMs: number): Promise<number> {
  const questions = await reader.find('approval', { expiresAt: { gt: sinceMs } });
  return questions
    .flatMap((question) => question.votes)
    .filter((vote) => vote.person === person && vote.decision === 'grant' && vote.via === 'chat')
    .filter((vote) => vote.at > sinceMs).length;
}

function voteOf(
  question: Question,
  given: Answer,
  known: { readonly person: UserId; readonly via: Vote['via']; readonly at: number },
): Vote {
  return {
    ...known,
    decision: given.decision,
    digest: given.digest ?? question.approval.digest,
    reason: given.reason,
    ...given.actor.proof,
  };
}

async function write(deps: EngineDeps, tx: StoreTx, question: Question, vote: Vote): Promise<Approval> {
  const { approval, effect } = question;
  // A yes to a digest says nothing of other bytes that stand under it now; a no is welcome to whatever is there.
  if (vote.decision !== 'deny') assertIntact(effect);
  const next = isLateDenial(question, vote) ? lateDenial(approval, vote) : castVote(approval, vote);
  const changed = await tx.update(
    'approval',
    { id: approval.id, state: approval.state },
    { state: next.state, votes: next.votes, decidedAt: next.decidedAt },
  );
  if (changed !== 1) throw moved(approval.id);
  if (vote.decision === 'deny') await moveTo(tx, effect, 'deny', vote.at);
  else if (next.state === 'granted') await moveTo(tx, effect, 'approve', vote.at);
  if (vote.decision === 'deny') {
    const why = vote.reason === undefined || vote.reason === '' ? '' : ` Reason: ${vote.reason}`;
    await writeOutcome(deps, tx, {
      effect: { ...effect, state: 'denied' },
      text: `${effect.id} was denied and will not happen.${why}`,
      // A person's free words are a member's at most, whoever it is, and belong to the place of the question.
      words: makeLabel(INTEGRITY.member, [ctxTag(effect.workspace, effect.context)]),
    });
  } else if (next.state === 'granted') await updateCards(deps, tx, approval.id);
  return next;
}

function isLateDenial(question: Question, vote: Vote): boolean {
  return (
    vote.decision === 'deny' && question.approval.state === 'granted' && question.effect.state === 'approved'
  );
}

/** A no after the yes, before anything left: the yes is void. */
function lateDenial(approval: Approval, vote: Vote): Approval {
  return { ...close(approval, 'void', vote.at), votes: [...approval.votes, vote] };
}

async function moveTo(tx: StoreTx, effect: Effect, event: 'approve' | 'deny', at: number): Promise<void> {
  const state = moveEffect(effect, event);
  const patch = event === 'deny' ? { state, settledAt: at } : { state, notBefore: 0 };
  const changed = await tx.update('effect', { id: effect.id, state: effect.state }, patch);
  if (changed !== 1) throw moved(effect.id);
}

/** What the person's key signed must be this answer to this question, or it proves nothing later. The runtime verified the signature itself. */
function checkProof(question: Question, given: Answer): void {
  const { proof } = given.actor;
  if (proof === undefined) return;
  const { approval } = question;
  const statement = canonicalJson({
    approval: approval.id,
    effect: approval.effect,
    digest: given.digest ?? approval.digest,
    decision: given.decision,
    expiry: approval.expiresAt,
    auditHead: auditHeadOf(proof.signed),
  });
  if (statement === proof.signed) return;
  throw new AppError({
    code: 'approval.proof.denied',
    kind: 'denied',
    message: `What was signed is not this answer to ${approval.id}. Look at it again and sign anew.`,
  });
}

/** The one member that the signer chose: which point of the log they saw. */
function auditHeadOf(text: string): string {
  try {
    // safe: whatever was signed, only this member is looked at.
    const { auditHead } = Object(JSON.parse(text)) as { readonly auditHead?: unknown };
    return typeof auditHead === 'string' ? auditHead : '';
  } catch {
    return '';
  }
}

function auditOf(question: Question, given: Answer, vote: Vote) {
  const { approval, effect } = question;
  return {
    action: VERB[given.decision],
    actor: principalKey(given.actor.principal),
    subject: approval.id,
    workspace: approval.workspace,
    context: approval.context,
    data: {
      effect: effect.id,
      digest: vote.digest,
      via: vote.via,
      tier: approval.tier,
      needed: approval.needed,
      keyId: vote.keyId,
      signature: vote.signature,
      signed: vote.signed,
      reason: vote.reason,
    },
  };
}
