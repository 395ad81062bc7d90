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
import { inShort, question } from './sentence.ts';

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
 * Says what was understood, with a button that begins it, in the caller's transaction. Nothing begins before; an older wish of this
 * person waits no longer.
 * @returns the words that were shown
 * @throws AppError intent.card.denied when it cannot be said here
 */
export async function askIntent(deps: EngineDeps, tx: StoreTx, wish: Wish): Promise<string> {
  const { message, context, settings, requester, kind, old } = wish;
  const nowMs = deps.clock.nowMs();
  const expiresAt = nowMs + OPEN_MS;
  const id = deps.ids.make('intent');
  const button = deps.ids.secret(BUTTON_BITS);
  if (old !== undefined) await supersede(deps, tx, old);
  const said = await writeNotice(deps, tx, {
    key: `intent:${id}:asked`,
    workspace: context.workspace,
    context: context.id,
    draft: {
      text: question(kind, message.text, { untilMs: expiresAt, timeZone: settings.timeZone }),
      replyTo: message.externalId,
      buttons: [{ id: button, label: 'OK', tone: 'good' }],
    },
    label: message.label,
    conversation: message.conversation,
    isAnswer: true,
  });
  if (said.kind !== 'written' || said.effect === undefined) throw unsaid();
  await tx.insert('task_intent', {
    id,
    state: 'asked',
    workspace: context.workspace,
    context: context.id,
    conversation: message.conversation,
    message: message.id,
    requester,
    kind,
    text: message.text,
    label: old === undefined ? message.label : join(old.label, message.label),
    card: said.effect.id,
    createdAt: nowMs,
    expiresAt,
  });
  await tx.insert('approval_button', {
    id: button,
    act: 'confirm',
    context: context.id,
    card: said.effect.id,
    intent: id,
    person: requester.kind === 'user' ? requester.user : undefined,
    createdAt: nowMs,
    expiresAt,
  });
  tx.audit({
    action: 'intent.ask',
    actor: principalKey(requester),
    subject: id,
    workspace: context.workspace,
    context: context.id,
    data: { card: said.effect.id, message: message.id, old: old?.id },
  });
  return said.text;
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
