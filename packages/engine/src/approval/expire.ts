import {
  AppError,
  type Approval,
  close,
  type Effect,
  isExpired,
  moveEffect,
  nextEffectState,
  type StoreTx,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { writeOutcome } from '../notify/outcome.ts';
import type { Deadlines } from './deadline.ts';
import { moved } from './question.ts';

/**
 * Closes every question and every approved, unsent effect whose time is over, by the wall clock or by the monotonic one, whichever comes
 * first; one commit each, so that one bad row holds up no other.
 * @returns how many ended
 */
export async function expireQuestions(deps: EngineDeps, deadlines: Deadlines): Promise<number> {
  const nowMs = deps.clock.nowMs();
  const open = await deps.store.read.find('approval', { state: { in: ['pending', 'granted'] } });
  const passed = deadlines.passed(open);
  const due = open.filter((approval) => isExpired(approval, nowMs) || passed.has(approval.id));
  let ended = 0;
  for (const approval of due) if (await expireOne(deps, approval, nowMs)) ended += 1;
  return ended;
}

/** Time never comes back to a question: once due it stays due, also when the wall clock is set back before the commit. */
async function expireOne(deps: EngineDeps, due: Approval, nowMs: number): Promise<boolean> {
  const audit = {
    action: 'approval.expire',
    actor: 'appliance',
    subject: due.id,
    workspace: due.workspace,
    context: due.context,
    data: { effect: due.effect, digest: due.digest },
  };
  try {
    await deps.store.commit(audit, (tx) => writeExpiry(deps, tx, due, nowMs));
    return true;
  } catch (thrown) {
    // Somebody answered it in between: nothing was written.
    if (thrown instanceof AppError && thrown.kind === 'conflict') return false;
    throw thrown;
  }
}

async function writeExpiry(deps: EngineDeps, tx: StoreTx, due: Approval, nowMs: number): Promise<void> {
  const fresh = await tx.get('approval', { id: due.id });
  if (fresh === undefined || fresh.expiresAt !== due.expiresAt) throw moved(due.id);
  const closed = close(fresh, 'expired', nowMs);
  const changed = await tx.update(
    'approval',
    { id: fresh.id, state: fresh.state },
    { state: closed.state, decidedAt: closed.decidedAt },
  );
  if (changed !== 1) throw moved(due.id);
  const effect = await tx.get('effect', { id: fresh.effect });
  if (effect === undefined || nextEffectState(effect.state, 'expire') === undefined) return;
  const ending: Effect = { ...effect, state: moveEffect(effect, 'expire'), settledAt: nowMs };
  await tx.update(
    'effect',
    { id: effect.id, state: effect.state },
    { state: ending.state, settledAt: nowMs },
  );
  const why =
    fresh.state === 'pending' ? `nobody answered ${fresh.id} in time` : 'it could not leave in time';
  await writeOutcome(deps, tx, {
    effect: ending,
    text: `${effect.id} has expired${whatLeft(effect)}: ${why}.`,
  });
}

/** Said of effects that end between two parts. */
export function whatLeft(effect: Effect): string {
  return effect.receipts.length === 0
    ? ''
    : ` after ${effect.receipts.length} of ${effect.payloads.length} parts had left`;
}
