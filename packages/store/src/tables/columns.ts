import { AppError } from '@agent-runtime/domain';

/** How a value of this column is stored: as it is, as 0 or 1, or as JSON text. */
export type ColumnKind = 'text' | 'integer' | 'boolean' | 'json';

/** The kind that fits a value's type; a wrong one in a declaration does not compile. */
export type KindOf<V> = [V] extends [boolean]
  ? 'boolean'
  : [V] extends [string]
    ? 'text'
    : [V] extends [number]
      ? 'integer'
      : 'json';

/** One kind per field of a row, none missing, none too many. */
export type ColumnsOf<Row> = { readonly [K in keyof Row]-?: KindOf<NonNullable<Row[K]>> };

export interface Column {
  /** camelCase, as in the row's type. */
  readonly field: string;
  /** snake_case, as in SQL. */
  readonly name: string;
  readonly kind: ColumnKind;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** @throws AppError database.column.bug for a field that is not declared, so that no text of a caller reaches SQL as a name */
  column(field: string): Column;
}

/** Makes a table out of its declared fields. */
export function makeTable(name: string, kinds: Readonly<Record<string, ColumnKind>>): Table {
  const columns = Object.entries(kinds).map(([field, kind]) => ({ field, name: snakeCase(field), kind }));
  const byField = new Map(columns.map((column) => [column.field, column]));
  return {
    name,
    columns,
    column(field) {
      const column = byField.get(field);
      if (column !== undefined) return column;
      throw new AppError({
        code: 'database.column.bug',
        kind: 'bug',
        message: `The table ${name} has no such column.`,
        detail: { table: name, field },
      });
    },
  };
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
