import type { Entity, RichText } from './rich-text.ts';

/** Telegram leaves out what is over this number; so that it is known what is left out, we do it. */
const MOST_ENTITIES = 100;
/** A part is cut no earlier than this share of its room, or small pieces would rain. */
const MIN_SHARE = 0.4;

/**
 * Cuts rich text into parts of at most `limit` UTF-16 units: between paragraphs, else lines, sentences, words; a code block only where
 * nothing else is in reach. Entities are cut with their text, white space at the cuts goes, no surrogate pair is torn.
 * @returns no empty part; none at all for white space. Pure
 */
export function splitRich({ text, entities }: RichText, limit: number): readonly RichText[] {
  const parts: RichText[] = [];
  let pending = entities;
  for (let start = skipBlankLines(text, 0); start < text.length; ) {
    const end = text.length - start <= limit ? text.length : cutAt(text, start, limit, pending);
    const part = partOf(text, start, end, pending);
    if (part.text !== '') parts.push(part);
    start = skipBlankLines(text, end);
    pending = pending.filter((entity) => entity.offset + entity.length > start);
  }
  return parts;
}

/** Lines of white space go, the indentation of the first line with words stays where a part begins with it. */
function skipBlankLines(text: string, at: number): number {
  const [blank = ''] = matchAt(/[^\S\n]*\n\s*\n|[^\S\n]*\n|[^\S\n]+$/y, text, at);
  return at + blank.length;
}

function matchAt(pattern: RegExp, text: string, at: number): readonly string[] {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? [];
}

function cutAt(text: string, start: number, limit: number, entities: readonly Entity[]): number {
  const window = text.slice(start, start + limit + 1);
  const least = Math.floor(limit * MIN_SHARE);
  const blocks = entities.filter(({ type, offset }) => type === 'pre' && offset < start + limit);
  const isInBlock = (at: number): boolean =>
    blocks.some(({ offset, length }) => offset < start + at && start + at < offset + length);
  const paragraph = lastCut(window, '\n\n', limit, least, isInBlock);
  if (paragraph !== -1) return start + paragraph;
  const line = lastCut(window, '\n', limit, least, isInBlock);
  if (line !== -1) return start + line;
  const codeLine = lastCut(window, '\n', limit, least, (at) => /^\s/.test(window.slice(at + 1, at + 2)));
  if (codeLine !== -1) return start + codeLine;
  const anyLine = window.lastIndexOf('\n', limit);
  if (anyLine >= least) return start + anyLine;
  const sentence = lastCut(window, ' ', limit, least, (at) => !'.!?;:'.includes(window.charAt(at - 1)));
  if (sentence !== -1) return start + sentence;
  const space = window.lastIndexOf(' ', limit);
  if (space >= least) return start + space;
  const isTorn = /^[\udc00-\udfff]/.test(window.slice(limit));
  return start + (isTorn ? limit - 1 : limit);
}

/** The last place of a mark that is no later than `limit`, no earlier than `least`, and not refused. */
function lastCut(
  text: string,
  mark: string,
  limit: number,
  least: number,
  isRefused: (at: number) => boolean,
): number {
  for (let at = text.lastIndexOf(mark, limit); at >= least && at > 0; at = text.lastIndexOf(mark, at - 1))
    if (!isRefused(at)) return at;
  return -1;
}

function partOf(text: string, from: number, to: number, entities: readonly Entity[]): RichText {
  const raw = text.slice(from, to);
  const start = from + raw.length - raw.trimStart().length;
  const end = Math.max(start, from + raw.trimEnd().length);
  const inside = entities.flatMap((entity) => {
    const cut = clip(entity, text, start, end);
    return cut === undefined ? [] : [cut];
  });
  return { text: text.slice(start, end), entities: mostUseful(inside) };
}

/** An entity within a part, without white space at its ends. */
function clip(entity: Entity, text: string, start: number, end: number): Entity | undefined {
  const from = Math.max(entity.offset, start);
  const to = Math.min(entity.offset + entity.length, end);
  if (from >= to) return undefined;
  const words = text.slice(from, to);
  const offset = from + words.length - words.trimStart().length - start;
  const length = words.trim().length;
  return length === 0 ? undefined : { ...entity, offset, length };
}

/** Too many: only what would be lost without them stays, or nothing. */
function mostUseful(entities: readonly Entity[]): readonly Entity[] {
  if (entities.length <= MOST_ENTITIES) return entities;
  const links = entities.filter(({ type }) => type === 'text_link' || type === 'pre');
  return links.length <= MOST_ENTITIES ? links : [];
}
