import { AppError } from '@agent-runtime/domain';

/** A 4xx of Discord, without its words. */
export interface RefusedCall {
  readonly status: number;
  /** Discord's own number of the error; 0 when it gave none. */
  readonly code: number;
}

export const UNKNOWN_CHANNEL = 10_003;
export const UNKNOWN_MESSAGE = 10_008;
export const UNKNOWN_WEBHOOK = 10_015;
export const UNKNOWN_INTERACTION = 10_062;
export const ALREADY_ANSWERED = 40_060;
export const INVALID_WEBHOOK_TOKEN = 50_027;

const WORDS: Readonly<Record<number, string>> = {
  [UNKNOWN_CHANNEL]: 'This channel is gone, or the bot was never in it.',
  [UNKNOWN_MESSAGE]: 'This message is gone.',
  50001: 'The bot may not see this channel. Give its role "View Channel" there.',
  50007: 'This person takes no direct messages from the bot.',
  50013:
    'The bot may not do this here. Give its role "Send Messages", "Embed Links", "Attach Files" and "Read Message History" there.',
  50035: 'Discord does not accept the form of this message.',
  40005: 'The file is too large for Discord.',
  160005: 'This thread is locked.',
  50083: 'This thread is archived.',
};

/** @returns words that are safe to show anyone */
export function wordsOfRefusal({ status, code }: RefusedCall): string {
  return WORDS[code] ?? `Discord refuses this for good (${status}${code > 0 ? `, code ${code}` : ''}).`;
}

/** Reads what Discord refused, if it was that. */
export function refusalOf(error: unknown): RefusedCall | undefined {
  if (!(error instanceof AppError)) return undefined;
  const { detail } = error;
  if (typeof detail !== 'object' || detail === null || !('status' in detail) || !('code' in detail))
    return undefined;
  return { status: Number(detail.status), code: Number(detail.code) };
}

/** The address of an answer to a command is no longer good. */
export function isLateAnswer(error: unknown): boolean {
  const refused = refusalOf(error);
  if (refused === undefined) return false;
  return refused.status === 404 || refused.status === 401 || refused.code === INVALID_WEBHOOK_TOKEN;
}

export function isGone(error: unknown): boolean {
  return refusalOf(error)?.status === 404;
}
