/** A word of a text, as it is compared. */
export interface Word {
  /** Lower case, without accents. */
  readonly plain: string;
  /** Without the endings that grammar adds. */
  readonly stem: string;
}

/** Words that carry no subject. Questions are full of them, and each would match half of all notes. */
const STOP_WORDS = new Set(
  (
    'a about all also am an and any are as at be been but by can could did do does for from get gets getting give ' +
    'had has have he her here hers him his how i if in into is it its just know let like long many may me might mine ' +
    'more most much must my need no not of off on one only or other our out please shall she should show so some tell ' +
    'than that the their them then there these they thing this those to too up us very want was we were what when ' +
    'where which while who whom whose why will with would you your ' +
    // German, for notes and people that mix.
    'aber als am an auch auf aus bei bin bis da das dass dein dem den der des die du ein eine einem einen einer es für ' +
    'hat ich ihr im in ist ja kann kein man mein mich mir mit nach nicht noch nur oder sich sie sind so und uns von vor ' +
    'war warum was wer wie wir wo zu zum zur'
  ).split(' '),
);

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** Words of a text in order; `2.3` is one. Runs of CJK characters become pairs, since nobody puts spaces there. */
export function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  for (const [run] of plainOf(text).matchAll(/[\p{L}\p{N}]+(?:\.\p{N}+)*/gu)) {
    if (CJK.test(run)) for (const pair of pairsOf(run)) words.push({ plain: pair, stem: pair });
    else words.push({ plain: run, stem: stemOf(run) });
  }
  return words;
}

/** The words of a question that carry its subject; all of them when nothing would be left. */
export function subjectOf(text: string): readonly Word[] {
  const words = wordsOf(text);
  const subject = words.filter((word) => !STOP_WORDS.has(word.plain) && word.plain !== 's');
  return unique(subject.length > 0 ? subject : words);
}

function unique(words: readonly Word[]): readonly Word[] {
  return [...new Map(words.map((word) => [word.stem, word])).values()];
}

function plainOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}

function pairsOf(run: string): readonly string[] {
  const chars = [...run];
  if (chars.length < 2) return chars;
  return chars.slice(1).map((char, index) => `${chars[index]}${char}`);
}

const MIN_STEM = 3;

/**
 * Takes off plural and verb endings, no more: refunds, refunded and refunding meet, and relay stays relay.
 * English only; words of other languages lose at most an s.
 */
export function stemOf(word: string): string {
  if (word.length <= MIN_STEM || /\d/.test(word)) return word;
  const singular = singularOf(word);
  for (const ending of ['ing', 'ed']) {
    if (!singular.endsWith(ending)) continue;
    const base = singular.slice(0, -ending.length);
    // `thing` and `bring` keep their ending: a stem has a vowel.
    if (base.length < MIN_STEM || !/[aeiouy]/.test(base)) return singular;
    return undoubled(base);
  }
  return singular.endsWith('e') && singular.length > MIN_STEM + 1 ? singular.slice(0, -1) : singular;
}

function singularOf(word: string): string {
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:ss|us|is)$/.test(word) || !word.endsWith('s')) return word;
  if (/(?:sh|ch|x|z|ss)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

/** `stopped` -> `stop`, but `called` -> `call`. */
function undoubled(base: string): string {
  return /([bdgkmnprt])\1$/.test(base) ? base.slice(0, -1) : base;
}

/** One word is a longer form of the other. */
export function isRelated(stem: string, other: string): boolean {
  if (stem === other || stem.length < 4 || other.length < 4) return false;
  const [short, long] = stem.length < other.length ? [stem, other] : [other, stem];
  return long.startsWith(short) && long.length - short.length <= 4;
}

/** One letter missing, too many, wrong, or two swapped; only for words long enough to be recognised. */
export function isTypo(stem: string, other: string): boolean {
  if (stem.length < 5 || Math.abs(stem.length - other.length) > 1 || stem[0] !== other[0]) return false;
  let from = 0;
  while (from < stem.length && stem[from] === other[from]) from += 1;
  const [a, b] = [stem.slice(from), other.slice(from)];
  const isSwap = a.length === b.length && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return isSwap || a.slice(1) === b || a === b.slice(1) || a.slice(1) === b.slice(1);
}
