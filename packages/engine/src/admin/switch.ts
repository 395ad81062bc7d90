import { type GateState, type Status, toInstantIf } from '@agent-runtime/domain';
import { demand, EVERYTHING, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';

/** Panic and the gate after a restore. What they do is the engine's; who may is asked here as well. */
export const SWITCH: AdminPart<'panic.on' | 'panic.off' | 'panic.status' | 'gate.status' | 'gate.open'> = {
  'panic.on': async (deps, actor) => {
    // The engine asks policy itself, and works even where the rules cannot be read any more.
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

export function panicState(deps: Pick<AdminDeps, 'panic'>): Status['panic'] {
  const { isOn, by, atMs } = deps.panic.state();
  return { on: isOn, by, at: toInstantIf(atMs) };
}

export async function readGate(deps: Pick<AdminDeps, 'store'>): Promise<Status['gate']> {
  const gate: GateState | undefined = await deps.store.read.get('gate_state', { id: 'gate' });
  if (gate === undefined) return { closed: false };
  return { closed: gate.isClosed, reason: gate.reason, at: toInstantIf(gate.at) };
}
