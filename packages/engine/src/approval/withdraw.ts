import {
  type Approval,
  type ApprovalId,
  close,
  type Decision,
  decide,
  moveEffect,
  principalKey,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import { requireLiveKey, signedFacts } from '../signed-facts.ts';
import { updateCards } from './cards.ts';
import { loadQuestion, moved, mustPermit, refused } from './question.ts';

/**
 * Takes a request back, also an approved one that has not left yet.
 * @throws AppError approval.id.missing · approval.decision.denied · approval.state.conflict · effect.state.conflict (it is on its way)
 */
export async function withdraw(deps: EngineDeps, id: ApprovalId, actor: Actor): Promise<Approval> {
  const seen = await loadQuestion(deps, deps.store.read, id);
  const request = (approval: Approval) =>
    ({ action: 'approval.withdraw', principal: actor.principal, approval }) as const;
  await mustPermit(deps, request(seen.approval), seen, actor);
  const audit = {
    action: 'approval.withdraw',
    actor: principalKey(actor.principal),
    subject: id,
    workspace: seen.approval.workspace,
    context: seen.approval.context,
    data: { effect: seen.effect.id, digest: seen.effect.digest, ...signedFacts(actor) },
  };
  return deps.store.commit(audit, async (tx) => {
    await requireLiveKey(tx, actor);
    const { approval, effect, rules } = await loadQuestion(deps, tx, id);
    const decision: Decision = decide(request(approval), rules);
    if (decision.kind !== 'permit') throw refused(decision);
    const state = moveEffect(effect, 'withdraw');
    const closed = close(approval, 'withdrawn', rules.nowMs);
    const questions = await tx.update(
      'approval',
      { id, state: approval.state },
      { state: closed.state, decidedAt: closed.decidedAt },
    );
    const effects = await tx.update(
      'effect',
      { id: effect.id, state: effect.state },
      { state, settledAt: rules.nowMs },
    );
    if (questions !== 1 || effects !== 1) throw moved(id);
    await updateCards(deps, tx, id);
    return closed;
  });
}
