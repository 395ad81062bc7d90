/** How a text changes, line by line. */
export interface LineDiff {
  readonly added: number;
  readonly removed: number;
  /** Unified, three lines around each change, removals first; bounded. */
  readonly text: string;
  /** True when `text` ends before the changes do; the counts are of all of them. */
  readonly isCut: boolean;
}

type Mark = ' ' | '-' | '+';
interface Line {
  readonly mark: Mark;
  readonly text: string;
}

const CONTEXT_LINES = 3;
const MAX_CELLS = 2_000_000;
const MAX_DIFF_LINES = 1_000;
const MAX_DIFF_CHARS = 100_000;
const NO_LINE_BREAK = '\n\\ No newline at end of file';

/**
 * The change from one text to another. Texts too different for an exact comparison are one removal and one addition, so the work stays
 * bounded and nothing of the change is left out.
 */
export function lineDiff(before: string, after: string): LineDiff {
  const lines = compare(linesOf(before), linesOf(after));
  const text = hunksOf(lines);
  const shown = text.slice(0, MAX_DIFF_LINES).join('\n');
  return {
    added: lines.filter((line) => line.mark === '+').length,
    removed: lines.filter((line) => line.mark === '-').length,
    text: shown.slice(0, MAX_DIFF_CHARS),
    isCut: text.length > MAX_DIFF_LINES || shown.length > MAX_DIFF_CHARS,
  };
}

/** A missing last line break is part of the bytes, and so of the last line. */
function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, last + NO_LINE_BREAK];
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return [
    ...marked(before.slice(0, head), ' '),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...marked(before.slice(before.length - tail), ' '),
  ];
}

function marked(lines: readonly string[], mark: Mark): readonly Line[] {
  return lines.map((text) => ({ mark, text }));
}

function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  if (before.length * after.length > MAX_CELLS) return [...marked(before, '-'), ...marked(after, '+')];
  const width = after.length + 1;
  const at = commonLengths(before, after, width);
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const old = before[i];
    const fresh = after[j];
    if (old !== undefined && old === fresh) {
      lines.push({ mark: ' ', text: old });
      i += 1;
      j += 1;
    } else if (
      old !== undefined &&
      (fresh === undefined || (at[(i + 1) * width + j] ?? 0) >= (at[i * width + j + 1] ?? 0))
    ) {
      lines.push({ mark: '-', text: old });
      i += 1;
    } else {
      lines.push({ mark: '+', text: fresh ?? '' });
      j += 1;
    }
  }
  return lines;
}

/** Lengths of the longest common subsequences of all pairs of ends, row by row. */
function commonLengths(before: readonly string[], after: readonly string[], width: number): Uint32Array {
  const at = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const down = at[(i + 1) * width + j] ?? 0;
      const right = at[i * width + j + 1] ?? 0;
      const both = (at[(i + 1) * width + j + 1] ?? 0) + 1;
      at[i * width + j] = before[i] === after[j] ? both : Math.max(down, right);
    }
  }
  return at;
}

/** The changed lines with a few around them; `@@ -line +line @@` where lines are left out. */
function hunksOf(lines: readonly Line[]): readonly string[] {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ mark }, index) => {
    if (mark !== ' ') near.fill(1, Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1);
  });
  const out: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  lines.forEach(({ mark, text }, index) => {
    if (near[index] === 1) {
      if (near[index - 1] !== 1) out.push(`@@ -${oldLine} +${newLine} @@`);
      out.push(mark + text);
    }
    if (mark !== '+') oldLine += 1;
    if (mark !== '-') newLine += 1;
  });
  return out;
}
