import { AppError } from '@agent-runtime/domain';
import type { Column, Table } from './columns.ts';
import { storedJson } from './damage.ts';

/** What SQLite takes and gives. */
export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** One value on its way into SQL; `undefined` is NULL. */
export function encodeValue(column: Column, value: unknown): SqlValue {
  if (value === undefined) return null;
  if (column.kind === 'json') return JSON.stringify(value);
  if (column.kind === 'boolean') return value === true ? 1 : 0;
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new AppError({
    code: 'database.value.bug',
    kind: 'bug',
    message: `The column ${column.name} cannot hold such a value.`,
    detail: { column: column.name, type: typeof value },
  });
}

/** A whole row in the order of the table's columns; absent fields become NULL. */
export function encodeRow(table: Table, row: object): readonly SqlValue[] {
  const fields: Readonly<Record<string, unknown>> = { ...row };
  for (const field of Object.keys(fields)) table.column(field);
  return table.columns.map((column) => encodeValue(column, fields[column.field]));
}

/** A row as the port types it: NULL fields are absent. */
export function decodeRow(table: Table, row: SqlRow): Readonly<Record<string, unknown>> {
  const decoded: Record<string, unknown> = {};
  for (const column of table.columns) {
    const value = row[column.name];
    if (value !== null && value !== undefined) decoded[column.field] = decodeValue(column, value);
  }
  return decoded;
}

function decodeValue(column: Column, value: string | number): unknown {
  if (column.kind === 'json') return storedJson(value, column.name);
  return column.kind === 'boolean' ? value === 1 : value;
}
