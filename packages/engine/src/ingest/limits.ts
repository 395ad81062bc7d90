import {
  AppError,
  type Context,
  type Conversation,
  type Door,
  type EffectiveSettings,
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

/**
 * Asks the limit of this sender: a strict one for guests, the place's own for paired people in chat. Other doors have their own.
 * @throws AppError ingest.guest.exhausted · ingest.sender.exhausted
 */
export async function assertSenderHasRoom(tx: StoreTx, sender: Sender, nowMs: number): Promise<void> {
  if (sender.principal.kind === 'guest') return assertGuestHasRoom(tx, sender, nowMs);
  if (sender.door === 'chat') return assertPersonHasRoom(tx, sender, nowMs);
}

function recentOf({ principal, context }: Sender, nowMs: number) {
  return {
    context: context.id,
    sender: principalKey(principal),
    direction: 'in',
    at: { gt: nowMs - MINUTE_MS },
  } as const;
}

/** Only what started work counts; what people say to each other is free. */
async function assertPersonHasRoom(tx: StoreTx, sender: Sender, nowMs: number): Promise<void> {
  const { messagesPerMinute } = sender.settings;
  const recent = recentOf(sender, nowMs);
  // Most people say less than that altogether.
  if ((await tx.count('context_message', recent)) < messagesPerMinute) return;
  const said = (await tx.find('context_message', recent)).map((message) => message.id);
  const started = await tx.count('run', {
    context: sender.context.id,
    input: { in: said },
    attempt: 1,
    createdAt: { gt: nowMs - MINUTE_MS },
  });
  if (started < messagesPerMinute) return;
  throw new AppError({
    code: 'ingest.sender.exhausted',
    kind: 'exhausted',
    message: `Here one person may ask ${messagesPerMinute} times a minute. Try again in a minute.`,
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

/** Messages of one guest in a minute that may start work. */
const GUEST_MESSAGES = 5;
const MINUTE_MS = 60_000;

/** @throws AppError ingest.guest.exhausted when this guest asks faster than guests may */
async function assertGuestHasRoom(tx: StoreTx, sender: Sender, nowMs: number): Promise<void> {
  if ((await tx.count('context_message', recentOf(sender, nowMs))) < GUEST_MESSAGES) return;
  throw new AppError({
    code: 'ingest.guest.exhausted',
    kind: 'exhausted',
    message: 'Guests may ask a few times a minute. Try again in a minute.',
    retryAfterMs: MINUTE_MS,
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
