import { AppError, type StoreReader, type TableName, type Tables } from '@agent-runtime/domain';
import type { Connection, Statements } from '../database/index.ts';
import { sumByRoute, sumTokens } from '../ledger/index.ts';
import { damagedFile, decodeRow, type SqlRow, type SqlValue, TABLES, type Table } from '../tables/index.ts';
import type { ReadCache } from './read-cache.ts';

/** The declared table of a name. @throws AppError database.table.bug */
export function tableOf(name: TableName): Table {
  const table = TABLES.get(name);
  if (table !== undefined) return table;
  throw new AppError({
    code: 'database.table.bug',
    kind: 'bug',
    message: 'There is no such table.',
    detail: name,
  });
}

/** What we wrote can be read; what cannot was changed on the disk. @throws AppError database.file.unavailable */
function decodeSound(name: TableName, row: SqlRow): unknown {
  try {
    return decodeRow(tableOf(name), row);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw damagedFile({ table: name }, cause);
  }
}

/** Reads through one connection, or from what is known of quiet tables. */
export function makeReader(
  connection: Pick<Connection, 'get' | 'all'>,
  statements: Statements,
  cache: Pick<ReadCache, 'answer'>,
): StoreReader {
  const decode = <T extends TableName>(name: T, row: SqlRow): Tables[T] =>
    decodeSound(name, row) as Tables[T]; // safe: rows are only written through the same declarations
  return {
    get: async (name, where) => {
      const { sql, params } = statements.select(tableOf(name), where, { limit: 1 });
      return cache.answer(name, questionOf('get', sql, params), () => {
        const row = connection.get(sql, params);
        return row === undefined ? undefined : decode(name, row);
      });
    },
    find: async (name, where, options = {}) => {
      const { sql, params } = statements.select(tableOf(name), where, options);
      return cache.answer(name, questionOf('find', sql, params), () =>
        connection.all(sql, params).map((row) => decode(name, row)),
      );
    },
    count: async (name, where) => {
      const { sql, params } = statements.count(tableOf(name), where);
      return Number(connection.get(sql, params)?.count ?? 0);
    },
    tokensSpent: async (filter) => sumTokens(connection, filter),
    spentByRoute: async (filter) => sumByRoute(connection, filter),
  };
}

function questionOf(kind: 'get' | 'find', sql: string, params: readonly SqlValue[]): string {
  return `${kind} ${sql} ${JSON.stringify(params)}`;
}
