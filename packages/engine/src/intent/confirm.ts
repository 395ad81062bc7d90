import {
  AppError,
  type Button,
  decide,
  type Intent,
  principalKey,
  type RunId,
  type StoreTx,
  type TaskId,
} from '@agent-runtime/domain';
import type { Accepted, EngineDeps } from '../api.ts';
import { policyRules } from '../effect/index.ts';
import { assertQueueHasRoom, assertSenderHasRoom } from '../ingest/limits.ts';
import { auditOf, markOf, type Place } from '../ingest/place.ts';
import { makeWork, queueRun } from '../ingest/work.ts';
import { closeCard } from './card.ts';
import { inShort } from './sentence.ts';

/** What a begun wish wakes. */
export interface ConfirmHooks {
  readonly onRun: () => void;
  readonly onReply: () => void;
}

/**
 * The OK to a wish: the task begins, once, if who presses is who said it and may still begin tasks here. Everything is looked at and
 * written in one transaction.
 * @param button of act `confirm`; that it stands where it was put, is not used and not over was looked at before
 * @returns `refused` with words for the presser alone, when it cannot begin
 */
export async function confirmIntent(
  deps: EngineDeps,
  hooks: ConfirmHooks,
  at: Place,
  button: Button,
): Promise<Accepted> {
  try {
    const { arrival } = at;
    const data = { intent: button.intent, button: 'confirm' };
    const begun = await deps.store.commit(auditOf(at, 'ingest.accept', data, ''), async (tx) => {
      const intent = await usable(deps, tx, at, button);
      const work = await begin(deps, tx, at, intent);
      await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'run', ...work }));
      return work;
    });
    hooks.onRun();
    hooks.onReply();
    return { outcome: 'run', isRepeat: false, ...begun };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !thrown.code.startsWith('intent.button.')) throw thrown;
    return turnDown(deps, at, thrown.message);
  }
}

/** The wish behind a button that may be used now, by this person; the button is used up. @throws AppError intent.button.* */
async function usable(deps: EngineDeps, tx: StoreTx, at: Place, button: Button): Promise<Intent> {
  const nowMs = deps.clock.nowMs();
  const intent = button.intent === undefined ? undefined : await tx.get('task_intent', { id: button.intent });
  if (intent === undefined || intent.context !== at.context.id) throw no(GONE);
  if (principalKey(intent.requester) !== principalKey(at.where.principal)) throw no(NOT_YOURS);
  if (intent.state !== 'asked') throw no(ENDED[intent.state]);
  await assertMayBegin(deps, tx, at);
  // The one look at the time, and the one at whether it was used: nothing can come between it and the use.
  const fresh = { id: button.id, usedAt: { isNull: true }, expiresAt: { gt: nowMs } };
  if ((await tx.update('approval_button', fresh, { usedAt: nowMs })) !== 1) throw no(ENDED.expired);
  return intent;
}

async function assertMayBegin(deps: EngineDeps, tx: StoreTx, at: Place): Promise<void> {
  const rules = await policyRules(deps, tx, at.context.id);
  const { principal } = at.where;
  const decision = decide(
    { action: 'task.create', principal, door: at.arrival.door, isAddressed: true },
    rules,
  );
  if (decision.kind !== 'permit') throw no(decision.reasons.map((reason) => reason.text).join(' '));
}

async function begin(
  deps: EngineDeps,
  tx: StoreTx,
  at: Place,
  intent: Intent,
): Promise<{ readonly task: TaskId; readonly run: RunId }> {
  const message = await tx.get('context_message', { id: intent.message });
  const conversation = await tx.get('context_conversation', { id: intent.conversation });
  const { settings } = await policyRules(deps, tx, at.context.id);
  if (message === undefined || conversation === undefined || settings === undefined) throw no(GONE);
  try {
    await assertQueueHasRoom(tx, conversation, settings);
    const sender = { principal: intent.requester, context: at.context, settings, door: at.arrival.door };
    await assertSenderHasRoom(tx, sender, deps.clock.nowMs(), intent.message);
  } catch (thrown) {
    throw thrown instanceof AppError && thrown.kind === 'exhausted' ? no(thrown.message) : thrown;
  }
  const { task, run } = makeWork(deps, {
    message,
    context: at.context,
    conversation,
    requester: intent.requester,
    door: at.arrival.door,
    kind: intent.kind,
  });
  await tx.insert('task', task);
  await queueRun(tx, run);
  const begun = { state: 'begun', task: task.id, run: run.id } as const;
  const changed = await tx.update('task_intent', { id: intent.id, state: 'asked' }, begun);
  if (changed !== 1) throw no(ENDED.begun);
  await closeCard(deps, tx, intent, { state: 'begun', text: `Begun: ${inShort(intent.text)} (${task.id})` });
  return { task: task.id, run: run.id };
}

/** Words for who pressed; nobody else sees them. A stranger's press leaves no record of its own. */
async function turnDown(deps: EngineDeps, at: Place, reply: string): Promise<Accepted> {
  const accepted = { outcome: 'refused', isRepeat: false, reply } as const;
  if (at.where.principal.kind === 'guest') return accepted;
  const audit = auditOf(at, 'ingest.refuse', { button: 'confirm' }, '');
  await deps.store.commit(audit, (tx) =>
    tx.insert('ingest_event', markOf(deps, at.arrival, { outcome: 'refused', reply })),
  );
  return accepted;
}

const GONE = 'This button does not do anything any more.';
const NOT_YOURS = 'Only who asked for it can say OK to it.';
const ENDED: Readonly<Record<Exclude<Intent['state'], 'asked'>, string>> = {
  begun: 'It has begun already.',
  superseded: 'Something was added since: the newer message has the button that counts.',
  expired: 'It was open for an hour and is not any more. Ask for it anew with /task.',
};

function no(message: string): AppError {
  return new AppError({ code: 'intent.button.denied', kind: 'denied', message });
}
