/** `code` is a fenced block at the left edge, `plain` has nothing that Markdown reads, `markdown` is for the parser, `raw` is not worth it. */
export type SectionKind = 'code' | 'plain' | 'markdown' | 'raw';

/** A piece of a text that means the same when it is read alone. */
export interface SourceSection {
  readonly kind: SectionKind;
  readonly source: string;
  /** On the line behind the section before, with no blank line between. */
  readonly isClose: boolean;
}

const FENCE = /^(?:(`{3,})[^`]*|(~{3,}).*)$/;
const LIST_LINE = /^[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/;
const BLANK = /^[ \t]*$/;
const MARKS = /[\\`*_~[<]|^[ \t]*(?:[-+>#=|]|:-|\d{1,9}[.)])|^(?: {4}| {0,3}\t)/m;

/*
 * The parser takes more than linear time for what nobody writes: n delimiters in one paragraph, n nested containers, n headings that
 * are underlined. Measured on 4,000 characters, warm: `+ - ` 556 ms, `> - ` 232 ms, `a\n=\n` 107 ms, `*a_ ` 87 ms, `]` 58 ms, prose 1 ms.
 * A section over one of these numbers is shown as it was written.
 */
const MOST_CHARS = 16_000;
const MOST_LINES = 400;
const MOST_DELIMITERS = 800;
const MOST_UNDERLINES = 40;
const MOST_NESTED = 6;
/** Shorter ones stay with what follows: starting the parser costs as much as parsing so much prose. */
const LEAST_CHARS = 1_000;
/** All sections of one text together, each with what starting the parser costs. */
const MOST_DELIMITERS_IN_ALL = 8_000;
const SECTION_COST = 8;

/**
 * Cuts a clean text at blank lines and fences of the left edge, where no construct of Markdown goes on, so that each piece is parsed
 * alone: cost stays near linear, and prose and code need no parser at all. Pure, O(n).
 */
export function cutSections(text: string): readonly SourceSection[] {
  const sections: SourceSection[] = [];
  let delimiters = 0;
  for (const { isCode, source, isClose } of pieces(text)) {
    if (isCode) sections.push({ kind: 'code', source, isClose });
    else if (!hasMarks(source)) sections.push({ kind: 'plain', source, isClose });
    else {
      const cost = costOf(source);
      delimiters += cost + SECTION_COST;
      const isCheap = cost <= MOST_DELIMITERS && delimiters <= MOST_DELIMITERS_IN_ALL;
      sections.push({ kind: isCheap ? 'markdown' : 'raw', source, isClose });
    }
  }
  return sections;
}

/** Could Markdown read anything in here? */
export function hasMarks(text: string): boolean {
  return MARKS.test(text);
}

/** Delimiters in a section, or infinity when it is over another limit. */
function costOf(source: string): number {
  if (source.length > MOST_CHARS) return Number.POSITIVE_INFINITY;
  const lines = source.split('\n');
  if (lines.length > MOST_LINES) return Number.POSITIVE_INFINITY;
  if (lines.some((line) => nestingOf(line) > MOST_NESTED)) return Number.POSITIVE_INFINITY;
  if (lines.filter((line) => /^ {0,3}(?:=+|-+)[ \t]*$/.test(line)).length > MOST_UNDERLINES)
    return Number.POSITIVE_INFINITY;
  return source.match(/[*_~`[\]<!\\]/g)?.length ?? 0;
}

/** Containers that one line opens; a rule of `* * *` opens none. */
function nestingOf(line: string): number {
  if (/^ {0,3}([-*_])(?:[ \t]*\1)+[ \t]*$/.test(line)) return 0;
  const [head = ''] = /^[ \t>*+.)\d-]*/.exec(line) ?? [];
  return head.match(/>|[-*+](?=[ \t]|$)|\d[.)](?=[ \t]|$)/g)?.length ?? 0;
}

interface Piece {
  readonly isCode: boolean;
  readonly source: string;
  readonly isClose: boolean;
}

interface OpenPiece {
  /** Of the fence that is open, or undefined between fences. */
  fence: string | undefined;
  start: number;
  /** After its last line that is not blank. */
  end: number;
  hasList: boolean;
  isAfterBlank: boolean;
}

function pieces(text: string): readonly Piece[] {
  const found: Piece[] = [];
  let open = emptyAt(0);
  let lastEnd = 0;
  const close = (nextStart: number): void => {
    const { start, end, fence } = open;
    if (end > start) {
      found.push({
        isCode: fence !== undefined,
        source: text.slice(start, end),
        isClose: start === lastEnd + 1,
      });
      lastEnd = end;
    }
    open = emptyAt(nextStart);
  };
  for (let at = 0; at < text.length; ) {
    const lineEnd = text.indexOf('\n', at);
    const end = lineEnd === -1 ? text.length : lineEnd;
    const line = text.slice(at, end);
    const fence = FENCE.exec(line);
    if (open.fence !== undefined) {
      open.end = end;
      if (closesFence(line, open.fence)) close(end + 1);
    } else if (fence !== null) {
      close(at);
      open.fence = fence[1] ?? fence[2];
      open.end = end;
    } else {
      if (at - open.start >= LEAST_CHARS && startsAnew(line, open)) close(at);
      takeLine(line, open, end);
    }
    at = end + 1;
  }
  close(text.length);
  return found;
}

function emptyAt(start: number): OpenPiece {
  return { fence: undefined, start, end: start, hasList: false, isAfterBlank: false };
}

function takeLine(line: string, open: OpenPiece, end: number): void {
  open.isAfterBlank = BLANK.test(line);
  if (open.isAfterBlank) {
    // Blank lines before the first words are no part of it.
    if (open.end === open.start) Object.assign(open, { start: end + 1, end: end + 1 });
    return;
  }
  open.end = end;
  open.hasList ||= LIST_LINE.test(line);
}

/** After a blank line, what stands at the left edge continues nothing but a list. */
function startsAnew(line: string, open: OpenPiece): boolean {
  if (!open.isAfterBlank || /^[ \t]/.test(line) || line === '') return false;
  return !(open.hasList && LIST_LINE.test(line));
}

function closesFence(line: string, fence: string): boolean {
  const [, marker = ''] = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line) ?? [];
  return marker.startsWith(fence);
}
