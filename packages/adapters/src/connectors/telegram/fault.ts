import { AppError } from '@agent-runtime/domain';
import { GrammyError, HttpError } from 'grammy/web';
import { type DeliveryFault, deliveryError } from '../errors.ts';

/** What the server answered instead of a result; for the log, and for whoever has to decide by it. */
export interface TelegramRefusal {
  readonly status: number;
  readonly description: string;
  /** The chat has this id now. */
  readonly movedTo?: number | undefined;
}

/**
 * Translates whatever a call threw. The error of the library is not kept as a cause: it holds the address of the call, and with it the
 * token of the bot.
 */
export function toFault(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof GrammyError) return fromRefusal(thrown);
  if (thrown instanceof HttpError && isBeforeSending(thrown.error)) return deliveryError('unavailable');
  return deliveryError('uncertain');
}

/** @returns undefined when the server said nothing that can be read */
export function refusalOf(thrown: unknown): TelegramRefusal | undefined {
  if (!(thrown instanceof AppError)) return undefined;
  const { detail } = thrown;
  const isRefusal =
    typeof detail === 'object' && detail !== null && 'status' in detail && 'description' in detail;
  return isRefusal ? (detail as TelegramRefusal) : undefined; // safe: only fromRefusal makes such a detail here
}

function fromRefusal({ error_code: status, description, parameters }: GrammyError): AppError {
  const { retry_after, migrate_to_chat_id: movedTo } = parameters;
  const detail: TelegramRefusal = { status, description, ...(movedTo === undefined ? {} : { movedTo }) };
  if (status === 429) return refused('exhausted', detail, undefined, Math.max(1, retry_after ?? 1) * 1000);
  // Nobody can tell whether it broke before or after the message was taken.
  if (status >= 500) return refused('uncertain', detail);
  // A token that is not known: nothing happened, and it is not the message's fault.
  if (status === 401) return refused('unavailable', detail, TOKEN_REFUSED);
  // No such bot, or no such call: a server in between says so too.
  if (status === 404) return refused('unavailable', detail, NOT_FOUND);
  return refused('rejected', detail, wordsOf(detail));
}

function refused(
  kind: DeliveryFault,
  detail: TelegramRefusal,
  message?: string,
  retryAfterMs?: number,
): AppError {
  const { code, message: usual } = deliveryError(kind);
  return new AppError({
    code,
    kind,
    message: message ?? usual,
    detail,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const NOT_FOUND = 'Telegram does not know this bot or this call. Nothing was sent; it is tried again.';

export const TOKEN_REFUSED =
  'Telegram refuses the token of the bot. Make a new one with @BotFather and store it: agent-runtime secret set TELEGRAM_TOKEN. Until then this one is tried again at least every ten minutes.';

/** Reasons of the server, and what they mean for people. The first that fits counts; the server's own text may hold words of the message. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/bot was blocked/i, 'This person has blocked the bot.'],
  [/user is deactivated/i, 'The account of this person is gone.'],
  [/can't initiate conversation/i, 'This person must write to the bot first.'],
  [/bot was kicked|bot is not a member/i, 'The bot is not in this chat any more.'],
  [
    /upgraded to a supergroup/i,
    'This group has become a supergroup with another address. Nothing was sent to it; ask again there.',
  ],
  [/chat not found|CHANNEL_PRIVATE|PEER_ID_INVALID/i, 'This chat is gone, or the bot was never in it.'],
  [/thread not found|TOPIC_DELETED/i, 'This topic is gone.'],
  [/TOPIC_CLOSED/i, 'This topic is closed.'],
  [
    /not enough rights|CHAT_WRITE_FORBIDDEN|CHAT_SEND_\w+_FORBIDDEN|have no rights/i,
    'The bot may not write in this chat.',
  ],
  [/can't parse|entit(?:y|ies)|ENTITY/i, 'Telegram cannot read the formatting of this message.'],
  [/too long|too large|too big/i, 'Telegram takes no message of this size.'],
  [/text is empty|text must be non-empty|file must be non-empty/i, 'Telegram takes no empty message.'],
  [/to edit not found/i, 'The message to change is gone.'],
  [/can't be edited/i, 'The message cannot be changed any more.'],
  [/BUTTON|keyboard/i, 'Telegram cannot show the buttons of this message.'],
];

function wordsOf({ status, description }: TelegramRefusal): string {
  const reason = REASONS.find(([pattern]) => pattern.test(description))?.[1];
  return reason ?? `Telegram refuses this message for good (${status}).`;
}

const NEVER_CONNECTED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Whether it failed while connecting: then no byte of the message left. A line that breaks later may have carried all of it. */
function isBeforeSending(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 3) return false;
  const code = 'code' in error ? error.code : undefined;
  const call = 'syscall' in error ? error.syscall : undefined;
  if (NEVER_CONNECTED.has(code) || call === 'connect' || call === 'getaddrinfo') return true;
  // node-fetch keeps the code of the cause and its words, but not the name of the system call.
  if (/reason: (?:connect|getaddrinfo) E[A-Z]+/.test(error.message)) return true;
  return isBeforeSending(error.cause, depth + 1);
}

/** The server says that the message is already as it should be. */
export function isUnmodified(thrown: unknown): boolean {
  return /message is not modified/i.test(refusalOf(thrown)?.description ?? '');
}

/** The message that was to be changed cannot be changed: it is gone, or no longer ours to change. */
export function isUneditable(thrown: unknown): boolean {
  return /message to edit not found|message can't be edited|MESSAGE_ID_INVALID/i.test(
    refusalOf(thrown)?.description ?? '',
  );
}
