/** East Asian wide characters that are no emoji. Source: Unicode 16, EastAsianWidth.txt, neighbours merged. */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2630, 0x2637],
  [0x268a, 0x268f],
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0xa4c6],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x1b2fb],
  [0x1d300, 0x1d376],
  [0x1f1ae, 0x1f1e5],
  [0x1f200, 0x1f265],
  [0x1f6d9, 0x1f6d9],
  [0x1f7da, 0x1f7da],
  [0x1fa8b, 0x1fafa],
  [0x20000, 0x3fffd],
];
const PLAIN = /^[ -~]*$/;
// Half a flag is narrow; a whole one is an emoji of its own.
const EMOJI = /^[\p{Emoji_Presentation}--\p{Regional_Indicator}]/v;
// To compile it took V8 half of the time that the first screen takes to draw: asked last.
const RGI_EMOJI = /^\p{RGI_Emoji}$/v;
const MAY_BE_EMOJI = /^\p{Emoji}/v;
const MARK =
  /^[\p{Nonspacing_Mark}\p{Enclosing_Mark}\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}]$/v;
const SEGMENTER = new Intl.Segmenter();
const ELLIPSIS = '…';

/** Columns that a text takes on a terminal. */
export function cells(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += clusterCells(segment);
  return width;
}

/** One thing that a reader sees as a character. Conjoined Korean letters count as their first. */
function clusterCells(cluster: string): number {
  if (cluster.length === 1 && PLAIN.test(cluster)) return 1;
  if (isEmoji(cluster)) return 2;
  let width = 0;
  let hasLead = false;
  for (const char of cluster) {
    const code = char.codePointAt(0) ?? 0;
    if (MARK.test(char)) continue;
    if (isJamoTail(code) && hasLead) continue;
    const own = isWide(code, char) ? 2 : 1;
    hasLead ||= own === 2;
    width += own;
  }
  return width;
}

function isEmoji(cluster: string): boolean {
  const isOne = cluster.length === ((cluster.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
  return isOne ? EMOJI.test(cluster) : MAY_BE_EMOJI.test(cluster) && RGI_EMOJI.test(cluster);
}

function isJamoTail(code: number): boolean {
  return (code >= 0x1160 && code <= 0x11ff) || (code >= 0xd7b0 && code <= 0xd7fb);
}

function isWide(code: number, char: string): boolean {
  if (code < 0x1100) return false;
  return EMOJI.test(char) || WIDE.some(([first, last]) => code >= first && code <= last);
}

/** The text in at most `width` columns, with … where something was cut. */
export function fit(text: string, width: number): string {
  if (width <= 0) return '';
  // Never more columns than code units times two; most texts are short and plain.
  if (text.length <= width && PLAIN.test(text)) return text;
  if (PLAIN.test(text)) return `${text.slice(0, width - 1)}${ELLIPSIS}`;
  return take(text, width)[1] ? text : `${take(text, width - 1)[0]}${ELLIPSIS}`;
}

/** As many whole characters from the front as go into `width` columns. */
function take(text: string, width: number): readonly [head: string, isWhole: boolean] {
  let used = 0;
  for (const { segment, index } of SEGMENTER.segment(text)) {
    const size = clusterCells(segment);
    if (used + size > width) return [text.slice(0, index), false];
    used += size;
  }
  return [text, true];
}

/** Exactly `width` columns: cut or filled with blanks at the end. */
export function pad(text: string, width: number): string {
  const cut = fit(text, width);
  return cut + ' '.repeat(Math.max(0, width - cells(cut)));
}

/** Lines of at most `width` columns, cut wherever they are full: every blank stays where it was. */
export function chop(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text.replaceAll('\t', '    ');
  for (;;) {
    const [head, isWhole] = take(rest, Math.max(2, width));
    if (isWhole) return [...lines, rest];
    lines.push(head);
    rest = rest.slice(head.length);
  }
}

/** Lines of at most `width` columns, broken at a blank where there is one. Nothing is left out but the blank at a break. */
export function wrap(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((line) => wrapLine(line.replaceAll('\t', '    '), Math.max(2, width)));
}

function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest !== '') {
    const [hard, isWhole] = take(rest, width);
    if (isWhole) break;
    const blank = hard.lastIndexOf(' ');
    const isAtBlank = rest[hard.length] === ' ';
    const end = isAtBlank || blank <= 0 ? hard.length : blank;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end);
    if (rest.startsWith(' ')) rest = rest.slice(1);
  }
  return [...lines, rest];
}
