import {
  capModel,
  type Effect,
  INTEGRITY,
  join,
  type Label,
  type MessageId,
  NOTHING_READ,
  publicLabel,
  type StoreTx,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { updateCards } from '../approval/cards.ts';
import { writeNotice } from './notice.ts';

/** What became of an effect, in words. */
export interface Outcome {
  readonly effect: Effect;
  /** One sentence; public words only (ids, states, an error's message), but for what `words` stands for. */
  readonly text: string;
  /** Label of words in it that are somebody's own, e.g. the reason of a no. */
  readonly words?: Label | undefined;
}

/**
 * Lets an outcome enter the conversation as an event message, which later prompts read with the effect's own label, leaves a notice where
 * the effect came from, and says it on the cards of its question. Answers and notices (E0) have no outcome of their own: they are the conversation.
 * @returns the event message, undefined when the effect belongs to no conversation
 */
export async function writeOutcome(
  deps: EngineDeps,
  tx: StoreTx,
  outcome: Outcome,
): Promise<MessageId | undefined> {
  const { effect, text, words = NOTHING_READ } = outcome;
  if (effect.class === 'E0') return undefined;
  if (effect.approval !== undefined) await updateCards(deps, tx, effect.approval);
  const task = effect.task === undefined ? undefined : await tx.get('task', { id: effect.task });
  await writeNotice(deps, tx, {
    key: `effect:${effect.id}:${effect.state}`,
    workspace: effect.workspace,
    context: effect.context,
    draft: { text },
    label: join(publicLabel(INTEGRITY.staff), words),
    conversation: task?.conversation,
    task: effect.task,
  });
  if (task === undefined) return undefined;
  const message = deps.ids.make('message');
  await tx.insert('context_message', {
    id: message,
    seq: await tx.next('message'),
    conversation: task.conversation,
    workspace: effect.workspace,
    context: effect.context,
    direction: 'event',
    sender: 'appliance',
    senderName: 'appliance',
    text: `${text} (${effect.summary})`,
    label: capModel(join(effect.label, words)),
    isPromptable: true,
    run: effect.run,
    at: deps.clock.nowMs(),
  });
  return message;
}
