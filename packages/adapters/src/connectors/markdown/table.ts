import type { Table, TableCell } from 'mdast';
import { sliceOf } from './parse.ts';

/** Cells of a table as plain text, the header first; rows may be shorter or longer than it. */
export type Cells = readonly (readonly string[])[];

/** Letters that fill two columns of a monospace font: East Asian wide and full-width forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Letters that fill none. */
const ZERO = /[\p{M}\p{Cf}]/u;

/**
 * A small table as lines of equal columns, with a line under the header.
 * @param mostColumns widest line in columns
 * @returns undefined when it is wider; pure
 */
export function gridOf(cells: Cells, mostColumns: number): string | undefined {
  const count = Math.max(...cells.map((row) => row.length));
  // Each column needs one letter and a gap: no sum over a million of empty ones.
  if (count * 3 - 2 > mostColumns) return undefined;
  const columns = Array.from({ length: count }, (_, index) =>
    Math.max(1, ...cells.map((row) => widthOf(row[index] ?? ''))),
  );
  const width = columns.reduce((sum, column) => sum + column, (count - 1) * 2);
  if (width > mostColumns) return undefined;
  const [header, ...rows] = cells.map((row) =>
    columns
      .map((column, at) => pad(row[at] ?? '', column))
      .join('  ')
      .trimEnd(),
  );
  const rule = columns.map((column) => '─'.repeat(column)).join('  ');
  return [header, rule, ...rows].join('\n');
}

/** Stands for an empty cell. */
export const NO_VALUE = '–';
/** Titles are said again in each row; more than this and a table stays as it was written, or it would grow without measure. */
const MOST_TITLE_CHARS = 8_000;

export type Field = readonly [title: TableCell | undefined, value: TableCell | undefined];

/**
 * What a table becomes that is too wide or holds links: one group of fields per row. A table without rows is one group of its titles.
 * @returns undefined when that would be far longer than the table itself; pure
 */
export function recordsOf({ children }: Table, source: string): readonly (readonly Field[])[] | undefined {
  const [header, ...body] = children;
  if (header === undefined) return [];
  const titles = header.children;
  if (body.length === 0)
    return [titles.filter((title) => !isEmpty(title)).map((title) => [undefined, title])];
  if (sliceOf(header, source).length * body.length > MOST_TITLE_CHARS) return undefined;
  return body.map(({ children: values }) => {
    const fields = Array.from(
      { length: Math.max(titles.length, values.length) },
      (_, at): Field => [filled(titles[at]), filled(values[at])],
    );
    return fields.filter(([title, value]) => title !== undefined || value !== undefined);
  });
}

function filled(cell: TableCell | undefined): TableCell | undefined {
  return cell === undefined || isEmpty(cell) ? undefined : cell;
}

function isEmpty(cell: TableCell): boolean {
  return cell.children.length === 0;
}

function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += ZERO.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return width;
}

function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}
