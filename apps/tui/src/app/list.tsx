import { type ReactNode, useRef, useState } from 'react';
import type { Area } from './action.ts';
import { draftLines } from './draft-lines.ts';
import { type Draft, draftOf, edit } from './edit.ts';
import { useKeys } from './keys.tsx';
import { clean, type Line, line, Row, type Span, span } from './line.tsx';
import { matches } from './match.ts';
import { scrolled } from './pager.tsx';
import { type Tone, useTheme } from './theme.ts';
import { cells, pad } from './width.ts';

/** A column: its heading and its text per row. Exactly one column has `isWide` and takes what is left. */
export interface Column<T> {
  readonly name: string;
  of(row: T): string;
  tone?(row: T): Tone | undefined;
  /** Not wider than this. */
  readonly most?: number;
  readonly isWide?: boolean;
  /** Left out on a narrower screen. */
  readonly from?: number;
}

/** A list under a cursor that stays on its row while rows come and go. */
export interface ListState<T> {
  readonly rows: readonly T[];
  readonly selected: T | undefined;
  readonly index: number;
  readonly filter: Draft | undefined;
  readonly isTyping: boolean;
  readonly total: number;
}

const PAGE_ROWS = 10;

/** Rows after the filter, the selected one, and the keys that move it. */
export function useList<T>(
  items: readonly T[] | undefined,
  about: { keyOf(row: T): string; textOf(row: T): string; readonly isOn?: boolean },
): ListState<T> {
  const all = items ?? [];
  const [key, setKey] = useState<string | undefined>(undefined);
  const [filter, setFilter] = useState<Draft | undefined>(undefined);
  const [isTyping, setTyping] = useState(false);
  const lastIndex = useRef(0);
  const words = filter?.text ?? '';
  const rows = words === '' ? all : all.filter((row) => matches(about.textOf(row), words));
  const found = key === undefined ? -1 : rows.findIndex((row) => about.keyOf(row) === key);
  const index = Math.max(0, Math.min(rows.length - 1, found >= 0 ? found : lastIndex.current));
  lastIndex.current = index;
  const isOn = about.isOn ?? true;
  useKeys(
    'list',
    (press) => {
      if (press.name === '/') {
        setFilter((now) => now ?? draftOf(''));
        setTyping(true);
        return true;
      }
      if (press.name === 'escape' && filter !== undefined) {
        setFilter(undefined);
        return true;
      }
      const next = scrolled(press.name, index, { height: PAGE_ROWS, last: Math.max(0, rows.length - 1) });
      const row = next === undefined ? undefined : rows[next];
      if (row !== undefined) setKey(about.keyOf(row));
      return next !== undefined;
    },
    isOn,
  );
  useKeys(
    'overlay',
    (press) => {
      if (press.name === 'escape') setFilter(undefined);
      if (press.name === 'escape' || press.name === 'enter') setTyping(false);
      else setFilter((now) => edit(now ?? draftOf(''), press, false) ?? now);
      return true;
    },
    isOn && isTyping,
  );
  return { rows, selected: rows[index], index, filter, isTyping, total: all.length };
}

/** Headings and the rows in sight. Widths come from those rows alone, so that a thousand others cost nothing. */
export function Table<T>(props: {
  readonly list: ListState<T>;
  readonly columns: readonly Column<T>[];
  readonly area: Area;
  keyOf(row: T): string;
  isMarked?(row: T): boolean;
}): ReactNode {
  const { list, area } = props;
  const { isReader } = useTheme();
  const first = useRef(0);
  const filterLines = list.filter === undefined ? 0 : 1;
  const height = Math.max(1, area.height - 1 - filterLines);
  first.current = windowStart(first.current, list.index, { height, count: list.rows.length });
  const inSight = list.rows.slice(first.current, first.current + height);
  const columns = props.columns.filter((column) => column.from === undefined || area.width >= column.from);
  const widths = columnWidths(columns, inSight, area.width - 2);
  const cellsOf = (row: T): Line =>
    columns.flatMap((column, i) =>
      cell(column.of(row), widths[i] ?? 0, {
        tone: column.tone?.(row),
        isReader,
        isLast: i === columns.length - 1,
      }),
    );
  return (
    <>
      {list.filter !== undefined && (
        <Row
          width={area.width}
          line={[
            span(' / ', 'accent'),
            ...(list.isTyping
              ? (draftLines(list.filter, area.width - 20, 1)[0] ?? [])
              : line(list.filter.text)),
            span(`  ${list.rows.length} of ${list.total}`, 'dim'),
          ]}
        />
      )}
      <Row
        width={area.width}
        line={[
          span('  '),
          ...columns.flatMap((column, i) =>
            cell(column.name.toUpperCase(), widths[i] ?? 0, {
              tone: 'dim',
              isReader,
              isLast: i === columns.length - 1,
            }),
          ),
        ]}
      />
      {inSight.map((row, i) => {
        const isSelected = first.current + i === list.index;
        return (
          <Row
            key={props.keyOf(row)}
            width={area.width}
            isSelected={isSelected}
            line={[rowSign(isSelected, props.isMarked?.(row) === true, isReader), ...cellsOf(row)]}
          />
        );
      })}
      {list.rows.length === 0 && list.total > 0 && (
        <Row width={area.width} line={line('  Nothing fits the filter. Esc takes it away.', 'dim')} />
      )}
    </>
  );
}

function rowSign(isSelected: boolean, isMarked: boolean, isReader: boolean): Span {
  if (isReader) return span(`${isSelected ? 'selected, ' : ''}${isMarked ? 'marked, ' : ''}`);
  return span(`${isSelected ? '›' : ' '}${isMarked ? '*' : ' '}`, 'accent');
}

function cell(
  text: string,
  width: number,
  look: { readonly tone: Tone | undefined; readonly isReader: boolean; readonly isLast: boolean },
): readonly Span[] {
  const shown = clean(text);
  const filled = look.isReader ? `${shown}${look.isLast ? '' : ', '}` : pad(shown, width);
  return [span(filled, look.tone), ...(look.isLast || look.isReader ? [] : [span('  ')])];
}

/** The first row in sight: moved only as far as the cursor needs. */
export function windowStart(
  first: number,
  index: number,
  room: { readonly height: number; readonly count: number },
): number {
  const lowest = Math.max(0, Math.min(first, room.count - room.height));
  if (index < lowest) return index;
  return index >= lowest + room.height ? index - room.height + 1 : lowest;
}

function columnWidths<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width: number,
): readonly number[] {
  const natural = columns.map((column) =>
    Math.min(
      column.most ?? width,
      Math.max(column.name.length, ...rows.map((row) => cells(clean(column.of(row))))),
    ),
  );
  const gaps = 2 * (columns.length - 1);
  const fixed = columns.reduce((sum, column, i) => sum + (column.isWide === true ? 0 : (natural[i] ?? 0)), 0);
  const left = Math.max(4, width - gaps - fixed);
  return columns.map((column, i) => (column.isWide === true ? left : (natural[i] ?? 0)));
}
