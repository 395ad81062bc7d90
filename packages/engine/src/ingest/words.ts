import {
  type Approval,
  type Button,
  type Effect,
  publicLabel,
  type StoreReader,
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

/** A prompt with less time than this is asked anew. */
const LEFT_MS = 60_000;

/**
 * Asks, unless this person was asked the same just now and that message is still there.
 * @throws AppError ingest.halt.unavailable when panic or the gate came in between
 */
export async function writePrompt(deps: EngineDeps, tx: StoreTx, prompt: PromptRows): Promise<void> {
  if (await isHalted(deps, tx)) throw halted();
  if (await isAsked(tx, prompt.words)) return;
  await tx.insert('effect', prompt.effect);
  await tx.insert('approval_button', prompt.words);
}

async function isAsked(reader: StoreReader, words: Button): Promise<boolean> {
  const { context, approval, digest, person, createdAt } = words;
  const open = await reader.find('approval_button', {
    act: 'words',
    context,
    approval,
    digest,
    person,
    expiresAt: { gt: createdAt + LEFT_MS },
  });
  const state = { in: ['approved', 'performing', 'done'] } as const;
  const cards = await reader.count('effect', { id: { in: open.map((one) => one.card) }, state });
  return cards > 0;
}

/**
 * The prompt of ours that a message of this person answers, also one that is over: such an answer was written for other eyes, and is never
 * a question to a model. Also where its channel is another context by now.
 */
export async function promptAnswered(deps: EngineDeps, at: Place): Promise<Button | undefined> {
  const { principal } = at.where;
  const { door, event } = at.arrival;
  if (door !== 'chat' || event.kind !== 'message' || event.isRelayed || event.repliesTo === undefined)
    return undefined;
  if (principal.kind !== 'user') return undefined;
  const asked = await deps.store.read.find('approval_button', {
    act: 'words',
    person: principal.user,
  });
  for (const button of asked)
    if ((await messageHere(deps.store.read, button, event)) === event.repliesTo) return button;
  return undefined;
}

/** The answer to a prompt is the new text, while the prompt is open. Nothing of it is kept as a message. */
export async function takeWords(
  deps: EngineDeps,
  hooks: { readonly orders: Pick<Orders, 'edit'>; readonly onReply: () => void },
  at: Place,
  button: Button,
): Promise<Accepted> {
  const text = await edited(deps, hooks.orders, at, button);
  const about = { act: button.act, approval: button.approval ?? null };
  return answerAtOnce(deps, hooks.onReply, at, { text, label: publicLabel(2), about });
}

async function edited(
  deps: EngineDeps,
  orders: Pick<Orders, 'edit'>,
  at: Place,
  button: Button,
): Promise<string> {
  const typed = at.arrival.event.text.trim();
  try {
    const isUsable = button.context === at.context.id && button.usedAt === undefined;
    const isOver = !isUsable || !(deps.clock.nowMs() < button.expiresAt);
    const question = isOver ? undefined : await openQuestion(deps, button);
    if (question === undefined) return await whyOver(deps.store.read, button);
    if (typed === '') return 'The new text is words alone; nothing was changed.';
    const next = await orders.edit(question.id, typed, { principal: at.where.principal, via: 'chat' });
    return `${next} asks for the new words.`;
  } catch (thrown) {
    if (!isWords(thrown)) throw thrown;
    return thrown.message;
  }
}

/** Said after a crash between the edit and the mark of its event, too: it must not say that nothing came of the words. */
async function whyOver(reader: StoreReader, { approval }: Button): Promise<string> {
  const old = approval && (await reader.get('approval', { id: approval, state: 'superseded' }));
  const [next] = old ? await reader.find('effect', { supersedes: old.effect }, { limit: 1 }) : [];
  return next?.approval === undefined
    ? 'This is not open any more; nothing was changed.'
    : `This is not open any more; ${next.approval} asks for other words.`;
}
