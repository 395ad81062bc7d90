import { type Word, wordsOf } from './words.ts';

/** A few lines of a note that can be an answer: a paragraph, a list, some rows of a table. */
export interface Passage {
  /** First line, from 1. */
  readonly line: number;
  readonly lines: readonly string[];
  /** The nearest heading above it, below the title; of an item `- **Term**: …` the term. */
  readonly heading: readonly Word[];
  readonly words: readonly Word[];
  /** Words of the title, of outer headings and of the path: what the whole is about. */
  readonly around: readonly Word[];
}

const MAX_PASSAGE_LINES = 10;
/** An item of a glossary. */
const TERM = /^\s*[-*+]\s+\*\*([^*]+)\*\*/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** Cuts a note into passages, in order. Front matter is no passage, but its title counts for all of them. */
export function passagesOf(path: string, text: string): readonly Passage[] {
  const lines = text.split(/\r?\n/);
  const { body, title } = frontMatterOf(lines);
  const about = `${path.replace(/\.md$/i, '')} ${title}`;
  const passages: Passage[] = [];
  const headings: { readonly depth: number; readonly text: string }[] = [];
  let fence = '';
  let block: string[] = [];
  let blockLine = 0;

  const close = (): void => {
    if (block.length > 0) passages.push(passage(blockLine, block, headings, about));
    block = [];
  };
  for (let at = body; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const [, marker = ''] = FENCE.exec(line) ?? [];
    if (fence === '' && marker !== '') fence = marker;
    else if (fence !== '' && marker.startsWith(fence)) fence = '';
    const heading = fence === '' ? /^(#{1,6})\s+(.*)$/.exec(line) : null;
    if (heading !== null) {
      close();
      const depth = heading[1]?.length ?? 1;
      while ((headings.at(-1)?.depth ?? 0) >= depth) headings.pop();
      headings.push({ depth, text: heading[2] ?? '' });
      if (isLeaf(lines, at)) passages.push(passage(at + 1, [line], headings, about));
      continue;
    }
    if (line.trim() === '' || block.length >= MAX_PASSAGE_LINES || TERM.test(line)) close();
    if (line.trim() === '') continue;
    if (block.length === 0) blockLine = at + 1;
    block.push(line);
  }
  close();
  return passages;
}

/** A heading with no text of its own is a passage itself, or nobody could find it. */
function isLeaf(lines: readonly string[], at: number): boolean {
  const next = lines.slice(at + 1).find((line) => line.trim() !== '');
  return next === undefined || /^#{1,6}\s/.test(next);
}

function passage(
  line: number,
  lines: readonly string[],
  headings: readonly { readonly depth: number; readonly text: string }[],
  about: string,
): Passage {
  const own = TERM.exec(lines[0] ?? '')?.[1] ?? headings.findLast(({ depth }) => depth > 1)?.text ?? '';
  const outer = headings.map(({ text }) => text).filter((text) => text !== own);
  return {
    line,
    lines,
    heading: wordsOf(own),
    words: wordsOf(lines.join('\n')),
    around: wordsOf([about, ...outer].join(' ')),
  };
}

function frontMatterOf(lines: readonly string[]): { readonly body: number; readonly title: string } {
  if (lines[0]?.trim() !== '---') return { body: 0, title: '' };
  const end = lines.findIndex((line, index) => index > 0 && line.trim() === '---');
  if (end < 0) return { body: 0, title: '' };
  const title = lines.slice(1, end).find((line) => /^(?:title|name|description):/.test(line)) ?? '';
  return { body: end + 1, title: title.replace(/^\w+:/, '') };
}
