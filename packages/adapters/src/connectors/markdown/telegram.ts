import type { Code, List, ListItem, Nodes, Parents, RootContent, Table } from 'mdast';
import { splitText } from '../split.ts';
import { cleanText } from './clean.ts';
import { type LinkTable, type ParsedMarkdown, parseMarkdown, sliceOf } from './parse.ts';
import { splitRich } from './rich-parts.ts';
import { type Entity, type RichText, type RichWriter, richWriter } from './rich-text.ts';
import { gridOf, NO_VALUE, recordsOf } from './table.ts';
import { infoLines, isBareLink, isLanguage, plainCells, wordsOf } from './words.ts';

export const TELEGRAM_LIMIT_CHARS = 4_096;
/** As much as a phone shows of a monospace block without breaking its lines. */
const TABLE_COLUMNS = 40;
const RULE = '──────────';
const MOST_URL_CHARS = 2_048;

/** One message: text and entities as `sendMessage` takes them; no parse_mode, so nothing in the text can fail to parse. */
export type TelegramPart = RichText;

/**
 * Renders Markdown for Telegram as text with entities, cut into messages. What Telegram lacks degrades readably: headings are bold,
 * lists get bullets, tables become monospace or one group of lines per row; links that Telegram does not open say their target.
 * @param limit most UTF-16 units of a part, default 4,096
 * @returns parts in order, none for white space; never throws (plain text on any fault); pure
 */
export function renderTelegram(
  markdown: string,
  { limit = TELEGRAM_LIMIT_CHARS } = {},
): readonly TelegramPart[] {
  try {
    return splitRich(richOf(parseMarkdown(telegramText(markdown))), limit);
  } catch {
    const parts = splitText(telegramText(markdown), limit).filter((part) => part.trim() !== '');
    return parts.map((text) => ({ text, entities: [] }));
  }
}

/** Telegram drops marks that turn the direction of writing and knows one kind of line end; it would shift our offsets. */
function telegramText(markdown: string): string {
  return cleanText(markdown)
    .replace(/[\u202a-\u202e]/g, '')
    .replace(/[\u2028\u2029]/g, '\n');
}

interface Place {
  readonly writer: RichWriter;
  readonly source: string;
  readonly links: LinkTable;
}

/** Each section has a writer of its own: looking back into one long text would copy it each time. */
function richOf({ sections, links }: ParsedMarkdown): RichText {
  const texts: string[] = [];
  const entities: Entity[] = [];
  let length = 0;
  sections.forEach(({ source, nodes, isClose }, at) => {
    const writer = richWriter();
    writeBlocks({ writer, source, links }, nodes);
    const section = writer.finish();
    const gap = at === 0 ? '' : isClose ? '\n' : '\n\n';
    const start = length + gap.length;
    texts.push(gap, section.text);
    for (const entity of section.entities) entities.push({ ...entity, offset: entity.offset + start });
    length = start + section.text.length;
  });
  return { text: texts.join(''), entities };
}

/** Blocks keep the distance they had: lines that stood together stay together. */
function writeBlocks(place: Place, nodes: readonly RootContent[]): void {
  const shown = nodes.filter((node) => node.type !== 'definition' || !place.links.used.has(node.identifier));
  shown.forEach((node, at) => {
    const before = shown[at - 1];
    if (before !== undefined) place.writer.write(isCloseTo(before, node) ? '\n' : '\n\n');
    writeBlock(place, node);
  });
}

function isCloseTo(before: RootContent, node: RootContent): boolean {
  return (node.position?.start.line ?? 0) - (before.position?.end.line ?? 0) <= 1;
}

function writeBlock(place: Place, node: RootContent): void {
  const { writer } = place;
  switch (node.type) {
    case 'paragraph':
      writeInlines(place, node);
      break;
    case 'heading':
      writer.styled('bold', () => writeInlines(place, node));
      break;
    case 'blockquote':
      writer.quoted(() => writeBlocks(place, node.children));
      break;
    case 'list':
      writeList(place, node);
      break;
    case 'code':
      writeCode(writer, node);
      break;
    case 'table':
      writeTable(place, node);
      break;
    case 'thematicBreak':
      writer.write(RULE);
      break;
    case 'footnoteDefinition':
      writer.write(`[${node.label ?? node.identifier}] `);
      writeBlocks(place, node.children);
      break;
    case 'definition':
      writer.write(sourceOf(place, node));
      break;
    default:
      writeInline(place, node);
  }
}

function writeList(place: Place, list: List): void {
  list.children.forEach((item, at) => {
    if (at > 0) place.writer.write(list.spread === true ? '\n\n' : '\n');
    const marker = markerOf(place, list, item, at);
    place.writer.write(marker);
    place.writer.indented(list.ordered === true ? marker.length : 2, () => writeBlocks(place, item.children));
  });
}

function markerOf(place: Place, list: List, item: ListItem, at: number): string {
  if (typeof item.checked === 'boolean') return item.checked ? '☑ ' : '☐ ';
  if (list.ordered !== true) return '• ';
  const [, mark = '.'] = /^\s*\d+([.)])/.exec(sourceOf(place, item)) ?? [];
  return `${(list.start ?? 1) + at}${mark} `;
}

function writeCode(writer: RichWriter, { lang, meta, value }: Code): void {
  const info = infoLines(lang, meta);
  const text = info === '' ? value : `${info}\n${value}`;
  // A fence that was opened and nothing more.
  if (text.trim() === '') writer.write(lang ?? '');
  else writer.pre(text, typeof lang === 'string' && isLanguage(lang) ? lang : undefined);
}

function writeTable(place: Place, table: Table): void {
  const { writer } = place;
  const cells = plainCells(table);
  const grid = cells === undefined ? undefined : gridOf(cells, TABLE_COLUMNS);
  if (grid === undefined) writeRecords(place, table);
  else writer.pre(grid, undefined);
}

function writeRecords(place: Place, table: Table): void {
  const { writer } = place;
  const records = recordsOf(table, place.source);
  if (records === undefined) writer.write(sourceOf(place, table));
  records?.forEach((record, at) => {
    if (at > 0) writer.write('\n\n');
    record.forEach(([title, value], line) => {
      if (line > 0) writer.write('\n');
      if (title !== undefined) writeInlines(place, title);
      if (title !== undefined) writer.write(': ');
      if (value === undefined) writer.write(NO_VALUE);
      else writeInlines(place, value);
    });
  });
}

function writeInlines(place: Place, parent: Parents): void {
  for (const child of parent.children) writeInline(place, child);
}

function writeInline(place: Place, node: RootContent): void {
  const { writer } = place;
  switch (node.type) {
    case 'text':
    case 'html':
      writer.write(node.value);
      break;
    case 'strong':
      writer.styled('bold', () => writeInlines(place, node));
      break;
    case 'emphasis':
      writer.styled('italic', () => writeInlines(place, node));
      break;
    case 'delete':
      writer.styled('strikethrough', () => writeInlines(place, node));
      break;
    case 'inlineCode':
      writer.code(node.value);
      break;
    case 'break':
      writer.write('\n');
      break;
    case 'link':
      writeLink(place, node.url, wordsOf(node), () => writeInlines(place, node));
      break;
    case 'linkReference':
      writeLink(place, place.links.targets.get(node.identifier) ?? '', wordsOf(node), () =>
        writeInlines(place, node),
      );
      break;
    case 'image':
      writeImage(place, node.url, node.alt ?? '');
      break;
    case 'imageReference':
      writeImage(place, place.links.targets.get(node.identifier) ?? '', node.alt ?? '');
      break;
    default:
      writer.write(wordsOf(node));
  }
}

function writeImage(place: Place, url: string, alt: string): void {
  writeLink(place, url, alt, () => place.writer.write(alt));
}

/** Words that lead somewhere, or words and their target where Telegram would not open it or the words claim another one. */
function writeLink({ writer }: Place, url: string, words: string, writeWords: () => void): void {
  const claim = words.trim();
  if (isBareLink(url, words)) writer.write(words);
  else if (opens(url) && claim !== '' && !/^(?:https?:|www\.)/i.test(claim)) writer.linked(url, writeWords);
  else {
    writer.apart();
    if (claim !== '') writeWords();
    if (url !== '') writer.write(claim === '' ? url : ` (${url})`);
    if (url === '' || claim === '') writer.apart();
  }
}

/** Does Telegram make a link of it? Mail it links by itself; `tg://user` would call somebody. */
function opens(url: string): boolean {
  if (url.length > MOST_URL_CHARS || /^tg:\/*user/i.test(url)) return false;
  return /^(?:https?|tg):\/\/[^\s\u0000-\u001f]+$/i.test(url) && URL.canParse(url);
}

function sourceOf({ source }: Place, node: Nodes): string {
  return sliceOf(node, source);
}
