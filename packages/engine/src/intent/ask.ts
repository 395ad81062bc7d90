import {
  AppError,
  type Context,
  type EffectiveSettings,
  type Intent,
  join,
  type Message,
  type Principal,
  principalKey,
  type StoreTx,
  type TaskKind,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { writeNotice } from '../notify/notice.ts';
import { closeCard } from './card.ts';
import { hasSmallModel } from './model-sentence.ts';
import { inShort, question, understood } from './sentence.ts';
import { workOf } from './work.ts';

/** A wish as it stands now. */
export interface Wish {
  /** Its words are the wish, with all that was added to it. */
  readonly message: Message;
  readonly context: Context;
  readonly settings: EffectiveSettings;
  readonly requester: Principal;
  readonly kind: TaskKind;
  /** The wish that waited until now: what was added to it, or another in its place. */
  readonly old: Intent | undefined;
}

/** A wish waits so long for its OK. */
const OPEN_MS = 60 * 60_000;
/** Of the id of a button, bits. */
const BUTTON_BITS = 128;

/**
 * Keeps a wish until its OK, in the caller's transaction, and says what was understood with a button that begins it: by rules at once, or
 * by a small model as soon as that has found words. Nothing begins before; an older wish of this person waits no longer.
 * @returns the words that were shown, when they were found at once
 * @throws AppError intent.card.denied when it cannot be said here
 */
export async function askIntent(deps: EngineDeps, tx: StoreTx, wish: Wish): Promise<string | undefined> {
  const { message, context, settings, requester, kind, old } = wish;
  const nowMs = deps.clock.nowMs();
  const intent: Intent = {
    id: deps.ids.make('intent'),
    state: 'asked',
    workspace: context.workspace,
    context: context.id,
    conversation: message.conversation,
    message: message.id,
    requester,
    kind,
    text: message.text,
    label: old === undefined ? message.label : join(old.label, message.label),
    createdAt: nowMs,
    expiresAt: nowMs + OPEN_MS,
  };
  if (old !== undefined) await supersede(deps, tx, old);
  await tx.insert('task_intent', intent);
  tx.audit({
    action: 'intent.ask',
    actor: principalKey(requester),
    subject: intent.id,
    workspace: context.workspace,
    context: context.id,
    data: { message: message.id, old: old?.id },
  });
  if (!hasSmallModel(deps, intent, settings))
    return sayQuestion(deps, tx, { intent, message, settings, words: understood(kind, message.text) });
  await tx.enqueueWork(workOf(intent));
  return undefined;
}

/** The card of a wish that waits, with its button. @throws AppError intent.card.denied when it cannot be said here */
export async function sayQuestion(
  deps: EngineDeps,
  tx: StoreTx,
  said: {
    readonly intent: Intent;
    readonly message: Message | undefined;
    readonly settings: EffectiveSettings;
    readonly words: string;
  },
): Promise<string> {
  const { intent, message, settings, words } = said;
  const { expiresAt, requester } = intent;
  const button = deps.ids.secret(BUTTON_BITS);
  const told = await writeNotice(deps, tx, {
    key: `intent:${intent.id}:asked`,
    workspace: intent.workspace,
    context: intent.context,
    draft: {
      text: question(words, { untilMs: expiresAt, timeZone: settings.timeZone }),
      replyTo: message?.externalId,
      buttons: [{ id: button, label: 'OK', tone: 'good' }],
    },
    label: intent.label,
    conversation: intent.conversation,
    isAnswer: true,
  });
  if (told.kind !== 'written' || told.effect === undefined) throw unsaid();
  await tx.update('task_intent', { id: intent.id, state: 'asked' }, { card: told.effect.id });
  await tx.insert('approval_button', {
    id: button,
    act: 'confirm',
    context: intent.context,
    card: told.effect.id,
    intent: intent.id,
    person: requester.kind === 'user' ? requester.user : undefined,
    createdAt: deps.clock.nowMs(),
    expiresAt,
  });
  return told.text;
}

async function supersede(deps: EngineDeps, tx: StoreTx, old: Intent): Promise<void> {
  await tx.update('task_intent', { id: old.id, state: 'asked' }, { state: 'superseded' });
  await closeCard(deps, tx, old, {
    state: 'superseded',
    text: `Understood anew below: ${inShort(old.text)}`,
  });
}

function unsaid(): AppError {
  return new AppError({
    code: 'intent.card.denied',
    kind: 'denied',
    message: 'What was understood cannot be shown here, so nothing was begun. Ask in another place.',
  });
}
