import {
  AppError,
  type Approval,
  type ApprovalId,
  type Decision,
  decide,
  type Effect,
  type PolicyRequest,
  type PolicyRules,
  principalKey,
  type StoreReader,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import { policyRules } from '../effect/rules.ts';

/** A question with its effect and the rules of this moment. */
export interface Question {
  readonly approval: Approval;
  readonly effect: Effect;
  readonly rules: PolicyRules;
}

/** @throws AppError approval.id.missing · approval.effect.bug */
export async function loadQuestion(deps: EngineDeps, reader: StoreReader, id: ApprovalId): Promise<Question> {
  const approval = await reader.get('approval', { id });
  if (approval === undefined) {
    throw new AppError({
      code: 'approval.id.missing',
      kind: 'missing',
      message: `There is no approval ${id} for you.`,
    });
  }
  const effect = await reader.get('effect', { id: approval.effect });
  if (effect === undefined) {
    throw new AppError({
      code: 'approval.effect.bug',
      kind: 'bug',
      message: `The effect of ${id} is not there.`,
    });
  }
  return { approval, effect, rules: await policyRules(deps, reader, approval.context) };
}

/** How an answer arrived. What is unsigned names no person. @throws AppError approval.actor.unauthenticated */
export function viaOf(actor: Actor): 'signed' | 'chat' {
  if (actor.via === 'signed' || actor.via === 'chat') return actor.via;
  throw new AppError({
    code: 'approval.actor.unauthenticated',
    kind: 'unauthenticated',
    message: 'An answer must name a person: send it as a signed request or from a paired chat account.',
  });
}

/** Decides, and audits a no as its own fact. @throws AppError approval.decision.denied */
export async function mustPermit(
  deps: EngineDeps,
  request: PolicyRequest,
  question: Question,
  actor: Actor,
): Promise<void> {
  const decision = decide(request, question.rules);
  if (decision.kind !== 'permit') await refuse(deps, { question, actor, asked: request.action, decision });
}

/** Audits a no as its own fact, then says it. @throws AppError approval.decision.denied, always */
export async function refuse(
  deps: EngineDeps,
  no: {
    readonly question: Question;
    readonly actor: Actor;
    readonly asked: string;
    readonly decision: Decision;
  },
): Promise<never> {
  const { approval } = no.question;
  await deps.store.commit(
    {
      action: 'approval.refuse',
      actor: principalKey(no.actor.principal),
      subject: approval.id,
      workspace: approval.workspace,
      context: approval.context,
      data: {
        asked: no.asked,
        via: no.actor.via,
        reasons: no.decision.reasons.map((reason) => reason.code),
      },
    },
    async () => undefined,
  );
  throw refused(no.decision);
}

export function refused(decision: Decision): AppError {
  return new AppError({
    code: 'approval.decision.denied',
    kind: 'denied',
    message: decision.reasons.map((reason) => reason.text).join(' '),
    detail: decision.reasons,
  });
}

/** Somebody else was faster. */
export function moved(id: string): AppError {
  return new AppError({
    code: 'approval.state.conflict',
    kind: 'conflict',
    message: `${id} has just been decided otherwise. Look at it again.`,
  });
}
