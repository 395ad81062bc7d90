import {
  AppError,
  type Approval,
  type AuditDraft,
  approvalOf,
  approversWanted,
  type Context,
  DEFAULT_EXPIRY_MS,
  type Decision,
  type Effect,
  effectBytes,
  type Label,
  MAX_PENDING_PER_TASK,
  type Obligation,
  type PolicyRules,
  type Principal,
  personOf,
  principalKey,
  type Run,
  type StoreTx,
  sayFew,
  type Task,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { makeButtons } from '../approval/buttons.ts';
import { currentHead } from '../approval/head.ts';
import { writeHubCards } from '../hub/card.ts';
import { writeNotice } from '../notify/notice.ts';
import { approvalCard, type CardFacts } from './card.ts';
import { countsOf } from './change.ts';
import { proposalFacts } from './facts.ts';
import type { Act } from './kind.ts';
import { makeEffect } from './make.ts';
import { policyRules } from './rules.ts';
import { findStanding, mintApproval } from './standing.ts';

export interface ProposeInput {
  readonly act: Act;
  readonly context: Context;
  readonly task?: Task | undefined;
  readonly run?: Pick<Run, 'id'> | undefined;
  /** Name of the tool that asks. */
  readonly tool: string;
  readonly requester: Principal;
  /** Join of the run's label and the arguments'. */
  readonly label: Label;
  /** What policy said: an `ask` with its approval obligation. */
  readonly decision: Decision;
  /** Aborted when the run that asks is stopped: then nothing is asked any more. */
  readonly signal?: AbortSignal | undefined;
}

export interface Proposal {
  readonly effect: Effect;
  readonly approval: Approval;
}

type ApprovalObligation = Extract<Obligation, { kind: 'approval' }>;

/**
 * Renders what would leave, to the last byte, and asks humans about exactly that: effect, approval, audit and card in one commit.
 * A standing approval that covers it answers at once.
 * @returns effect `proposed` with approval `pending`, or `approved` with `granted` by a standing approval
 * @throws AppError effect.decision.bug (the decision is not an ask) · effect.panic.cancelled · effect.run.cancelled · effect.pending.exhausted ·
 *   effect.kind.denied · what `makeEffect` throws
 */
export async function propose(deps: EngineDeps, input: ProposeInput): Promise<Proposal> {
  const obligation = obligationOf(input.decision);
  const nowMs = deps.clock.nowMs();
  const bare = makeEffect(input.act, {
    id: deps.ids.make('effect'),
    nowMs,
    context: input.context,
    task: input.task?.id,
    run: input.run?.id,
    tool: input.tool,
    requester: input.requester,
    label: input.label,
  });
  const approval = openApproval(deps, bare, obligation, input.requester);
  const effect: Effect = { ...bare, approval: approval.id, expiresAt: approval.expiresAt };
  const head = await currentHead(deps.audit);
  const change = await countsOf(deps.files, effect);
  return deps.store.commit(auditOf({ effect, approval, decision: input.decision }), async (tx) => {
    await refuseFlood(deps, tx, effect);
    const proposal = await writeProposal(deps, tx, { effect, approval, head, change });
    // Last of all: panic and revocation act in memory first, and may have come while this was being written.
    if (input.signal?.aborted === true) throw askerStopped();
    return proposal;
  });
}

/** An approval for these bytes that nobody has answered yet. */
export function openApproval(
  deps: Pick<EngineDeps, 'ids' | 'config'>,
  effect: Effect,
  obligation: Omit<ApprovalObligation, 'kind'>,
  requester: Principal,
): Approval {
  const lifeMs = deps.config.approvalExpiryMs?.[obligation.tier] ?? DEFAULT_EXPIRY_MS[obligation.tier];
  return {
    id: deps.ids.make('approval'),
    effect: effect.id,
    digest: effect.digest,
    workspace: effect.workspace,
    context: effect.context,
    tier: obligation.tier,
    state: 'pending',
    approverRole: obligation.approverRole,
    needed: Math.max(1, obligation.needed),
    releasers: obligation.releasers,
    requesterPerson: personOf(requester),
    votes: [],
    createdAt: effect.createdAt,
    expiresAt: effect.createdAt + lifeMs,
  };
}

/** Writes effect, approval and card; the caller's audit event covers all three. */
export async function writeProposal(
  deps: EngineDeps,
  tx: StoreTx,
  question: { readonly effect: Effect; readonly approval: Approval } & CardFacts,
): Promise<Proposal> {
  const rules = await policyRules(deps, tx, question.effect.context);
  const standing = await findStanding(tx, question.effect, question.approval, rules);
  if (standing !== undefined) return writeCovered(tx, question, standing);
  const { effect, approval, head } = question;
  await tx.insert('effect', effect);
  await tx.insert('approval', approval);
  if (rules.context !== undefined) {
    const task = effect.task === undefined ? undefined : await tx.get('task', { id: effect.task });
    const facts: CardFacts = { head, few: fewOf(approval, rules), change: question.change };
    const card = approvalCard(effect, approval, rules.context, facts);
    const buttons = makeButtons(deps, approval, card.acts);
    const told = await writeNotice(deps, tx, {
      key: `approval:${approval.id}`,
      workspace: effect.workspace,
      context: effect.context,
      draft: { text: card.text, card: card.look, buttons: buttons.shown },
      label: card.label,
      conversation: task?.conversation,
      task: effect.task,
      run: effect.run,
    });
    // Where answers are fetched there is nothing to press.
    if (told.kind === 'written' && told.effect !== undefined) await buttons.write(tx, told.effect);
    await writeHubCards(deps, tx, { effect, approval, origin: rules.context, ...facts });
  }
  return { effect, approval };
}

/** Rules change, so it is said of the demand that stands in the question. */
function fewOf(approval: Approval, rules: PolicyRules): string | undefined {
  const wanted = rules.settings === undefined ? 1 : approversWanted(approval.tier, rules.settings);
  return approval.needed < wanted ? sayFew(wanted, approval.needed) : undefined;
}

async function writeCovered(
  tx: StoreTx,
  question: { readonly effect: Effect; readonly approval: Approval },
  standing: Parameters<typeof mintApproval>[1],
): Promise<Proposal> {
  const approval = await mintApproval(tx, standing, question.approval);
  const effect: Effect = { ...question.effect, state: 'approved' };
  await tx.insert('effect', effect);
  await tx.insert('approval', approval);
  tx.audit({
    action: 'approval.mint',
    actor: standing.grantedBy,
    subject: approval.id,
    workspace: effect.workspace,
    context: effect.context,
    data: { standing: standing.id, effect: effect.id, digest: effect.digest, use: standing.uses.length + 1 },
  });
  return { effect, approval };
}

function obligationOf(decision: Decision): ApprovalObligation {
  const obligation = approvalOf(decision);
  if (decision.kind === 'ask' && obligation !== undefined) return obligation;
  throw new AppError({
    code: 'effect.decision.bug',
    kind: 'bug',
    message: 'Only what policy wants asked can be proposed.',
    detail: decision,
  });
}

function askerStopped(): AppError {
  return new AppError({
    code: 'effect.run.cancelled',
    kind: 'cancelled',
    message: 'The run that asked for it was stopped.',
  });
}

/** Policy saw the counts before; two proposals of one task must not slip past them together, nor one past panic. */
async function refuseFlood(deps: EngineDeps, tx: StoreTx, effect: Effect): Promise<void> {
  if (deps.panic.isOn()) {
    throw new AppError({
      code: 'effect.panic.cancelled',
      kind: 'cancelled',
      message: 'Everything is stopped: panic is on.',
    });
  }
  const facts = await proposalFacts(tx, effect.task, effect.kind);
  if (facts.pendingOfTask >= MAX_PENDING_PER_TASK) {
    throw new AppError({
      code: 'effect.pending.exhausted',
      kind: 'exhausted',
      message: `This task already waits for ${MAX_PENDING_PER_TASK} answers.`,
    });
  }
  if (facts.wasKindDenied) {
    throw new AppError({
      code: 'effect.kind.denied',
      kind: 'denied',
      message: 'This task already met a no to such a request.',
    });
  }
}

function auditOf(question: {
  readonly effect: Effect;
  readonly approval: Approval;
  readonly decision: Decision;
}): AuditDraft {
  const { effect, approval, decision } = question;
  return {
    action: 'effect.propose',
    actor: principalKey(effect.requester),
    subject: effect.id,
    workspace: effect.workspace,
    context: effect.context,
    data: {
      digest: effect.digest,
      kind: effect.kind,
      class: effect.class,
      sink: { ...effect.sink },
      recipients: effect.recipients,
      tool: effect.tool,
      task: effect.task,
      run: effect.run,
      label: { integrity: effect.label.integrity, audience: effect.label.audience },
      approval: approval.id,
      tier: approval.tier,
      needed: approval.needed,
      reasons: decision.reasons.map((reason) => reason.code),
    },
    content: effectBytes(effect),
  };
}
