import { badRequest } from './refusal.ts';
import type { FormattedText } from './text.ts';
import type { TelegramEntity } from './wire.ts';

/**
 * Marks of a text in one of the dialects of the Bot API.
 * @throws Refusal 400 for an unknown dialect and for marks that do not close
 */
export function parseMarkup(text: string, mode: string): FormattedText {
  switch (mode.toLowerCase()) {
    case 'html':
      return parseHtml(text);
    case 'markdownv2':
      return parseMarkdown(text, V2);
    case 'markdown':
      return parseMarkdown(text, V1);
    default:
      throw badRequest('unsupported parse_mode');
  }
}

function cannotParse(why: string): Error {
  return badRequest(`can't parse entities: ${why}`);
}

const HTML_TYPES: Readonly<Record<string, string>> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  code: 'code',
  pre: 'pre',
  a: 'text_link',
  blockquote: 'blockquote',
  'tg-spoiler': 'spoiler',
  span: 'spoiler',
  'tg-emoji': 'custom_emoji',
};

const HTML_NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

interface OpenTag {
  readonly tag: string;
  readonly offset: number;
  readonly attributes: string;
}

/** Tags and the four named characters; everything else stays as it is. */
function parseHtml(source: string): FormattedText {
  const open: OpenTag[] = [];
  const entities: TelegramEntity[] = [];
  let text = '';
  const pieces =
    /<(\/?)([A-Za-z][A-Za-z0-9-]*)?([^>]*)(>?)|&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));|[^<&]+|&/gi;
  for (const piece of source.matchAll(pieces)) {
    const [whole, slash, name, attributes = '', end, decimal, hex, named] = piece;
    if (!whole.startsWith('<')) {
      text += characterOf(whole, decimal, hex, named);
      continue;
    }
    const at = Buffer.byteLength(source.slice(0, piece.index));
    const tag = (name ?? '').toLowerCase();
    if (end === '') throw cannotParse(`Unclosed start tag at byte offset ${at}`);
    if (!Object.hasOwn(HTML_TYPES, tag))
      throw cannotParse(`Unsupported start tag "${tag}" at byte offset ${at}`);
    if (slash === '') {
      open.push({ tag, offset: text.length, attributes });
      continue;
    }
    const last = open.pop();
    if (last === undefined) throw cannotParse(`Unexpected end tag at byte offset ${at}`);
    if (last.tag !== tag) {
      throw cannotParse(
        `Unmatched end tag at byte offset ${at}, expected "</${last.tag}>", found "</${tag}>"`,
      );
    }
    entities.push(...htmlEntity(last, text));
  }
  const left = open.at(-1);
  if (left !== undefined) throw cannotParse(`Can't find end tag corresponding to start tag "${left.tag}"`);
  return { text, entities };
}

function characterOf(whole: string, decimal?: string, hex?: string, named?: string): string {
  if (named !== undefined) return HTML_NAMED[named.toLowerCase()] ?? whole;
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : whole;
}

function htmlEntity({ tag, offset, attributes }: OpenTag, text: string): readonly TelegramEntity[] {
  const length = text.length - offset;
  const type = HTML_TYPES[tag];
  if (length === 0 || type === undefined) return [];
  if (type !== 'text_link') return [{ type, offset, length }];
  const url = /href\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))/i.exec(attributes);
  const target = url?.[1] ?? url?.[2] ?? url?.[3];
  // A link without a target is text, as on the real server.
  return target === undefined ? [] : [{ type, offset, length, url: target.replaceAll('&amp;', '&') }];
}

interface Dialect {
  /** Longest first. */
  readonly marks: readonly (readonly [mark: string, type: string])[];
  /** Must be escaped wherever it means nothing; empty: nothing must. */
  readonly reserved: string;
  /** May follow a backslash that then disappears. */
  readonly escapable: RegExp;
}

const V2: Dialect = {
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

const V1: Dialect = {
  marks: [
    ['*', 'bold'],
    ['_', 'italic'],
  ],
  reserved: '',
  escapable: /[_*`[]/,
};

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

function parseMarkdown(source: string, dialect: Dialect): FormattedText {
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
