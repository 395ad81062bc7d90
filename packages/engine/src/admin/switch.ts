import { decide, type GateState, principalKey, type Status, toInstantIf } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { demand, EVERYTHING, recordRefusal, refusedBy, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';

/** Panic and the gate after a restore. What they do is the engine's; who may is asked here as well. */
export const SWITCH: AdminPart<'panic.on' | 'panic.off' | 'panic.status' | 'gate.status' | 'gate.open'> = {
  'panic.on': async (deps, actor) => {
    await mayPanic(deps, actor);
    await deps.engine.panicOn(actor);
    return panicState(deps);
  },
  'panic.off': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'panic.off', EVERYTHING);
    await deps.engine.panicOff(actor);
    return panicState(deps);
  },
  'panic.status': async (deps) => panicState(deps),
  'gate.status': async (deps) => readGate(deps),
  'gate.open': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'gate.open', EVERYTHING);
    await deps.engine.openGate(actor);
    return readGate(deps);
  },
};

/** The local socket is asked without the store: panic must work when the store does not. */
async function mayPanic(deps: AdminDeps, actor: Actor): Promise<void> {
  if (actor.via !== 'socket') {
    await demand(deps, await viewerOf(deps, actor), 'panic.on', EVERYTHING);
    return;
  }
  const decision = decide(
    { action: 'admin', verb: 'panic.on', principal: actor.principal, via: actor.via, target: EVERYTHING },
    {
      nowMs: deps.clock.nowMs(),
      isPanicOn: deps.panic.isOn(),
      isGateClosed: false,
      grants: [],
      context: undefined,
      settings: undefined,
      eligibleApprovers: 0,
    },
  );
  if (decision.kind === 'permit') return;
  await recordRefusal(deps, actor, `panic.on ${principalKey(actor.principal)}`, decision);
  throw refusedBy(decision);
}

export function panicState(deps: Pick<AdminDeps, 'panic'>): Status['panic'] {
  const { isOn, by, atMs } = deps.panic.state();
  return { on: isOn, by, at: toInstantIf(atMs) };
}

export async function readGate(deps: Pick<AdminDeps, 'store'>): Promise<Status['gate']> {
  const gate: GateState | undefined = await deps.store.read.get('gate_state', { id: 'gate' });
  if (gate === undefined) return { closed: false };
  return { closed: gate.isClosed, reason: gate.reason, at: toInstantIf(gate.at) };
}
