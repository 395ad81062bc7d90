import {
  AppError,
  type Context,
  type Conversation,
  type Door,
  type EffectiveSettings,
  type MessageId,
  type Principal,
  principalKey,
  type StoreTx,
} from '@agent-runtime/domain';

/** Who asks, where, and what is said there of limits. */
export interface Sender {
  readonly principal: Principal;
  readonly context: Context;
  readonly settings: EffectiveSettings;
  readonly door: Door;
}

/** Questions of one guest in a minute, and commands. */
export const GUEST_ASKS = 5;
const MINUTE_MS = 60_000;

/**
 * Asks the limit of this sender: a strict one for guests, the place's own for paired people in chat. Other doors have their own. Only what
 * started work counts, and wishes that may; what people say to each other is free.
 * @param except a message that asked before already
 * @throws AppError ingest.guest.exhausted · ingest.sender.exhausted
 */
export async function assertSenderHasRoom(
  tx: StoreTx,
  sender: Sender,
  nowMs: number,
  except?: MessageId,
): Promise<void> {
  const isGuest = sender.principal.kind === 'guest';
  if (!isGuest && sender.door !== 'chat') return;
  const most = isGuest ? GUEST_ASKS : sender.settings.messagesPerMinute;
  if ((await asksOf(tx, sender, { nowMs, most, except })) < most) return;
  throw isGuest ? guestExhausted() : personExhausted(most);
}

/** Messages of the last minute that started a run or wait for an OK; counted only when there are so many at all. */
async function asksOf(
  tx: StoreTx,
  { principal, context }: Sender,
  look: { readonly nowMs: number; readonly most: number; readonly except: MessageId | undefined },
): Promise<number> {
  const since = { gt: look.nowMs - MINUTE_MS };
  const recent = {
    context: context.id,
    sender: principalKey(principal),
    direction: 'in',
    at: since,
  } as const;
  // Most people say less than that altogether.
  if ((await tx.count('context_message', recent)) < look.most) return 0;
  const said = (await tx.find('context_message', recent)).map((message) => message.id);
  const here = { context: context.id, createdAt: since };
  const runs = await tx.find('run', { ...here, input: { in: said }, attempt: 1 });
  const wishes = await tx.find('task_intent', { ...here, message: { in: said } });
  const asks = new Set([...runs.map((run) => run.input), ...wishes.map((wish) => wish.message)]);
  if (look.except !== undefined) asks.delete(look.except);
  return asks.size;
}

function personExhausted(most: number): AppError {
  return new AppError({
    code: 'ingest.sender.exhausted',
    kind: 'exhausted',
    message: `Here one person may ask ${most} times a minute. Try again in a minute.`,
    retryAfterMs: MINUTE_MS,
  });
}

function guestExhausted(): AppError {
  return new AppError({
    code: 'ingest.guest.exhausted',
    kind: 'exhausted',
    message: 'Guests may ask a few times a minute. Try again in a minute.',
    retryAfterMs: MINUTE_MS,
  });
}

/** @throws AppError ingest.prompt.invalid for more than a question may have here */
export function requireShort(text: string, settings: Pick<EffectiveSettings, 'maxPromptChars'>): void {
  const { maxPromptChars } = settings;
  if (maxPromptChars === undefined || text.length <= maxPromptChars) return;
  throw new AppError({
    code: 'ingest.prompt.invalid',
    kind: 'invalid',
    message: `A question here has at most ${maxPromptChars} characters; this one has ${text.length}. Say it shorter, or in parts.`,
  });
}

/** @throws AppError ingest.queue.exhausted when the conversation already waits for too much */
export async function assertQueueHasRoom(
  tx: StoreTx,
  conversation: Conversation,
  settings: EffectiveSettings,
): Promise<void> {
  const queued = await tx.count('run', { conversation: conversation.id, state: 'queued' });
  if (queued < settings.queue.maxQueued) return;
  throw new AppError({
    code: 'ingest.queue.exhausted',
    kind: 'exhausted',
    message: `This conversation already waits for ${queued} answers. Try again when some have come, or abort one.`,
    retryAfterMs: 10_000,
  });
}
