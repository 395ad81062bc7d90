import { AppError, type Decision, decide, type StoreReader } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { policyRules } from '../effect/index.ts';
import type { RunPlace } from './session.ts';

/**
 * Looks again whether this run may go on: panic, gate, roles and grants as they are now. Asked before every step,
 * and once more in the transaction of the answer.
 * @throws AppError run.rights.cancelled when they are gone: the run stops and shows nothing more
 */
export async function assertMayGoOn(
  deps: EngineDeps,
  place: RunPlace,
  reader: StoreReader = deps.store.read,
): Promise<void> {
  const rules = await policyRules(deps, reader, place.context.id);
  const decision: Decision = decide(
    { action: 'task.create', principal: place.task.requester, door: place.task.door, isAddressed: true },
    rules,
  );
  if (decision.kind === 'permit') return;
  throw new AppError({
    code: 'run.rights.cancelled',
    kind: 'cancelled',
    message: `Stopped: ${decision.reasons.map((reason) => reason.text).join(' ')}`,
  });
}
