import {
  AppError,
  type Approval,
  type ApprovalId,
  type Connector,
  close,
  type Decision,
  decide,
  type Effect,
  type EffectBytes,
  effectDigest,
  moveEffect,
  principalKey,
  type StoreTx,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import { countsOf } from '../effect/change.ts';
import { EFFECT_KIND } from '../effect/kind.ts';
import { renderDraft } from '../effect/make.ts';
import { openApproval, type Proposal, writeProposal } from '../effect/propose.ts';
import { requireLiveKey, signedFacts } from '../signed-facts.ts';
import { updateCards } from './cards.ts';
import { currentHead } from './head.ts';
import { loadQuestion, moved, type Question, refuse, refused, viaOf } from './question.ts';

/**
 * Other words: the old question is superseded and a new one asked, in one transaction. The label, the place and the demands on approvers
 * stay; every answer to the old bytes is worth nothing for the new ones. An approver who edits still has to approve the new digest.
 * @returns the new effect and its approval, `pending` unless a standing approval covers the new bytes
 * @throws AppError approval.id.missing · approval.decision.denied (neither the requester nor staff) · approval.state.conflict ·
 *   effect.state.conflict · effect.payload.invalid · effect.sink.unavailable
 */
export async function edit(deps: EngineDeps, id: ApprovalId, text: string, actor: Actor): Promise<Proposal> {
  const seen = await requireEdit(deps, id, actor);
  const next = rewrite(deps, seen.effect, text);
  const approval: Approval = {
    ...openApproval(deps, next, seen.approval, next.requester),
    requesterPerson: seen.approval.requesterPerson,
  };
  const effect: Effect = { ...next, approval: approval.id, expiresAt: approval.expiresAt };
  const head = await currentHead(deps.audit);
  const change = await countsOf(deps.files, effect);
  const audit = {
    action: 'approval.edit',
    actor: principalKey(actor.principal),
    subject: id,
    workspace: seen.approval.workspace,
    context: seen.approval.context,
    data: {
      effect: seen.effect.id,
      digest: seen.effect.digest,
      newApproval: approval.id,
      newEffect: effect.id,
      newDigest: effect.digest,
      tier: approval.tier,
      needed: approval.needed,
      via: viaOf(actor),
      ...signedFacts(actor),
    },
  };
  return deps.store.commit(audit, async (tx) => {
    await requireLiveKey(tx, actor);
    const fresh = await loadQuestion(deps, tx, id);
    const again = decideEdit(fresh, actor);
    if (again.kind !== 'permit') throw refused(again);
    await supersede(tx, fresh);
    await updateCards(deps, tx, id);
    return writeProposal(deps, tx, { effect, approval, head, change });
  });
}

/** The question that somebody wants to put other words into; a no is audited. @throws AppError approval.id.missing · approval.decision.denied */
export async function requireEdit(deps: EngineDeps, id: ApprovalId, actor: Actor): Promise<Question> {
  const question = await loadQuestion(deps, deps.store.read, id);
  const decision = decideEdit(question, actor);
  if (decision.kind !== 'permit') await refuse(deps, { question, actor, asked: 'approval.edit', decision });
  return question;
}

async function supersede(tx: StoreTx, question: Question): Promise<void> {
  const { approval, effect, rules } = question;
  if (approval.state !== 'pending') throw moved(approval.id);
  const state = moveEffect(effect, 'supersede');
  const closed = close(approval, 'superseded', rules.nowMs);
  const questions = await tx.update(
    'approval',
    { id: approval.id, state: 'pending' },
    { state: closed.state, decidedAt: closed.decidedAt },
  );
  const effects = await tx.update(
    'effect',
    { id: effect.id, state: effect.state },
    { state, settledAt: rules.nowMs },
  );
  if (questions !== 1 || effects !== 1) throw moved(approval.id);
}

/** The requester may, as they may withdraw and ask anew; staff may, as they may deny. */
export function decideEdit(question: Question, actor: Actor): Decision {
  const { approval, effect, rules } = question;
  const { principal } = actor;
  const own = decide({ action: 'approval.withdraw', principal, approval }, rules);
  if (own.kind === 'permit') return own;
  return decide(
    {
      action: 'approval.deny',
      principal,
      approval,
      effectClass: effect.class,
      via: viaOf(actor),
      chatGrantsToday: 0,
    },
    rules,
  );
}

function rewrite(deps: EngineDeps, old: Effect, text: string): Effect {
  const id = deps.ids.make('effect');
  const nowMs = deps.clock.nowMs();
  const bytes: EffectBytes = {
    kind: old.kind,
    sink: old.sink,
    recipients: old.recipients,
    payloads:
      old.kind === EFFECT_KIND.write
        ? old.payloads.map((payload) => ({ ...payload, text }))
        : renderDraft(connectorFor(deps, old), old.sink.address, { text }, { id, nowMs }),
  };
  return {
    ...old,
    ...bytes,
    id,
    digest: effectDigest(bytes),
    state: 'proposed',
    supersedes: old.id,
    summary: old.summary.replace(/\(.*\)$/, `(edited, ${text.length} characters)`),
    createdAt: nowMs,
    notBefore: 0,
    attempts: 0,
    receipts: [],
  };
}

function connectorFor(deps: EngineDeps, effect: Effect): Connector {
  const connector = deps.connectors.find(
    (one) => one.name === effect.sink.connector && one.account === effect.sink.account,
  );
  if (connector !== undefined) return connector;
  throw new AppError({
    code: 'effect.sink.unavailable',
    kind: 'unavailable',
    message: `The connector ${effect.sink.connector} is not configured; the text cannot be rendered for it.`,
  });
}
