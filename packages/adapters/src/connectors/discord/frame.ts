import { cutText, type LiveFrame } from '@agent-runtime/domain';
import { MessageFlags } from 'discord.js';
import { DISCORD_LIMIT_CHARS, renderDiscord } from '../markdown/index.ts';
import { isSnowflake } from './snowflake.ts';

const MAX_PROGRESS_CHARS = 150;
const MORE = ' …';

/**
 * The body of a live message: the beginning of the words so far, and in small letters what is being done.
 * @param isNew a new message also says what it answers
 */
export function frameBody(frame: LiveFrame, isNew: boolean): Record<string, unknown> {
  const progress = cutText((frame.progress ?? '').replace(/\s+/g, ' ').trim(), MAX_PROGRESS_CHARS);
  const small = progress === '' ? '' : `-# ${progress}`;
  const limit = DISCORD_LIMIT_CHARS - small.length - MORE.length - 1;
  const [first = '', ...rest] = renderDiscord(frame.text, { limit });
  const words = rest.length > 0 ? `${first}${MORE}` : first;
  const content = [words.trim(), small].filter((one) => one !== '').join('\n');
  const reference = isNew && isSnowflake(frame.replyTo) ? referenceTo(frame.replyTo) : {};
  return {
    content: content === '' ? '…' : content,
    allowed_mentions: NO_MENTIONS,
    flags: MessageFlags.SuppressEmbeds,
    ...reference,
  };
}

/** Nobody is ever called by the words of a model. */
export const NO_MENTIONS = { parse: [] as string[], replied_user: false };

export function referenceTo(message: string) {
  return { message_reference: { message_id: message, fail_if_not_exists: false } };
}
