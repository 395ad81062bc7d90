import type { MessageEntity } from 'grammy/types';

export type PlainStyle = 'bold' | 'italic' | 'strikethrough';
export type Entity =
  | MessageEntity.CommonMessageEntity
  | MessageEntity.PreMessageEntity
  | MessageEntity.TextLinkMessageEntity;

/** Text and what is marked in it: sorted, properly nested, offsets and lengths in UTF-16 units. */
export interface RichText {
  readonly text: string;
  readonly entities: readonly Entity[];
}

/** Outer before inner where two begin and end at the same places. */
const RANK = [
  'blockquote',
  'expandable_blockquote',
  'pre',
  'bold',
  'italic',
  'strikethrough',
  'text_link',
  'code',
];
/** A mention that the author did not write must not arise where two pieces meet: `@*ada*`. */
const HAIR_SPACE = '\u200a';

/** Writes rich text from left to right. Styles are cut around code, which Telegram lets nothing share. */
export interface RichWriter {
  /** Lines after the first begin with the indentation. */
  write(text: string): void;
  /** At the left edge and as it is. */
  writeBlock(text: string): void;
  /** What follows makes no word with what is there: `evil.[com](x)` is no address of a host. */
  apart(): void;
  indented(columns: number, act: () => void): void;
  styled(style: PlainStyle, act: () => void): void;
  linked(url: string, act: () => void): void;
  code(text: string): void;
  pre(text: string, language: string | undefined): void;
  quoted(act: () => void): void;
  finish(): RichText;
}

/** Quotes longer than this, or of more lines, are folded until somebody taps them. */
const LONG_QUOTE_CHARS = 600;
const LONG_QUOTE_LINES = 8;

export function richWriter(): RichWriter {
  let text = '';
  let indentation = '';
  let isLinked = false;
  let isQuoted = false;
  const entities: Entity[] = [];
  const open = new Map<PlainStyle, number>();

  let last = '';
  const append = (piece: string): void => {
    if (piece === '') return;
    if (last === '@' && /^[\p{L}\p{N}_]/u.test(piece)) text += HAIR_SPACE;
    text += piece;
    last = piece.slice(-1);
  };
  const endStyle = (type: PlainStyle, offset: number): void => {
    if (text.length > offset) entities.push({ type, offset, length: text.length - offset });
  };
  const apartFromStyles = (act: () => void): void => {
    for (const [style, offset] of open) endStyle(style, offset);
    act();
    for (const style of open.keys()) open.set(style, text.length);
  };
  const writeBlock = (block: string): void => {
    // The indentation of the line that was begun is no part of the block.
    if (indentation !== '' && text.endsWith(`\n${indentation}`)) text = text.slice(0, -indentation.length);
    if (text !== '' && !text.endsWith('\n')) text += '\n';
    text += block;
    last = block.slice(-1);
  };

  return {
    write: (piece) => append(indentation === '' ? piece : piece.replace(/\n(?!\n)/g, `\n${indentation}`)),
    writeBlock,
    apart: () => {
      if (/^[^\s([{"'*]/.test(last)) append(HAIR_SPACE);
    },
    indented: (columns, act) => {
      const outer = indentation;
      indentation += ' '.repeat(columns);
      act();
      indentation = outer;
    },
    styled: (style, act) => {
      const isOuter = !open.has(style);
      if (isOuter) open.set(style, text.length);
      act();
      if (!isOuter) return;
      endStyle(style, open.get(style) ?? text.length);
      open.delete(style);
    },
    linked: (url, act) => {
      const isOuter = !isLinked;
      const offset = text.length;
      isLinked = true;
      act();
      if (!isOuter) return;
      isLinked = false;
      if (text.length > offset)
        entities.push({ type: 'text_link', offset, length: text.length - offset, url });
    },
    code: (words) => {
      if (isLinked) append(words);
      else
        apartFromStyles(() => {
          const offset = text.length;
          append(words);
          if (words !== '') entities.push({ type: 'code', offset, length: text.length - offset });
        });
    },
    pre: (block, language) =>
      apartFromStyles(() => {
        writeBlock(block);
        const offset = text.length - block.length;
        if (block === '') return;
        entities.push({
          type: 'pre',
          offset,
          length: block.length,
          ...(language === undefined ? {} : { language }),
        });
      }),
    quoted: (act) => {
      const isOuter = !isQuoted;
      const offset = text.length;
      isQuoted = true;
      act();
      if (!isOuter) return;
      isQuoted = false;
      const quote = text.slice(offset);
      const isLong = quote.length > LONG_QUOTE_CHARS || quote.split('\n').length > LONG_QUOTE_LINES;
      const type = isLong ? 'expandable_blockquote' : 'blockquote';
      if (quote !== '') entities.push({ type, offset, length: quote.length });
    },
    finish: () => ({ text, entities: sorted(entities) }),
  };
}

function sorted(entities: readonly Entity[]): readonly Entity[] {
  return entities.toSorted(
    (a, b) => a.offset - b.offset || b.length - a.length || RANK.indexOf(a.type) - RANK.indexOf(b.type),
  );
}
