import { badRequest } from './refusal.ts';
import type { FormattedText } from './text.ts';
import type { TelegramEntity } from './wire.ts';

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

function cannotParse(why: string): Error {
  return badRequest(`can't parse entities: ${why}`);
}

/** Tags and the four named characters; everything else stays as it is. @throws Refusal 400 for tags that do not match */
export function parseHtml(source: string): FormattedText {
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
