/** One passage as a search result shows it. */
export interface Found {
  readonly path: string;
  /** First line, from 1. */
  readonly line: number;
  readonly lines: readonly string[];
}

const HIT = /^\s*((?:[^\s:]|[^\s:][^:\n]*[^\s:])\.md):(\d{1,7})(?:-\d+)?(?::\s?|\t|\s{1,4}|$)(.*)$/;

/**
 * Reads a result of `qmd_search`: lines `path:line  text`. Lines of one file that follow each other are one passage, a blank line
 * ends it, and a line without a place goes on with the one before.
 */
export function foundIn(text: string): readonly Found[] {
  const found: { path: string; line: number; lines: string[] }[] = [];
  let current: { path: string; line: number; lines: string[] } | undefined;
  for (const raw of text.split('\n')) {
    const [, path, number, rest = ''] = HIT.exec(raw) ?? [];
    if (path === undefined) {
      if (raw.trim() === '') current = undefined;
      else current?.lines.push(raw);
      continue;
    }
    const line = Number(number);
    if (current?.path === path && line === current.line + current.lines.length) {
      current.lines.push(rest);
      continue;
    }
    current = { path, line, lines: [rest] };
    found.push(current);
  }
  return found.filter(({ lines }) => lines.some((line) => line.trim() !== ''));
}

const NUMBERED = /^\s*(?:[^\s:][^:\n]*\.md:)?(\d{1,7})(?:\t|\s{2}| ?[|:] ?|$)(.*)$/;

/** Reads a result of `md_read`: numbered lines. @returns line number -> text; empty when it has another form */
export function linesIn(text: string): ReadonlyMap<number, string> {
  const lines = new Map<number, string>();
  for (const raw of text.split('\n')) {
    const [, number, rest = ''] = NUMBERED.exec(raw) ?? [];
    if (number !== undefined) lines.set(Number(number), rest);
  }
  return lines;
}

const TERM = /^\s*[-*+]\s+\*\*[^*]+\*\*/;
const MAX_LINES = 14;
const MAX_CHARS = 900;

/**
 * The whole of what a passage belongs to: from its first line to the end of its section, bounded.
 * @param lines around the passage, as read
 * @returns the passage as it was found when its lines were not read
 */
export function wholeOf(
  found: Found,
  lines: ReadonlyMap<number, string>,
): Found & { readonly heading: string } {
  const heading = headingAbove(found.line, lines);
  if (!lines.has(found.line)) return { ...found, heading };
  const whole: string[] = [];
  let chars = 0;
  for (let at = found.line; whole.length < MAX_LINES; at += 1) {
    const line = lines.get(at);
    if (line === undefined || (at > found.line && (/^#{1,6}\s/.test(line) || isNextTerm(found, line)))) break;
    chars += line.length + 1;
    if (chars > MAX_CHARS && whole.length > 0) break;
    whole.push(line);
  }
  while (whole.length > 0 && whole.at(-1)?.trim() === '') whole.pop();
  return { ...found, lines: whole, heading };
}

/** An item of a glossary ends where the next begins. */
function isNextTerm(found: Found, line: string): boolean {
  return TERM.test(found.lines[0] ?? '') && TERM.test(line);
}

function headingAbove(line: number, lines: ReadonlyMap<number, string>): string {
  for (let at = line; at > 0 && lines.has(at); at -= 1) {
    const [, text] = /^#{1,6}\s+(.*)$/.exec(lines.get(at) ?? '') ?? [];
    if (text !== undefined) return text.trim();
  }
  return '';
}
