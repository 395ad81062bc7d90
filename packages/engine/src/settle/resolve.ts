import {
  AppError,
  decide,
  type Effect,
  type EffectId,
  moveEffect,
  type PolicyRules,
  principalKey,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import { policyRules } from '../effect/rules.ts';
import { writeOutcome } from '../notify/outcome.ts';
import { requireLiveKey, signedFacts } from '../signed-facts.ts';
import type { Recorded } from './record.ts';

/**
 * A person has looked outside and says what became of an uncertain effect. Nothing is sent by this.
 * @throws AppError effect.id.missing · effect.resolve.denied · effect.state.conflict
 */
export async function resolveEffect(
  deps: EngineDeps,
  id: EffectId,
  outcome: 'sent' | 'not-sent',
  actor: Actor,
): Promise<Recorded> {
  const seen = await deps.store.read.get('effect', { id });
  if (seen === undefined) {
    throw new AppError({
      code: 'effect.id.missing',
      kind: 'missing',
      message: `There is no effect ${id} for you.`,
    });
  }
  mustResolve(seen, actor, await policyRules(deps, deps.store.read, seen.context));
  const audit = {
    action: 'effect.resolve',
    actor: principalKey(actor.principal),
    subject: id,
    workspace: seen.workspace,
    context: seen.context,
    data: { outcome, digest: seen.digest, ...signedFacts(actor) },
  };
  return deps.store.commit(audit, async (tx) => {
    await requireLiveKey(tx, actor);
    const effect = (await tx.get('effect', { id })) ?? seen;
    mustResolve(effect, actor, await policyRules(deps, tx, effect.context));
    const state = moveEffect(effect, outcome === 'sent' ? 'resolve_sent' : 'resolve_not_sent');
    const patch = { state, settledAt: deps.clock.nowMs() };
    const changed = await tx.update('effect', { id, state: 'uncertain' }, patch);
    if (changed !== 1) moveEffect({ id, state }, 'resolve_sent');
    const next: Effect = { ...effect, ...patch };
    const word = outcome === 'sent' ? 'has arrived' : 'has not arrived';
    const message = await writeOutcome(deps, tx, {
      effect: next,
      text: `${id}: a person found that it ${word}.`,
    });
    return { effect: next, message };
  });
}

function mustResolve(effect: Effect, actor: Actor, rules: PolicyRules): void {
  const decision = decide(
    {
      action: 'admin',
      verb: 'effect.resolve',
      principal: actor.principal,
      via: actor.via,
      target: { kind: 'context', workspace: effect.workspace, context: effect.context },
    },
    rules,
  );
  if (decision.kind === 'permit') return;
  throw new AppError({
    code: 'effect.resolve.denied',
    kind: 'denied',
    message: decision.reasons.map((reason) => reason.text).join(' '),
  });
}
