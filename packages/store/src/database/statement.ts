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

/** Statements for the declared tables. Compiling one costs more than running it, so each shape is compiled once. */
export interface Statements {
  /** One row into a table. */
  insert(table: Table, row: object): Statement;
  /** Rows that fit, in the order asked for; rows that compare equal come as they were written. */
  select(table: Table, where: Conditions, options?: Options): Statement;
  count(table: Table, where: Conditions): Statement;
  /** @throws AppError database.where.bug when there is no condition at all: that is never meant */
  update(table: Table, where: Conditions, patch: object): Statement;
  /** @throws AppError database.where.bug when there is no condition at all */
  remove(table: Table, where: Conditions): Statement;
}

/** Shapes kept; beyond this all are dropped, for `in (…)` lists of many lengths make many shapes. */
const MAX_SHAPES = 400;

/** Statements of one database, with the texts that they have made so far. */
export function makeStatements(): Statements {
  const texts = new Map<string, string>();
  const textOf = (shape: string, compile: () => CompiledQuery<unknown>): string => {
    const known = texts.get(shape);
    if (known !== undefined) return known;
    if (texts.size >= MAX_SHAPES) texts.clear();
    const text = compile().sql;
    texts.set(shape, text);
    return text;
  };
  return {
    insert: (table, row) => ({
      sql: INSERTS.get(table) ?? compileInsert(table),
      params: encodeRow(table, row),
    }),
    select: (table, where, options = {}) => {
      const conditions = conditionsOf(table, where);
      const order = [options.orderBy, options.direction, options.limit !== undefined].map(String).join(' ');
      const sql = textOf(`select ${table.name} ${order} ${shapeOf(conditions)}`, () =>
        compileSelect(table, conditions, options),
      );
      const params = paramsOf(conditions);
      return { sql, params: options.limit === undefined ? params : [...params, options.limit] };
    },
    count: (table, where) => {
      const conditions = conditionsOf(table, where);
      const sql = textOf(`count ${table.name} ${shapeOf(conditions)}`, () =>
        filter(
          compiler.selectFrom(table.name).select(({ fn }) => fn.countAll<number>().as('count')),
          conditions,
        ).compile(),
      );
      return { sql, params: paramsOf(conditions) };
    },
    update: (table, where, patch) => {
      assertBounded(table, where);
      const conditions = conditionsOf(table, where);
      const changes = Object.entries(patch).map(([field, value]) => {
        const column = table.column(field);
        return [column.name, encodeValue(column, value)] as const;
      });
      if (changes.length === 0) throw whereBug(table, 'an update changes nothing');
      const fields = changes.map(([name]) => name).join(' ');
      const sql = textOf(`update ${table.name} ${fields} where ${shapeOf(conditions)}`, () =>
        filter(compiler.updateTable(table.name).set(Object.fromEntries(changes)), conditions).compile(),
      );
      return { sql, params: [...changes.map(([, value]) => value), ...paramsOf(conditions)] };
    },
    remove: (table, where) => {
      assertBounded(table, where);
      const conditions = conditionsOf(table, where);
      const sql = textOf(`remove ${table.name} ${shapeOf(conditions)}`, () =>
        filter(compiler.deleteFrom(table.name), conditions).compile(),
      );
      return { sql, params: paramsOf(conditions) };
    },
  };
}

function compileSelect(
  table: Table,
  conditions: readonly Condition[],
  options: Options,
): CompiledQuery<unknown> {
  let query: SelectQueryBuilder<Schema, string, SqlRow> = compiler.selectFrom(table.name).selectAll();
  query = filter(query, conditions);
  const direction = options.direction ?? 'asc';
  if (options.orderBy !== undefined)
    query = query.orderBy(table.column(String(options.orderBy)).name, direction);
  query = query.orderBy(sql`rowid`, direction);
  if (options.limit !== undefined) query = query.limit(options.limit);
  return query.compile();
}

/** One comparison, its values as SQLite takes them. */
interface Condition {
  readonly column: string;
  readonly operator: Operator;
  readonly value: SqlValue | readonly SqlValue[];
}

function conditionsOf(table: Table, where: Conditions): readonly Condition[] {
  return Object.entries(where).flatMap(([field, wanted]) => {
    const column = table.column(field);
    // JSON columns have no order and no equality worth asking for.
    if (column.kind === 'json') throw whereBug(table, `${field} cannot be compared`);
    return comparisons(wanted).map(([operator, value]) => ({
      column: column.name,
      operator,
      value: Array.isArray(value)
        ? value.map((item) => encodeValue(column, item))
        : encodeValue(column, value),
    }));
  });
}

/** Everything of conditions that makes another text. Names are declared columns, so no value can pose as a part of it. */
function shapeOf(conditions: readonly Condition[]): string {
  return conditions
    .map(
      ({ column, operator, value }) =>
        `${column} ${operator} ${isList(value) ? value.length : value === null}`,
    )
    .join(', ');
}

/** In the order of the text; NULL is part of the text itself. */
function paramsOf(conditions: readonly Condition[]): readonly SqlValue[] {
  return conditions.flatMap(({ value }) => (isList(value) ? value : value === null ? [] : [value]));
}

function isList(value: Condition['value']): value is readonly SqlValue[] {
  return Array.isArray(value);
}

function filter<Q extends Filterable<Q>>(start: Q, conditions: readonly Condition[]): Q {
  let query = start;
  for (const { column, operator, value } of conditions) query = query.where(column, operator, value);
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
