import type { Code, Nodes, Paragraph, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { cleanText } from './clean.ts';
import { cutSections, hasMarks, type SourceSection } from './sections.ts';

/** Blocks of one piece of the text; positions in the nodes are offsets into `source`. */
export interface Section {
  readonly source: string;
  readonly nodes: readonly RootContent[];
  /** On the line behind the section before, with no blank line between. */
  readonly isClose: boolean;
}

export interface ParsedMarkdown {
  readonly sections: readonly Section[];
  readonly links: LinkTable;
}

/** What link references lead to. A definition that nothing refers to stays visible, or its words would be lost. */
export interface LinkTable {
  /** Identifier -> target. */
  readonly targets: ReadonlyMap<string, string>;
  /** Identifiers that something refers to. */
  readonly used: ReadonlySet<string>;
}

interface OpenLinkTable extends LinkTable {
  readonly targets: Map<string, string>;
  readonly used: Set<string>;
}

/** Deeper trees are shown as they were written: the renderers walk them by recursion. */
const MOST_DEPTH = 24;
const MOST_DEFINITIONS = 100;
/** In one section; they are parsed with it. */
const MOST_DEFINITIONS_TOGETHER = 20;
const DEFINITION = /^ {0,3}\[([^\][\\]{1,100})\]:[ \t]*\S.{0,500}$/gm;

// Character references stay as they were written: decoded, `&#58;` and `&period;` would make links and mentions that no filter saw.
// Blocks of HTML are text for us anyway, and so they hide no Markdown.
const SYNTAX = [
  withoutMail(gfm({ singleTilde: false })),
  { disable: { null: ['characterReference', 'htmlFlow'] } },
];
// The transform of literal autolinks walks the tree once more for links that the tokenizer missed; nobody needs them.
const TREE = gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }));

/**
 * Parses Markdown with GFM (tables, task lists, strikethrough, footnotes; addresses in the text stay byte for byte). Raw HTML and
 * character references are text. Text that would be costly to parse (see sections.ts) or is nested too deep is one plain paragraph.
 * @returns sections in order, none for an empty text. Never throws; O(n) for text without hostile parts. Pure.
 */
export function parseMarkdown(markdown: string): ParsedMarkdown {
  const text = cleanText(markdown);
  const links: OpenLinkTable = { targets: new Map(), used: new Set() };
  if (!hasMarks(text)) return { sections: text.trim() === '' ? [] : [plain(text, false)], links };
  const cut = cutSections(text);
  const definitions = definitionsIn(cut);
  return { sections: cut.map((section) => parseSection(section, definitions, links)), links };
}

/** Looking for mail addresses costs at every letter, and chats link them by themselves; web addresses must keep their underscores. */
function withoutMail(syntax: ReturnType<typeof gfm>): ReturnType<typeof gfm> {
  const text = Object.entries(syntax.text ?? {}).map(([code, constructs]) => {
    const kept = [constructs]
      .flat()
      .flatMap((construct) =>
        construct === undefined || construct.name === 'emailAutolink' ? [] : [construct],
      );
    return [code, kept] as const;
  });
  return { ...syntax, text: Object.fromEntries(text.filter(([, kept]) => kept.length > 0)) };
}

/** Where a node stands in the source of its section, as offsets. */
export function spanOf(node: Nodes): { readonly start: number; readonly end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}

/** A node as it was written. */
export function sliceOf(node: Nodes, source: string): string {
  const { start, end } = spanOf(node);
  return source.slice(start, end);
}

/** Identifier -> line, of definitions of links and footnotes anywhere outside code. */
function definitionsIn(sections: readonly SourceSection[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { kind, source } of sections) {
    if (kind !== 'markdown' || !source.includes(']:')) continue;
    for (const [line, label = ''] of source.matchAll(DEFINITION)) {
      const key = label.toLowerCase();
      if (found.size < MOST_DEFINITIONS && !found.has(key)) found.set(key, line);
    }
  }
  return found;
}

function parseSection(
  { kind, source, isClose }: SourceSection,
  definitions: ReadonlyMap<string, string>,
  links: OpenLinkTable,
): Section {
  if (kind === 'code') return { source, nodes: [fencedCode(source)], isClose };
  if (kind !== 'markdown') return plain(source, isClose);
  try {
    const { children } = fromMarkdown(source + definitionsFor(source, definitions), {
      extensions: SYNTAX,
      mdastExtensions: TREE,
    });
    if (!collectLinks(children, links)) return plain(source, isClose);
    return { source, nodes: children.filter((node) => spanOf(node).start < source.length), isClose };
  } catch {
    // A fault of the parser must not cost anybody the answer.
    return plain(source, isClose);
  }
}

function definitionsFor(source: string, definitions: ReadonlyMap<string, string>): string {
  if (definitions.size === 0 || !source.includes('[')) return '';
  const lower = source.toLowerCase();
  const needed = [...definitions].filter(
    ([label, line]) => lower.includes(`[${label}]`) && !source.includes(line),
  );
  return needed
    .slice(0, MOST_DEFINITIONS_TOGETHER)
    .map(([, line]) => `\n\n${line}`)
    .join('');
}

/** Notes definitions and their uses. @returns false for a tree too deep to walk by recursion */
function collectLinks(nodes: readonly RootContent[], { targets, used }: OpenLinkTable): boolean {
  const waiting: { readonly node: Nodes; readonly depth: number }[] = nodes.map((node) => ({
    node,
    depth: 1,
  }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    if (depth > MOST_DEPTH) return false;
    if (node.type === 'linkReference' || node.type === 'imageReference') used.add(node.identifier);
    if (node.type === 'definition' && !targets.has(node.identifier)) targets.set(node.identifier, node.url);
    if (!('children' in node)) continue;
    for (const child of node.children) waiting.push({ node: child, depth: depth + 1 });
  }
  return true;
}

function plain(source: string, isClose: boolean): Section {
  const text: Paragraph['children'][number] = { type: 'text', value: source, position: whole(source) };
  return { source, nodes: [{ type: 'paragraph', children: [text], position: whole(source) }], isClose };
}

function fencedCode(source: string): Code {
  const [opening = '', ...rest] = source.split('\n');
  const [marker = ''] = /^(?:`+|~+)/.exec(opening) ?? [];
  const [, closing = ''] = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(rest.at(-1) ?? '') ?? [];
  const lines = closing.startsWith(marker) ? rest.slice(0, -1) : rest;
  const [, lang = '', meta = ''] = /^(\S*)[ \t]*(.*)$/.exec(opening.slice(marker.length).trim()) ?? [];
  return {
    type: 'code',
    lang: lang === '' ? null : lang,
    meta: meta === '' ? null : meta,
    value: lines.join('\n'),
    position: whole(source),
  };
}

function whole(source: string): NonNullable<Paragraph['position']> {
  return {
    start: { line: 1, column: 1, offset: 0 },
    end: { line: source.split('\n').length, column: 1, offset: source.length },
  };
}
