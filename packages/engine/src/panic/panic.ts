import {
  AppError,
  decide,
  type JsonObject,
  type PolicyRules,
  principalKey,
  type Scope,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import { belongsTo, policyRules } from '../effect/rules.ts';
import { requireLiveKey, signedFacts } from '../signed-facts.ts';
import { type Voided, voidUnfinished } from './void.ts';

/** What stops at once, in memory. */
export interface Stops {
  /** Aborts the signal of every running work, of one principal key or all. Must not throw or wait. */
  abortWork(key: string | undefined): void;
}

/**
 * Stops everything. The flag in memory comes first, then the signals, then the record of what ended: the first two happen even when
 * the disk is full or the database is gone. Never refuses anybody who may ask, and when the rules cannot be read nobody is refused.
 * @returns what ended, undefined when it could not be written yet (`settlePanic` writes it later)
 * @throws AppError panic.on.denied
 */
export async function panicOn(deps: EngineDeps, actor: Actor, stops: Stops): Promise<Voided | undefined> {
  if (!(await mayTurnOn(deps, actor))) {
    throw new AppError({
      code: 'panic.on.denied',
      kind: 'denied',
      message: 'Only an operator or above can do this.',
    });
  }
  const by = principalKey(actor.principal);
  deps.panic.turnOn(by, deps.clock.nowMs());
  stops.abortWork(undefined);
  deps.live.publish({ topic: 'health', kind: 'panic.on', data: { by } });
  try {
    return await endAll(deps, 'panic.on', by, signedFacts(actor));
  } catch (thrown) {
    deps.log.error({ room: 'panic', error: thrown }, 'panic is on; what it ended could not be written yet');
    return undefined;
  }
}

/**
 * While panic is on: writes what the full disk refused, and ends whatever slipped in between. Called by the sweep and at start.
 * @returns what ended now, undefined when panic is off
 */
export async function settlePanic(deps: EngineDeps): Promise<Voided | undefined> {
  if (!deps.panic.isOn()) return undefined;
  const open = await deps.store.read.count('effect', {
    state: { in: ['proposed', 'approved', 'performing'] },
  });
  if (open === 0) return { ended: 0, uncertain: [] };
  return endAll(deps, 'panic.sweep', deps.panic.state().by ?? 'appliance', { via: 'appliance' });
}

/**
 * Lets things start again. Everything older is ended first, so nothing old is ever sent.
 * @param endRuns ends the runs that are still open; called once it is sure that this actor may
 * @throws AppError panic.off.denied · panic.file.unavailable or database.* (it then stays on)
 */
export async function panicOff(
  deps: EngineDeps,
  actor: Actor,
  endRuns: (by: string) => Promise<void> = async () => undefined,
): Promise<Voided> {
  const rules = await policyRules(deps, deps.store.read, undefined);
  const decision = decide(
    {
      action: 'admin',
      verb: 'panic.off',
      principal: actor.principal,
      via: actor.via,
      target: { kind: 'all' },
    },
    rules,
  );
  if (decision.kind !== 'permit') {
    throw new AppError({
      code: 'panic.off.denied',
      kind: 'denied',
      message: decision.reasons.map((reason) => reason.text).join(' '),
    });
  }
  await requireLiveKey(deps.store.read, actor);
  const by = principalKey(actor.principal);
  await endRuns(by);
  const voided = await endAll(deps, 'panic.off', by, signedFacts(actor));
  deps.panic.turnOff(by, deps.clock.nowMs());
  deps.live.publish({ topic: 'health', kind: 'panic.off', data: { by } });
  return voided;
}

/**
 * The same for one principal whose token, key, identity or grant was taken away: its work is aborted, what it asked for is void.
 * @param key principal key; a person's key also means their tokens and services
 */
export async function endPrincipal(deps: EngineDeps, key: string, stops: Stops): Promise<Voided> {
  stops.abortWork(key);
  const audit = { action: 'panic.revoke', actor: 'appliance', subject: key };
  return deps.store.commit(audit, (tx) =>
    voidUnfinished(tx, {
      nowMs: deps.clock.nowMs(),
      actor: 'appliance',
      why: 'The rights of who asked for it were taken away.',
      isMeant: (effect) => belongsTo(effect.requester, key),
      isApprovedDoubtful: false,
    }),
  );
}

function endAll(deps: EngineDeps, action: string, by: string, data: JsonObject): Promise<Voided> {
  return deps.store.commit({ action, actor: by, subject: 'panic', data }, (tx) =>
    voidUnfinished(tx, {
      nowMs: deps.clock.nowMs(),
      actor: by,
      why: 'Panic stopped it.',
      isMeant: () => true,
      isApprovedDoubtful: false,
    }),
  );
}

/** Whoever holds the role anywhere may stop everything: a false stop costs less than a missed one. */
async function mayTurnOn(deps: EngineDeps, actor: Actor): Promise<boolean> {
  let rules: PolicyRules;
  try {
    rules = await policyRules(deps, deps.store.read, undefined);
  } catch (thrown) {
    deps.log.error({ room: 'panic', error: thrown }, 'the rules cannot be read; panic is not refused');
    return true;
  }
  const key = principalKey(actor.principal);
  const scopes: readonly Scope[] = [
    { kind: 'all' },
    ...rules.grants.filter((grant) => grant.principal === key).map((grant) => grant.scope),
  ];
  return scopes.some((target) => {
    const { principal, via } = actor;
    return decide({ action: 'admin', verb: 'panic.on', principal, via, target }, rules).kind === 'permit';
  });
}
