import { AppError } from '@agent-runtime/domain';
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  type SelectQueryBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import { encodeRow, encodeValue, type SqlRow, type SqlValue, TABLES, type Table } from '../tables/index.ts';

/** A statement ready to run. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

type Conditions = Readonly<Record<string, unknown>>;
interface Options {
  readonly orderBy?: PropertyKey | undefined;
  readonly direction?: 'asc' | 'desc' | undefined;
  readonly limit?: number | undefined;
}
type Schema = Record<string, SqlRow>;
type Filterable<Q> = { where(column: string, operator: Operator, value: unknown): Q };
type Operator = '=' | 'is' | 'is not' | 'in' | '<' | '<=' | '>' | '>=';

/** Kysely as a compiler only: statements run on the synchronous connection, which spares each of them several turns of the loop. */
const compiler = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

const INSERTS: ReadonlyMap<Table, string> = new Map(
  [...TABLES.values()].map((table) => [table, compileInsert(table)]),
);

function compileInsert(table: Table): string {
  const values = Object.fromEntries(table.columns.map((column) => [column.name, null]));
  return compiler.insertInto(table.name).values(values).compile().sql;
}

/** One row into a table. */
export function insertStatement(table: Table, row: object): Statement {
  return { sql: INSERTS.get(table) ?? compileInsert(table), params: encodeRow(table, row) };
}

/** Rows that fit, in the order asked for; rows that compare equal come as they were written. */
export function selectStatement(table: Table, where: Conditions, options: Options = {}): Statement {
  let query: SelectQueryBuilder<Schema, string, SqlRow> = compiler.selectFrom(table.name).selectAll();
  query = filter(query, table, where);
  const direction = options.direction ?? 'asc';
  if (options.orderBy !== undefined)
    query = query.orderBy(table.column(String(options.orderBy)).name, direction);
  query = query.orderBy(sql`rowid`, direction);
  if (options.limit !== undefined) query = query.limit(options.limit);
  return finish(query.compile());
}

export function countStatement(table: Table, where: Conditions): Statement {
  const query = compiler.selectFrom(table.name).select(({ fn }) => fn.countAll<number>().as('count'));
  return finish(filter(query, table, where).compile());
}

/** @throws AppError database.where.bug when there is no condition at all: that is never meant */
export function updateStatement(table: Table, where: Conditions, patch: object): Statement {
  assertBounded(table, where);
  const entries = Object.entries(patch).map(([field, value]) => {
    const column = table.column(field);
    return [column.name, encodeValue(column, value)] as const;
  });
  if (entries.length === 0) throw whereBug(table, 'an update changes nothing');
  const query = compiler.updateTable(table.name).set(Object.fromEntries(entries));
  return finish(filter(query, table, where).compile());
}

/** @throws AppError database.where.bug when there is no condition at all */
export function deleteStatement(table: Table, where: Conditions): Statement {
  assertBounded(table, where);
  return finish(filter(compiler.deleteFrom(table.name), table, where).compile());
}

function filter<Q extends Filterable<Q>>(start: Q, table: Table, where: Conditions): Q {
  let query = start;
  for (const [field, wanted] of Object.entries(where)) {
    const column = table.column(field);
    // JSON columns have no order and no equality worth asking for.
    if (column.kind === 'json') throw whereBug(table, `${field} cannot be compared`);
    for (const [operator, value] of comparisons(wanted)) {
      const encoded = Array.isArray(value)
        ? value.map((item) => encodeValue(column, item))
        : encodeValue(column, value);
      query = query.where(column.name, operator, encoded);
    }
  }
  return query;
}

/** `undefined` asks for NULL, as it is stored: a condition that was forgotten finds nothing rather than everything. */
function comparisons(wanted: unknown): readonly (readonly [Operator, unknown])[] {
  if (wanted === undefined) return [['is', undefined]];
  if (typeof wanted !== 'object' || wanted === null) return [['=', wanted]];
  return Object.entries(wanted).map(([name, value]) => comparison(name, value));
}

function comparison(name: string, value: unknown): readonly [Operator, unknown] {
  switch (name) {
    case 'in':
      return ['in', value];
    case 'lt':
      return ['<', value];
    case 'lte':
      return ['<=', value];
    case 'gt':
      return ['>', value];
    case 'gte':
      return ['>=', value];
    case 'isNull':
      return [value === true ? 'is' : 'is not', undefined];
    default:
      throw new AppError({
        code: 'database.where.bug',
        kind: 'bug',
        message: 'A condition of a query is not known.',
        detail: name,
      });
  }
}

function assertBounded(table: Table, where: Conditions): void {
  if (Object.keys(where).length === 0) throw whereBug(table, 'a change of every row');
}

function whereBug(table: Table, what: string): AppError {
  return new AppError({
    code: 'database.where.bug',
    kind: 'bug',
    message: `A query on ${table.name} was refused: ${what}.`,
  });
}

function finish(compiled: CompiledQuery<unknown>): Statement {
  return { sql: compiled.sql, params: compiled.parameters.map(toSqlValue) };
}

function toSqlValue(value: unknown): SqlValue {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}
