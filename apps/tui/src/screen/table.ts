import { oneLine } from '@agent-runtime/domain';

const GAP = '  ';
const MIN_FLEXIBLE = 12;

/** A column: its heading, its text per row. The last column takes what is left of the line. */
export interface Column<Row> {
  readonly name: string;
  of(row: Row): string | number | undefined;
  /** Set before the text as it is, spaces and all: never anybody's words. */
  lead?(row: Row): string;
}

/**
 * Rows under headings, aligned, within `columns` characters; only the last column is shortened. Where even that is too wide
 * each row becomes a small block. Hidden characters are spelt out.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string {
  const cells = rows.map((row) =>
    columns.map((column) => `${column.lead?.(row) ?? ''}${oneLine(String(column.of(row) ?? '-'), 400)}`),
  );
  const last = columns.length - 1;
  const widths = columns.map((column, i) =>
    Math.max(column.name.length, ...cells.map((line) => (line[i] ?? '').length)),
  );
  const fixed = widths.slice(0, last).reduce((sum, size) => sum + size + GAP.length, 0);
  const room = width - fixed;
  if (room < Math.min(MIN_FLEXIBLE, widths[last] ?? 0)) return blocks(cells, columns, width);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (i === last ? shorten(text, room) : text.padEnd(widths[i] ?? 0)))
      .join(GAP)
      .trimEnd();
  return [line(columns.map((column) => column.name.toUpperCase())), ...cells.map(line)].join('\n');
}

function blocks<Row>(
  cells: readonly (readonly string[])[],
  columns: readonly Column<Row>[],
  width: number,
): string {
  const size = Math.max(...columns.map((column) => column.name.length));
  return cells
    .map((line) =>
      line
        .map(
          (text, i) =>
            `${(columns[i]?.name ?? '').padEnd(size)}  ${shorten(text, Math.max(20, width - size - 2))}`,
        )
        .join('\n'),
    )
    .join('\n\n');
}

function shorten(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

/** Names and values, one per line, aligned; undefined ones are left out. Values may have several lines. */
export function facts(
  pairs: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const given = pairs.filter((pair): pair is readonly [string, string | number] => pair[1] !== undefined);
  const size = Math.max(0, ...given.map(([name]) => name.length));
  return given
    .map(
      ([name, value]) =>
        `${name.padEnd(size)}  ${String(value)
          .split('\n')
          .join(`\n${' '.repeat(size + 2)}`)}`,
    )
    .join('\n');
}

/** Items with commas between, in lines of at most `width` characters; an item is never broken. */
export function wrapped(items: readonly string[], width: number): string {
  const lines: string[] = [];
  items.forEach((item, i) => {
    const text = i === items.length - 1 ? item : `${item},`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + text.length <= width)
      lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(text);
  });
  return lines.join('\n');
}

/** `2026-11-21 14:03` in UTC: short, sortable, the same for everyone. */
export function shortTime(instant: string | undefined): string | undefined {
  return instant?.slice(0, 16).replace('T', ' ');
}
