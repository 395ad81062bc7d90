import { badRequest } from './refusal.ts';
import type { FormattedText } from './text.ts';
import type { TelegramEntity } from './wire.ts';

/** What the two Markdown dialects of the Bot API differ in. */
interface Dialect {
  /** Longest first. */
  readonly marks: readonly (readonly [mark: string, type: string])[];
  /** Must be escaped wherever it means nothing; empty: nothing must. */
  readonly reserved: string;
  /** May follow a backslash that then disappears. */
  readonly escapable: RegExp;
}

/** MarkdownV2. */
export const V2: Dialect = {
  marks: [
    ['__', 'underline'],
    ['||', 'spoiler'],
    ['*', 'bold'],
    ['_', 'italic'],
    ['~', 'strikethrough'],
  ],
  reserved: '_*[]()~`>#+-=|{}.!',
  escapable: /[\x01-\x7e]/,
};

/** The old Markdown. */
export const V1: Dialect = {
  marks: [
    ['*', 'bold'],
    ['_', 'italic'],
  ],
  reserved: '',
  escapable: /[_*`[]/,
};

function cannotParse(why: string): Error {
  return badRequest(`can't parse entities: ${why}`);
}

interface OpenMark {
  readonly mark: string;
  readonly type: string;
  readonly offset: number;
  readonly at: number;
}

interface MarkdownState {
  readonly source: string;
  readonly dialect: Dialect;
  readonly open: OpenMark[];
  readonly entities: TelegramEntity[];
  text: string;
  at: number;
}

/** @throws Refusal 400 for marks that do not close and characters that should be escaped */
export function parseMarkdown(source: string, dialect: Dialect): FormattedText {
  const state: MarkdownState = { source, dialect, open: [], entities: [], text: '', at: 0 };
  while (state.at < source.length) takeMarkdown(state);
  const left = state.open.at(-1);
  if (left !== undefined) throw noEnd(state, left.type, left.at);
  return { text: state.text, entities: state.entities };
}

function takeMarkdown(state: MarkdownState): void {
  const { source, dialect, at } = state;
  const character = source[at] ?? '';
  const next = source[at + 1] ?? '';
  if (character === '\\' && dialect.escapable.test(next)) return void copy(state, next, 2);
  if (character === '`') return void takeCode(state);
  if (character === ']' && state.open.at(-1)?.mark === '[') return void closeLink(state);
  if (character === '[' || source.startsWith('![', at)) return void openLink(state);
  const mark = dialect.marks.find(([sign]) => source.startsWith(sign, at));
  if (mark !== undefined) return void toggle(state, mark);
  if (character === '>' && dialect.reserved !== '' && isLineStart(source, at)) return void copy(state, '', 1);
  if (dialect.reserved.includes(character)) {
    throw cannotParse(`Character '${character}' is reserved and must be escaped with the preceding '\\'`);
  }
  copy(state, character, 1);
}

function copy(state: MarkdownState, shown: string, length: number): void {
  state.text += shown;
  state.at += length;
}

function isLineStart(source: string, at: number): boolean {
  return at === 0 || source[at - 1] === '\n' || source.startsWith('**>', at - 2);
}

function toggle(state: MarkdownState, [mark, type]: readonly [mark: string, type: string]): void {
  const last = state.open.at(-1);
  if (last?.mark === mark) {
    state.open.pop();
    close(state, last);
  } else if (state.open.some((other) => other.mark === mark)) {
    throw noEnd(state, last?.type ?? type, last?.at ?? state.at);
  } else {
    state.open.push({ mark, type, offset: state.text.length, at: state.at });
  }
  state.at += mark.length;
}

function close(state: MarkdownState, { type, offset }: OpenMark, url?: string): void {
  const length = state.text.length - offset;
  if (length > 0) state.entities.push({ type, offset, length, ...(url === undefined ? {} : { url }) });
}

function takeCode(state: MarkdownState): void {
  const { source, at } = state;
  const mark = source.startsWith('```', at) ? '```' : '`';
  const type = mark === '`' ? 'code' : 'pre';
  let end = at + mark.length;
  let code = '';
  while (end < source.length && !source.startsWith(mark, end)) {
    if (source[end] === '\\' && state.dialect === V2) end += 1;
    code += source[end] ?? '';
    end += 1;
  }
  if (end >= source.length) throw noEnd(state, type, at);
  const language = type === 'pre' ? /^([^\s`]+)\n/.exec(code)?.[1] : undefined;
  const shown = type === 'pre' ? code.slice(language?.length ?? 0).replace(/^\n/, '') : code;
  if (shown !== '') {
    const place = { type, offset: state.text.length, length: shown.length };
    state.entities.push(language === undefined ? place : { ...place, language });
  }
  state.text += shown;
  state.at = end + mark.length;
}

function openLink(state: MarkdownState): void {
  state.open.push({ mark: '[', type: 'text_link', offset: state.text.length, at: state.at });
  state.at += state.source[state.at] === '!' ? 2 : 1;
}

function closeLink(state: MarkdownState): void {
  const opened = state.open.pop();
  if (opened === undefined) return;
  const target = /^\]\(((?:\\.|[^)\\])*)\)/s.exec(state.source.slice(state.at));
  if (target === null) {
    if (state.dialect === V2) throw noEnd(state, 'text_link', opened.at);
    return void copy(state, '', 1);
  }
  close(state, opened, (target[1] ?? '').replace(/\\(.)/gs, '$1'));
  state.at += target[0].length;
}

function noEnd({ source, dialect }: MarkdownState, type: string, at: number): Error {
  const offset = Buffer.byteLength(source.slice(0, at));
  if (dialect === V1) return cannotParse(`Can't find end of the entity starting at byte offset ${offset}`);
  const name = type === 'text_link' ? 'TextUrl' : type.replace(/^./, (letter) => letter.toUpperCase());
  return cannotParse(`Can't find end of ${name} entity at byte offset ${offset}`);
}
