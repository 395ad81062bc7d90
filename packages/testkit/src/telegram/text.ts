import { badRequest } from './refusal.ts';
import type { TelegramEntity } from './wire.ts';

/** Text with what is marked in it. */
export interface FormattedText {
  readonly text: string;
  readonly entities: readonly TelegramEntity[];
}

const PATTERNS: readonly (readonly [type: string, pattern: RegExp])[] = [
  [
    'url',
    /(?<![\w@.])(?:https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}']|(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev)\b)/gi,
  ],
  ['email', /(?<![\w.+-])[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+/gi],
  ['bot_command', /(?<![\w/@<>])\/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])/g],
  ['mention', /(?<![\w@/])@[A-Za-z][A-Za-z0-9_]{2,31}(?!\w)/g],
  ['hashtag', /(?<![\p{L}\p{N}_#])#[\p{L}\p{N}_]*[\p{L}_][\p{L}\p{N}_]*/gu],
];

/** Marks that others may lie in; in code and links the server looks for nothing. */
const DECORATIONS: ReadonlySet<string> = new Set([
  'bold',
  'italic',
  'underline',
  'strikethrough',
  'spoiler',
  'blockquote',
  'expandable_blockquote',
]);

/** What the server marks by itself: links, addresses, commands, mentions, hashtags; where two overlap the first of these stays. */
export function findEntities(text: string): readonly TelegramEntity[] {
  const found: TelegramEntity[] = [];
  for (const [type, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const entity = { type, offset: match.index, length: match[0].length };
      if (!found.some((other) => overlaps(other, entity))) found.push(entity);
    }
  }
  return found.sort(byPlace);
}

/** Marks of a text that a sender chose, and those the server adds where nothing of them is. */
export function withFoundEntities({ text, entities }: FormattedText): FormattedText {
  const own = entities.filter((entity) => isInside(entity, text));
  const closed = own.filter(({ type }) => !DECORATIONS.has(type));
  const added = findEntities(text).filter((entity) => !closed.some((other) => overlaps(other, entity)));
  return { text, entities: [...own, ...added].sort(byPlace) };
}

/** What the server takes out: returns, lines between words, changes of direction, marks that paint over other lines. */
const REMOVED = /[\r\u2028-\u202e\u030a\u0333\u033f]/gu;

/** What shows nothing; a text of these alone is none. */
const BLANK = /^[\s\u180e\u200b-\u200f\u2060\u2800\ufffc]*$/u;

/** Whether nothing of a text can be seen. */
export function isBlank(text: string): boolean {
  return BLANK.test(text);
}

/**
 * As the server stores a text: some characters go, control characters become spaces, space at both ends goes, marks follow.
 * @throws Refusal 400 for a text with half a surrogate pair, which has no UTF-8
 */
export function cleanText({ text, entities }: FormattedText): FormattedText {
  if (!text.isWellFormed()) throw badRequest('strings must be encoded in UTF-8');
  const kept = entities.filter((entity) => isInside(entity, text));
  const shown = withoutRemoved({ text, entities: kept });
  const clean = shown.text.replace(/[\0-\x08\x0b-\x1f]/g, ' ');
  // Only these: wider spaces stay at the ends, as on the real server.
  const start = /^[ \t\n]*/.exec(clean)?.[0].length ?? 0;
  const trimmed = clean.slice(start).replace(/[ \t\n]+$/, '');
  const moved = shown.entities.flatMap((entity) => clip(entity, start, trimmed.length));
  return { text: trimmed, entities: moved };
}

function withoutRemoved({ text, entities }: FormattedText): FormattedText {
  const left = text.replace(REMOVED, '');
  if (left.length === text.length) return { text, entities };
  const placeOf = (end: number): number => text.slice(0, end).replace(REMOVED, '').length;
  return {
    text: left,
    entities: entities.map((entity) => {
      const offset = placeOf(entity.offset);
      return { ...entity, offset, length: placeOf(entity.offset + entity.length) - offset };
    }),
  };
}

function clip(entity: TelegramEntity, start: number, length: number): readonly TelegramEntity[] {
  const offset = Math.max(0, entity.offset - start);
  const end = Math.min(length, entity.offset + entity.length - start);
  return end > offset ? [{ ...entity, offset, length: end - offset }] : [];
}

function isInside({ offset, length }: TelegramEntity, text: string): boolean {
  return offset >= 0 && length > 0 && offset + length <= text.length;
}

function overlaps(one: TelegramEntity, other: TelegramEntity): boolean {
  return one.offset < other.offset + other.length && other.offset < one.offset + one.length;
}

function byPlace(one: TelegramEntity, other: TelegramEntity): number {
  return one.offset - other.offset || other.length - one.length;
}
