import type { KeyPress } from './keys.tsx';

/** Text in the making and the place of the cursor in it, in UTF-16 units, never inside a character. */
export interface Draft {
  readonly text: string;
  readonly at: number;
}

const SEGMENTER = new Intl.Segmenter();

export function draftOf(text: string): Draft {
  return { text, at: text.length };
}

/**
 * The draft after one key, as editors of a command line do it.
 * @param isMultiline line ends are kept; else they become blanks
 * @returns undefined when the key is none of editing
 */
export function edit(draft: Draft, key: KeyPress, isMultiline: boolean): Draft | undefined {
  const { text, at } = draft;
  switch (key.name) {
    case 'left':
      return { text, at: before(text, at) };
    case 'right':
      return { text, at: after(text, at) };
    case 'home':
    case 'ctrl+a':
      return { text, at: text.lastIndexOf('\n', at - 1) + 1 };
    case 'end':
    case 'ctrl+e':
      return { text, at: lineEnd(text, at) };
    case 'backspace':
      return cutOut(text, before(text, at), at);
    case 'delete':
    case 'ctrl+d':
      return cutOut(text, at, after(text, at));
    case 'ctrl+u':
      return cutOut(text, text.lastIndexOf('\n', at - 1) + 1, at);
    case 'ctrl+k':
      return cutOut(text, at, lineEnd(text, at));
    case 'ctrl+w':
      return cutOut(text, at - (/\S*\s*$/.exec(text.slice(0, at))?.[0].length ?? 0), at);
    case 'newline':
    case 'ctrl+j':
      return isMultiline ? put(draft, '\n') : undefined;
    default:
      return key.text === ''
        ? undefined
        : put(draft, isMultiline ? lineEnds(key.text) : key.text.replace(/\s+/g, ' '));
  }
}

function put({ text, at }: Draft, typed: string): Draft {
  return { text: text.slice(0, at) + typed + text.slice(at), at: at + typed.length };
}

function lineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

function cutOut(text: string, from: number, to: number): Draft {
  return { text: text.slice(0, from) + text.slice(to), at: from };
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function before(text: string, at: number): number {
  let last = 0;
  for (const { index } of SEGMENTER.segment(text.slice(0, at))) last = index;
  return last;
}

function after(text: string, at: number): number {
  for (const { segment } of SEGMENTER.segment(text.slice(at))) return at + segment.length;
  return at;
}
