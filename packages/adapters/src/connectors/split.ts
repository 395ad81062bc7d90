/** Fences longer than this are treated as plain text: nobody writes them, and they would eat the room of a part. */
const FENCE = /^ {0,3}(`{3,10}|~{3,10})([^`\n]*)$/;
const MAX_INFO_CHARS = 20;
/** Room for a closing fence and its newline. */
const CLOSING_CHARS = 12;
/** A part is cut no earlier than this share of its room, or small pieces would rain. */
const MIN_SHARE = 0.4;
export const MIN_PART_CHARS = 100;

interface OpenFence {
  readonly marker: string;
  readonly info: string;
}

/**
 * Splits a long text for a chat that limits its messages: between paragraphs if possible, else between lines, sentences, words.
 * A code block that is cut is closed at the end of its part and opened again in the next.
 * @param limitChars most UTF-16 units of a part, at least 100
 * @returns at least one part, each 0 < length <= limit (one empty part for an empty text); pure
 */
export function splitText(text: string, limitChars: number): readonly string[] {
  const limit = Math.max(MIN_PART_CHARS, Math.floor(limitChars));
  const parts: string[] = [];
  let rest = text;
  let head = '';
  while (head.length + rest.length > limit) {
    const room = limit - head.length - CLOSING_CHARS;
    const cut = cutOf(rest, room, head);
    const body = head + rest.slice(0, cut.at);
    const fence = openFence(body);
    parts.push(fence === undefined ? body.trimEnd() : `${body.trimEnd()}\n${fence.marker}`);
    head = fence === undefined ? '' : `${fence.marker}${fence.info}\n`;
    rest = rest.slice(cut.at + cut.dropped);
  }
  const last = head + rest;
  // Nothing but the fence that was opened again: the block ended exactly at the cut.
  if (rest.trim() !== '' || parts.length === 0) parts.push(last);
  return parts.filter((part, index) => part.trim() !== '' || (index === 0 && parts.length === 1));
}

interface Cut {
  readonly at: number;
  /** White space swallowed between the parts. */
  readonly dropped: number;
}

function cutOf(text: string, room: number, head: string): Cut {
  const least = Math.floor(room * MIN_SHARE);
  const paragraph = paragraphCut(text, room, least, head);
  if (paragraph !== undefined) return paragraph;
  const line = text.lastIndexOf('\n', room);
  if (line > least) return { at: line, dropped: 1 };
  const sentence = lastSentenceEnd(text, room);
  if (sentence > least) return { at: sentence, dropped: 1 };
  const space = text.lastIndexOf(' ', room);
  if (space > least) return { at: space, dropped: 1 };
  return { at: isInsidePair(text, room) ? room - 1 : room, dropped: 0 };
}

function paragraphCut(text: string, room: number, least: number, head: string): Cut | undefined {
  for (let at = text.lastIndexOf('\n\n', room); at > least; at = text.lastIndexOf('\n\n', at - 1)) {
    if (openFence(head + text.slice(0, at)) !== undefined) continue;
    const blank = /^\n+/.exec(text.slice(at));
    return { at, dropped: blank?.[0].length ?? 2 };
  }
  return undefined;
}

function lastSentenceEnd(text: string, room: number): number {
  for (let at = text.lastIndexOf(' ', room); at > 0; at = text.lastIndexOf(' ', at - 1)) {
    if ('.!?;:'.includes(text.charAt(at - 1))) return at;
  }
  return -1;
}

function isInsidePair(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

/** The code block that is still open at the end of a text. */
function openFence(text: string): OpenFence | undefined {
  let open: OpenFence | undefined;
  for (const line of text.split('\n')) {
    const [, marker = '', info = ''] = FENCE.exec(line) ?? [];
    if (marker === '') continue;
    if (open === undefined) open = { marker, info: info.trim().slice(0, MAX_INFO_CHARS) };
    else if (marker.startsWith(open.marker) && info.trim() === '') open = undefined;
  }
  return open;
}
