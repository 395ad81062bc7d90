import type { Code, Heading, ListItem, Nodes, Parents, Table, TableCell } from 'mdast';
import { splitText } from '../split.ts';
import { cleanText } from './clean.ts';
import { type LinkTable, parseMarkdown, sliceOf, spanOf } from './parse.ts';
import { applyEdits, type SourceEdit, withoutFences } from './source-edits.ts';
import { gridOf, NO_VALUE, recordsOf } from './table.ts';
import { infoLines, isLanguage, plainCells } from './words.ts';

export const DISCORD_LIMIT_CHARS = 2_000;
/** What fits into a code block on a narrow screen without breaking its lines. */
const TABLE_COLUMNS = 56;
const RULE = '──────────';
/** Deeper headings are text to Discord. */
const MOST_HEADING_DEPTH = 3;

/**
 * Renders Markdown for Discord, cut into messages. Discord reads most of it, so what both read stays byte for byte; tables, task lists,
 * references, images, rules, deep and underlined headings, and code blocks of other fences are written as Discord knows them.
 * @param limit most UTF-16 units of a part, at least 100, default 2,000
 * @returns parts in order, none for white space; never throws (plain text on any fault); pure
 */
export function renderDiscord(markdown: string, { limit = DISCORD_LIMIT_CHARS } = {}): readonly string[] {
  return splitText(discordText(markdown), limit).filter((part) => part.trim() !== '');
}

function discordText(markdown: string): string {
  try {
    const { sections, links } = parseMarkdown(markdown);
    const texts = sections.map(({ source, nodes, isClose }, at) => {
      const edits: SourceEdit[] = [];
      for (const node of nodes) collect({ source, links, edits, isBold: false }, node);
      const gap = at === 0 ? '' : isClose ? '\n' : '\n\n';
      return gap + applyEdits(source, 0, source.length, edits);
    });
    return texts
      .join('')
      .replace(/^\s*\n/, '')
      .trimEnd();
  } catch {
    return withoutFences(cleanText(markdown));
  }
}

interface Place {
  readonly source: string;
  readonly links: LinkTable;
  readonly edits: SourceEdit[];
  /** Within something that was made bold: marks of the same kind would end it. */
  readonly isBold: boolean;
}

/** Notes what must be written otherwise in a node and all below it. */
function collect(place: Place, node: Nodes): void {
  switch (node.type) {
    case 'code':
      addBlock(place, node, codeText(node, sliceOf(node, place.source)), true);
      return;
    case 'table':
      addTable(place, node);
      return;
    case 'heading':
      collectHeading(place, node);
      return;
    case 'thematicBreak':
      replace(place, node, RULE);
      return;
    case 'definition':
      if (place.links.used.has(node.identifier)) replace(place, node, '');
      return;
    case 'footnoteReference':
      replace(place, node, `[${node.label ?? node.identifier}]`);
      return;
    case 'image':
      replace(place, node, linkText(node.url, node.alt ?? ''));
      return;
    case 'imageReference':
      replace(place, node, linkText(place.links.targets.get(node.identifier) ?? '', node.alt ?? ''));
      return;
    case 'inlineCode':
      if (sliceOf(node, place.source).includes('```'))
        replace(place, node, `\`\` ${withoutFences(node.value)} \`\``);
      return;
    case 'break':
      if (sliceOf(node, place.source).startsWith('\\')) replace(place, node, '\n');
      return;
    default:
      if ('children' in node) collectParent(place, node);
  }
}

function collectParent(place: Place, node: Parents): void {
  if (node.type === 'strong') collectStrong(place, node);
  if (node.type === 'listItem') collectBox(place, node);
  if (node.type === 'linkReference') {
    const target = place.links.targets.get(node.identifier) ?? '';
    const [before, after] = ['[', canMask(target) ? `](${target})` : `] (${target})`] as const;
    replaceAround(place, node, before, after);
  }
  if (node.type === 'footnoteDefinition') {
    const { start } = spanOf(node);
    const [mark = ''] = /^\[\^[^\]]*\]:/.exec(sliceOf(node, place.source)) ?? [];
    if (mark !== '')
      place.edits.push({ start, end: start + mark.length, text: `[${node.label ?? node.identifier}]` });
  }
  for (const child of node.children) collect(place, child);
}

/** `__a__` is underlined on Discord. */
function collectStrong(place: Place, node: Parents): void {
  const { start, end } = spanOf(node);
  const isUnderline = place.source.startsWith('__', start);
  if (!place.isBold && !isUnderline) return;
  const text = place.isBold ? '' : '**';
  place.edits.push({ start, end: start + 2, text }, { start: end - 2, end, text });
}

function collectBox(place: Place, item: ListItem): void {
  const [first] = item.children;
  if (typeof item.checked !== 'boolean' || first === undefined) return;
  const from = spanOf(item).start;
  const at = place.source.slice(from, spanOf(first).start).lastIndexOf('[');
  if (at === -1) return;
  place.edits.push({ start: from + at, end: from + at + 3, text: item.checked ? '☑' : '☐' });
}

function collectHeading(place: Place, heading: Heading): void {
  const [first, last] = [heading.children[0], heading.children.at(-1)];
  if (first === undefined || last === undefined) {
    replace(place, heading, '');
    return;
  }
  const inner = { start: spanOf(first).start, end: spanOf(last).end };
  const isUnderlined = !place.source.startsWith('#', spanOf(heading).start);
  const isTall = place.source.slice(inner.start, inner.end).includes('\n');
  const isBold = heading.depth > MOST_HEADING_DEPTH || isTall;
  // Definitions may stand at the beginning of an underlined heading: nothing before its words is touched.
  const start = isUnderlined ? inner.start : spanOf(heading).start;
  const mark = isBold ? '**' : `${'#'.repeat(heading.depth)} `;
  if (isBold || isUnderlined) {
    place.edits.push({ start, end: inner.start, text: mark });
    place.edits.push({ start: inner.end, end: spanOf(heading).end, text: isBold ? '**' : '' });
  }
  for (const child of heading.children) collect({ ...place, isBold: place.isBold || isBold }, child);
}

function addTable(place: Place, table: Table): void {
  const cells = plainCells(table);
  const grid = cells === undefined ? undefined : gridOf(cells, TABLE_COLUMNS);
  if (grid !== undefined) addBlock(place, table, fenced(grid, ''), true);
  else addBlock(place, table, recordsText(place, table) ?? sliceOf(table, place.source), false);
}

function recordsText(place: Place, table: Table): string | undefined {
  const records = recordsOf(table, place.source);
  const groups = records?.map((record) =>
    record.map(([title, value]) => {
      const said = value === undefined ? NO_VALUE : cellText(place, value, false);
      return title === undefined ? said : `**${cellText(place, title, true)}:** ${said}`;
    }),
  );
  return groups?.map((lines) => lines.join('\n')).join('\n\n');
}

function cellText({ source, links }: Place, cell: TableCell, isBold: boolean): string {
  const edits: SourceEdit[] = [];
  for (const child of cell.children) collect({ source, links, edits, isBold }, child);
  const [first, last] = [cell.children[0], cell.children.at(-1)];
  if (first === undefined || last === undefined) return '';
  return applyEdits(source, spanOf(first).start, spanOf(last).end, edits);
}

/** A code block as it was, when Discord reads it so; else between fences that nothing inside can close. */
function codeText(code: Code, written: string): string {
  const isWhole = code.position?.start.column === 1 && written.startsWith('```') && written.endsWith('\n```');
  if (isWhole && !/^`|```/.test(written.slice(3, -3))) return written;
  const lang = typeof code.lang === 'string' && isLanguage(code.lang) ? code.lang : '';
  const info = infoLines(code.lang, code.meta);
  return fenced(info === '' ? code.value.trimEnd() : `${info}\n${code.value.trimEnd()}`, lang);
}

function fenced(value: string, lang: string): string {
  return `\`\`\`${lang}\n${withoutFences(value)}\n\`\`\``;
}

/** A block at the left edge, out of its list or quote: only there it is one to Discord, and is closed and opened again where it is cut. */
function addBlock({ source, edits }: Place, node: Nodes, text: string, isCode: boolean): void {
  const { start } = spanOf(node);
  // A fence that its list left open ends behind the blank lines that follow.
  const end = start + sliceOf(node, source).trimEnd().length;
  const lineStart = source.lastIndexOf('\n', start - 1) + 1;
  const isAlone = /^[\s>]*$/.test(source.slice(lineStart, start));
  const behind = source.charAt(end) === '\n' || end === source.length ? '' : '\n';
  edits.push({
    start: isAlone ? lineStart : start,
    end,
    text: (isAlone ? '' : '\n') + text + behind,
    isCode,
  });
}

function replace({ edits }: Place, node: Nodes, text: string): void {
  edits.push({ ...spanOf(node), text });
}

/** Replaces the marks before and behind the children of a node. */
function replaceAround({ edits }: Place, node: Parents, before: string, after: string): void {
  const [first, last] = [node.children[0], node.children.at(-1)];
  if (first === undefined || last === undefined) return;
  edits.push({ start: spanOf(node).start, end: spanOf(first).start, text: before });
  edits.push({ start: spanOf(last).end, end: spanOf(node).end, text: after });
}

/** The brackets stay where it is no link, or `evil.![com](x)` would be the address of a host. */
function linkText(url: string, alt: string): string {
  const words = alt.replace(/[[\]]/g, '');
  if (canMask(url)) return words.trim() === '' ? url : `[${words}](${url})`;
  return `[${words}] (${url})`;
}

function canMask(url: string): boolean {
  return /^https?:\/\/[^\s()<>]+$/i.test(url) && URL.canParse(url);
}
