import type { SearchHit } from '@agent-runtime/domain';
import type { Passage } from './passage.ts';
import { isRelated, isTypo, subjectOf, type Word, wordsOf } from './words.ts';

/** A note as the ranking sees it. */
export interface Note {
  readonly path: string;
  readonly passages: readonly Passage[];
}

/** BM25: how fast repeats of a word stop counting, and how much long passages pay. */
const K1 = 1.2;
const B = 0.6;
/** A word in the heading says more about a passage than one in its text, one in the path less. */
const HEADING_WEIGHT = 2;
const AROUND_WEIGHT = 0.6;
/** Share of its weight that a related word brings: a longer form, or a slip of the pen when the word itself stands nowhere. */
const RELATED_WEIGHT = 0.5;
const TYPO_WEIGHT = 0.4;
/** A heading alone says where to look, but answers nothing. */
const BARE_HEADING_SHARE = 0.4;
const MAX_HITS_PER_NOTE = 3;
const MAX_SNIPPET_CHARS = 900;
const MAX_SNIPPET_LINES = 8;

interface Scored {
  readonly note: Note;
  readonly passage: Passage;
  readonly score: number;
}

/**
 * Ranks the passages of these notes, and of no others: every count below is over what it is given, so that hidden notes leave no trace.
 * @returns best first, at most `limit`, at most three per note; pure
 */
export function rank(notes: readonly Note[], question: string, limit: number): readonly SearchHit[] {
  const subject = subjectOf(question);
  if (subject.length === 0 || limit <= 0) return [];
  const all = notes.flatMap((note) =>
    note.passages.map((passage) => ({ note, passage, bag: bagOf(passage) })),
  );
  const terms = fanOut(
    subject,
    all.map(({ bag }) => bag),
  );
  const average = all.reduce((sum, { passage }) => sum + passage.words.length, 0) / Math.max(1, all.length);
  const asked = wordsOf(question);
  const scored = all
    .map(({ note, passage, bag }) => ({
      note,
      passage,
      score: scoreOf(passage, bag, terms, average, asked, subject),
    }))
    .filter(({ score }) => score > 0)
    .sort(
      (a, b) => b.score - a.score || compare(a.note.path, b.note.path) || a.passage.line - b.passage.line,
    );
  return spread(scored, limit).map((one) => hitOf(one, terms));
}

/** Word -> how much of it a passage holds, over its text, heading and surroundings. */
type Bag = ReadonlyMap<string, number>;

function bagOf(passage: Passage): Bag {
  const bag = new Map<string, number>();
  const add = (words: readonly Word[], weight: number): void => {
    for (const { stem } of words) bag.set(stem, (bag.get(stem) ?? 0) + weight);
  };
  add(passage.words, 1);
  add(passage.heading, HEADING_WEIGHT);
  add(passage.around, AROUND_WEIGHT);
  return bag;
}

/** A word that was asked for, the words that stand for it with their weights, and how rare it is. */
interface Term {
  readonly forms: ReadonlyMap<string, number>;
  readonly rarity: number;
}

function fanOut(subject: readonly Word[], bags: readonly Bag[]): readonly Term[] {
  const known = new Set(bags.flatMap((bag) => [...bag.keys()]));
  return subject.map(({ stem }) => {
    const forms = new Map<string, number>([[stem, 1]]);
    for (const other of known) if (isRelated(stem, other)) forms.set(other, RELATED_WEIGHT);
    if (!known.has(stem) && forms.size === 1) {
      for (const other of known) if (isTypo(stem, other)) forms.set(other, TYPO_WEIGHT);
    }
    const holding = bags.filter((bag) => [...forms.keys()].some((form) => bag.has(form))).length;
    return { forms, rarity: Math.log(1 + (bags.length - holding + 0.5) / (holding + 0.5)) };
  });
}

function scoreOf(
  passage: Passage,
  bag: Bag,
  terms: readonly Term[],
  average: number,
  asked: readonly Word[],
  subject: readonly Word[],
): number {
  let score = 0;
  let covered = 0;
  let total = 0;
  for (const { forms, rarity } of terms) {
    const amount = Math.max(...[...forms].map(([form, weight]) => (bag.get(form) ?? 0) * weight));
    total += rarity;
    if (amount === 0) continue;
    covered += rarity;
    const length = 1 - B + (B * passage.words.length) / Math.max(1, average);
    score += (rarity * amount * (K1 + 1)) / (amount + K1 * length);
  }
  if (covered === 0) return 0;
  const coverage = 0.3 + 0.7 * (covered / total);
  const like = Math.max(likeness(asked, passage.heading), likeness(subject, passage.heading));
  const shape = 1 + 1.5 * like * like + 0.3 * closeness(passage.words, terms);
  return score * coverage * shape * (isBareHeading(passage) ? BARE_HEADING_SHARE : 1);
}

function isBareHeading(passage: Passage): boolean {
  return passage.lines.length === 1 && /^#{1,6}\s/.test(passage.lines[0] ?? '');
}

/** How much a heading is the question itself, 0..1: FAQ headings are. All words count, also small ones. */
function likeness(asked: readonly Word[], heading: readonly Word[]): number {
  if (heading.length === 0) return 0;
  const a = new Set(asked.map(({ stem }) => stem));
  const b = new Set(heading.map(({ stem }) => stem));
  const shared = [...a].filter((stem) => b.has(stem)).length;
  return shared / (a.size + b.size - shared);
}

/** How near different words of the question stand to each other, 0..1. */
function closeness(words: readonly Word[], terms: readonly Term[]): number {
  if (terms.length < 2) return 0;
  let best = 0;
  let last: { readonly term: number; readonly at: number } | undefined;
  words.forEach(({ stem }, at) => {
    const term = terms.findIndex(({ forms }) => forms.has(stem));
    if (term < 0) return;
    if (last !== undefined && last.term !== term) best = Math.max(best, 1 / (at - last.at));
    last = { term, at };
  });
  return best;
}

/** Not all hits from one note, and one per passage's neighbourhood. */
function spread(scored: readonly Scored[], limit: number): readonly Scored[] {
  const perNote = new Map<string, number>();
  const taken: Scored[] = [];
  for (const one of scored) {
    const count = perNote.get(one.note.path) ?? 0;
    if (count >= MAX_HITS_PER_NOTE) continue;
    perNote.set(one.note.path, count + 1);
    taken.push(one);
    if (taken.length >= limit) break;
  }
  return taken;
}

function hitOf({ note, passage, score }: Scored, terms: readonly Term[]): SearchHit {
  const start = startOf(passage, terms);
  const lines: string[] = [];
  let chars = 0;
  for (const line of passage.lines.slice(start, start + MAX_SNIPPET_LINES)) {
    if (lines.length > 0 && chars + line.length > MAX_SNIPPET_CHARS) break;
    lines.push(line.slice(0, MAX_SNIPPET_CHARS));
    chars += line.length + 1;
  }
  return {
    path: note.path,
    line: passage.line + start,
    snippet: lines.join('\n'),
    score: Math.round(score * 10_000) / 10_000,
  };
}

/** Short passages are shown whole; in long ones the line that fits best comes first. */
function startOf(passage: Passage, terms: readonly Term[]): number {
  if (passage.lines.length <= MAX_SNIPPET_LINES) return 0;
  const scores = passage.lines.map((line) => {
    const stems = new Set(wordsOf(line).map(({ stem }) => stem));
    return terms.reduce(
      (sum, { forms, rarity }) => sum + ([...forms.keys()].some((form) => stems.has(form)) ? rarity : 0),
      0,
    );
  });
  const best = scores.indexOf(Math.max(...scores));
  return best < MAX_SNIPPET_LINES ? 0 : best;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
