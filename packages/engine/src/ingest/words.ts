import {
  type Approval,
  type Button,
  type Effect,
  publicLabel,
  type StoreTx,
  type UserId,
} from '@agent-runtime/domain';
import type { Accepted, Actor, EngineDeps } from '../api.ts';
import { BUTTON_BITS } from '../approval/buttons.ts';
import { requireEdit } from '../approval/edit.ts';
import { replyEffect } from '../effect/reply.ts';
import type { Orders } from './answer.ts';
import { messageHere, openQuestion } from './button.ts';
import { isWords } from './passing.ts';
import { messageId, type Place } from './place.ts';
import { answerAtOnce, halted, isHalted } from './refuse.ts';

/** How long the question for other words waits for its answer, ms. */
const WORDS_MS = 600_000;

/** Said to who pressed. */
export const ANSWER_IT = 'Answer the message that asks for the new words.';

/** Who is asked for other words, where and for what. */
export interface Prompt {
  readonly at: Place;
  readonly approval: Approval;
  readonly person: UserId;
  readonly actor: Actor;
}

/** The message that asks for other words, and the row by which its answer is known. */
export interface PromptRows {
  readonly effect: Effect;
  readonly words: Button;
}

/**
 * Only an answer to exactly this message, by who pressed and within ten minutes, is the new text.
 * @throws AppError approval.decision.denied when this person may not edit it
 */
export async function promptFor(deps: EngineDeps, prompt: Prompt): Promise<PromptRows> {
  const { at, approval, person, actor } = prompt;
  await requireEdit(deps, approval.id, actor);
  const { context, arrival } = at;
  const { effect } = replyEffect(deps, {
    context,
    requester: { kind: 'service', context: context.id, owner: context.owner },
    draft: {
      text: `Answer this very message within ten minutes: your answer is the whole new text of ${approval.id}, which is asked for anew.`,
      replyTo: messageId(arrival),
      asksReply: true,
    },
    label: publicLabel(2),
    trustedUrls: new Set(),
    kind: 'notice',
  });
  const nowMs = deps.clock.nowMs();
  const words: Button = {
    id: deps.ids.secret(BUTTON_BITS),
    act: 'words',
    context: context.id,
    card: effect.id,
    approval: approval.id,
    digest: approval.digest,
    person,
    createdAt: nowMs,
    expiresAt: Math.min(nowMs + WORDS_MS, approval.expiresAt),
  };
  return { effect, words };
}

/** @throws AppError ingest.halt.unavailable when panic or the gate came in between */
export async function writePrompt(deps: EngineDeps, tx: StoreTx, prompt: PromptRows): Promise<void> {
  if (await isHalted(deps, tx)) throw halted();
  await tx.insert('effect', prompt.effect);
  await tx.insert('approval_button', prompt.words);
}

/** The prompt that a message answers: open, asked of this person, and this very message of ours. */
export async function promptAnswered(deps: EngineDeps, at: Place): Promise<Button | undefined> {
  const { where, context } = at;
  const { principal } = where;
  const { door, event } = at.arrival;
  if (door !== 'chat' || event.kind !== 'message' || event.isRelayed || event.repliesTo === undefined)
    return undefined;
  if (principal.kind !== 'user' || event.text.trim() === '') return undefined;
  const asked = await deps.store.read.find('approval_button', {
    act: 'words',
    context: context.id,
    person: principal.user,
    expiresAt: { gt: deps.clock.nowMs() },
  });
  for (const button of asked) {
    const message = await messageHere(deps.store.read, button, event);
    if (message === event.repliesTo && (await openQuestion(deps, button)) !== undefined) return button;
  }
  return undefined;
}

/** The answer to a prompt is the new text. */
export async function takeWords(
  deps: EngineDeps,
  hooks: { readonly orders: Pick<Orders, 'edit'>; readonly onReply: () => void },
  at: Place,
  button: Button,
): Promise<Accepted> {
  const text = await edited(hooks.orders, at, button);
  return answerAtOnce(deps, hooks.onReply, at, { text, label: publicLabel(2) });
}

async function edited(orders: Pick<Orders, 'edit'>, at: Place, button: Button): Promise<string> {
  const { principal } = at.where;
  try {
    if (button.approval === undefined) return 'There is nothing to edit any more.';
    const next = await orders.edit(button.approval, at.arrival.event.text.trim(), {
      principal,
      via: 'chat',
    });
    return `${next} asks for the new words.`;
  } catch (thrown) {
    if (!isWords(thrown)) throw thrown;
    return thrown.message;
  }
}
