/** What stands in place of `source.slice(start, end)`. */
export interface SourceEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** A code block: the only place where three backticks may stand. */
  readonly isCode?: boolean;
}

const ZERO_WIDTH_SPACE = '\u200b';

/**
 * Carries out edits on a range of a source; all else stays byte for byte, but three backticks outside code blocks are taken apart:
 * Discord would pair them with the next ones, and what was code would be text.
 * @param edits in any order; one that begins within another is left out
 */
export function applyEdits(source: string, start: number, end: number, edits: readonly SourceEdit[]): string {
  let said = '';
  let words = '';
  let at = start;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (edit.start < at) continue;
    words += source.slice(at, edit.start);
    at = edit.end;
    if (edit.isCode !== true) words += edit.text;
    else {
      said += withoutFences(words) + edit.text;
      words = '';
    }
  }
  return said + withoutFences(words + source.slice(at, end));
}

/** Runs of three backticks and more, made harmless; they look the same. */
export function withoutFences(text: string): string {
  return text.replace(/`{3,}/g, (run) => [...run].join(ZERO_WIDTH_SPACE));
}
