import { DISCORD_LIMIT_CHARS, renderDiscord } from './discord.ts';
import { renderTelegram, TELEGRAM_LIMIT_CHARS, type TelegramPart } from './telegram.ts';

/** More messages than this in a row are a wall; the rest is read better as a file. */
export const MOST_PARTS = 5;
/** Markdown is never so much longer than what is seen of it, unless somebody wants it to be. */
const MOST_MARKUP_SHARE = 8;

export interface RenderOptions {
  /** Most UTF-16 units of a part. */
  readonly limit?: number;
  /** Most parts before a file is made. */
  readonly maxParts?: number;
}

/** What goes out for one answer: all its parts, or the first part and the whole as a file. */
export interface Rendered<Part> {
  readonly parts: readonly Part[];
  readonly file?: AnswerFile;
}

export interface AnswerFile {
  readonly name: 'answer.md';
  /** The Markdown itself, as it was given. */
  readonly content: string;
}

/** Telegram's parts of an answer, or its first part and a file when they would be more than `maxParts` (default 5). Pure, never throws. */
export function renderTelegramOrFile(markdown: string, options: RenderOptions = {}): Rendered<TelegramPart> {
  const limit = options.limit ?? TELEGRAM_LIMIT_CHARS;
  return renderOrFile(markdown, (text) => renderTelegram(text, { limit }), { ...options, limit });
}

/** The same for Discord. */
export function renderDiscordOrFile(markdown: string, options: RenderOptions = {}): Rendered<string> {
  const limit = options.limit ?? DISCORD_LIMIT_CHARS;
  return renderOrFile(markdown, (text) => renderDiscord(text, { limit }), { ...options, limit });
}

function renderOrFile<Part>(
  markdown: string,
  render: (text: string) => readonly Part[],
  { limit, maxParts = MOST_PARTS }: RenderOptions & { readonly limit: number },
): Rendered<Part> {
  // Of what is far too long, only the beginning is looked at: cost ends where usefulness does.
  const mostChars = limit * maxParts * MOST_MARKUP_SHARE;
  const parts = render(markdown.slice(0, mostChars));
  if (markdown.length <= mostChars && parts.length <= maxParts) return { parts };
  return { parts: parts.slice(0, 1), file: { name: 'answer.md', content: markdown } };
}
