import type { Nodes, Table } from 'mdast';
import type { Cells } from './table.ts';

/** The words of a node and all below it, without any mark. Recursion is safe: parsed trees are shallow. */
export function wordsOf(node: Nodes): string {
  switch (node.type) {
    case 'break':
      return '\n';
    case 'image':
    case 'imageReference':
      return node.alt ?? '';
    case 'footnoteReference':
      return `[${node.label ?? node.identifier}]`;
    default:
      if ('value' in node) return node.value;
      return 'children' in node ? node.children.map(wordsOf).join('') : '';
  }
}

/** @returns the cells of a table, or undefined when one of them leads somewhere: a grid can hold no link */
export function plainCells(table: Table): Cells | undefined {
  const hasTarget = table.children.some((row) => row.children.some((cell) => cell.children.some(leadsOut)));
  if (hasTarget) return undefined;
  return table.children.map((row) => row.children.map((cell) => wordsOf(cell).replace(/\s+/g, ' ').trim()));
}

function leadsOut(node: Nodes): boolean {
  if (node.type === 'link') return !isBareLink(node.url, wordsOf(node));
  if (node.type === 'image' || node.type === 'linkReference' || node.type === 'imageReference') return true;
  return 'children' in node && node.children.some(leadsOut);
}

/** An address that stands for itself, as `https://a.example`, `www.a.example` or `<me@a.example>`. */
export function isBareLink(url: string, words: string): boolean {
  return url === words || url === `http://${words}` || url === `mailto:${words}`;
}

/** The name of a programming language as chats take it; anything else in that place is text. */
export function isLanguage(lang: string): boolean {
  return /^[\w+#.-]{1,20}$/.test(lang);
}

/** What stands behind the fence of a code block and is no language: it is said as a line of the code. */
export function infoLines(lang: string | null | undefined, meta: string | null | undefined): string {
  const words = [lang !== null && lang !== undefined && !isLanguage(lang) ? lang : '', meta ?? ''];
  return words.filter((word) => word !== '').join(' ');
}
