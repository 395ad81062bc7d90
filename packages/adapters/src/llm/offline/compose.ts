import { isRelated, isTypo, subjectOf, wordsOf } from '../../search/words.ts';
import type { Found } from './results.ts';

/** Said in every answer, so that nobody takes a quotation for a thought. */
export const NO_MODEL = 'No model is configured: these are quotations, I cannot reason about them.';

const MAX_ALSO = 2;
const MAX_ALSO_CHARS = 110;
/** Share of the question's words that a passage must hold to count as an answer. */
const MIN_COVERAGE = 0.34;

export interface Quotation extends Found {
  readonly heading: string;
}

/** Answer from the best passage, with its place, and where else to look. */
export function answerOf(question: string, best: Quotation, others: readonly Found[]): string {
  const place = `${best.path}:${best.line}`;
  const also = others
    .filter((other) => !isInside(other, best) && !other.lines.every((line) => /^#{1,6}\s/.test(line)))
    .slice(0, MAX_ALSO)
    .map((other) => `- ${other.path}:${other.line} ${shortened(other.lines)}`);
  const fits = coverageOf(question, `${best.path} ${best.heading} ${best.lines.join(' ')}`) >= MIN_COVERAGE;
  const opening = fits ? [] : ['I found nothing in the notes that answers this. The nearest is:', ''];
  return [
    ...opening,
    ...best.lines,
    `(${place})`,
    ...(also.length === 0 ? [] : ['', 'See also:', ...also]),
    '',
    NO_MODEL,
  ].join('\n');
}

export function nothingFound(query: string): string {
  return `I found nothing about "${query.slice(0, 120)}" in the notes that may be read here. No model is configured, so I cannot answer in my own words.`;
}

export const GREETING_TEXT =
  'I am here. No model is configured, so I look up your questions in the notes and quote what I find, with file and line. Ask me something.';
export const THANKS_TEXT = 'You are welcome. No model is configured, but I can look up more in the notes.';
export const ORDER_TEXT =
  'That needs a model, and none is configured. I can only look things up in the notes and quote them.';
export const NO_SEARCH_TEXT =
  'No model is configured, and this place does not allow a search of the notes, so I cannot answer.';

/** @param why what the tool said, one line */
export function searchFailed(why: string): string {
  return `I could not search the notes: ${why.replace(/\s+/g, ' ').trim().slice(0, 200)} No model is configured, so I cannot answer otherwise.`;
}

function isInside(other: Found, best: Found): boolean {
  return other.path === best.path && other.line >= best.line && other.line < best.line + best.lines.length;
}

function shortened(lines: readonly string[]): string {
  const text = lines
    .map((line) => line.replace(/^[\s|*+>#-]+/, '').trim())
    .filter((line) => line !== '')
    .join(' ');
  return text.length <= MAX_ALSO_CHARS ? text : `${text.slice(0, MAX_ALSO_CHARS - 1).trimEnd()}…`;
}

/** Share of the subject of a question that a text speaks of, 0..1; 1 for a question without a subject. */
function coverageOf(question: string, text: string): number {
  const subject = subjectOf(question);
  if (subject.length === 0) return 1;
  const stems = new Set(wordsOf(text).map(({ stem }) => stem));
  const isThere = (stem: string): boolean =>
    stems.has(stem) || [...stems].some((other) => isRelated(stem, other) || isTypo(stem, other));
  return subject.filter(({ stem }) => isThere(stem)).length / subject.length;
}
