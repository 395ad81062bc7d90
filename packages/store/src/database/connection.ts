import { closeSync, openSync, readSync } from 'node:fs';
import Database from 'better-sqlite3';
import { damagedFile, type SqlRow, type SqlValue } from '../tables/index.ts';
import { translateSqliteError } from './sqlite-error.ts';

/** One connection; every method is synchronous and throws AppError only. */
export interface Connection {
  /** @returns rows changed */
  run(sql: string, params?: readonly SqlValue[]): number;
  get(sql: string, params?: readonly SqlValue[]): SqlRow | undefined;
  all(sql: string, params?: readonly SqlValue[]): readonly SqlRow[];
  /** Several statements without parameters. */
  exec(sql: string): void;
  readonly isInTransaction: boolean;
  close(): void;
}

export interface ConnectionOptions {
  readonly isReadOnly?: boolean;
  /** How long to wait for another connection's lock, ms. */
  readonly busyTimeoutMs: number;
  /** `full`: a commit is on the disk when it returns. `none` is for tests alone: a power cut may lose it. */
  readonly durability: 'full' | 'none';
}

/** Statements kept ready; beyond this all are dropped, for `in (…)` lists of many lengths make many texts. */
const MAX_STATEMENTS = 400;

/**
 * Opens the database file with WAL, the durability asked for and foreign input distrusted.
 * @throws AppError database.disk.unavailable · database.busy.unavailable · database.file.unavailable (not a database)
 */
export function openConnection(path: string, options: ConnectionOptions): Connection {
  return translating(() => {
    const database = new Database(path, {
      readonly: options.isReadOnly === true,
      fileMustExist: options.isReadOnly === true,
      timeout: options.busyTimeoutMs,
    });
    try {
      assertOurFormat(path);
      prepare(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
    return wrap(database);
  });
}

/** Place and values of the write version in the header (sqlite.org/fileformat2.html). SQLite takes a file of an unknown one as read-only. */
const WRITE_VERSION_AT = 18;
const WRITE_VERSIONS: ReadonlySet<number> = new Set([1, 2]);

function assertOurFormat(path: string): void {
  const file = openSync(path, 'r');
  try {
    const version = Buffer.alloc(1);
    // A database that is made now has no header yet.
    if (readSync(file, version, { position: WRITE_VERSION_AT }) === 0) return;
    if (!WRITE_VERSIONS.has(version[0] ?? 0)) throw damagedFile({ writeVersion: version[0] }, undefined);
  } finally {
    closeSync(file);
  }
}

const PAGE_BYTES = 1_024;
/** Bytes of the write-ahead log after which its pages are copied into the database. A start reads all of it: about 10 ms. */
const WAL_BYTES = 8 * 1_024 * 1_024;

function prepare(database: Database.Database, options: ConnectionOptions): void {
  // A changed schema inside the file cannot make functions run, and cells are checked when read.
  database.pragma('trusted_schema = OFF');
  database.pragma('cell_size_check = ON');
  if (options.isReadOnly === true) {
    database.pragma('query_only = ON');
    return;
  }
  // A commit changes some thirty rows' worth of small pages all over the tables and indexes, and writes each of them whole: with SQLite's
  // usual 4 KiB it wrote four times as much. Counts only for a database that is made now.
  database.pragma(`page_size = ${PAGE_BYTES}`);
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${options.durability === 'full' ? 'FULL' : 'OFF'}`);
  database.pragma('foreign_keys = ON');
  database.pragma('journal_size_limit = 67108864');
  // The same few pages at the right edge of tables and indexes change in every commit: the later they are copied, the fewer copies.
  database.pragma(`wal_autocheckpoint = ${WAL_BYTES / PAGE_BYTES}`);
}

function wrap(database: Database.Database): Connection {
  const statements = new Map<string, Database.Statement<SqlValue[], SqlRow>>();
  const prepared = (sql: string): Database.Statement<SqlValue[], SqlRow> => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    if (statements.size >= MAX_STATEMENTS) statements.clear();
    const fresh = database.prepare<SqlValue[], SqlRow>(sql);
    statements.set(sql, fresh);
    return fresh;
  };
  return {
    run: (sql, params = []) => translating(() => prepared(sql).run(...params).changes),
    get: (sql, params = []) => translating(() => prepared(sql).get(...params)),
    all: (sql, params = []) => translating(() => prepared(sql).all(...params)),
    exec: (sql) => translating(() => void database.exec(sql)),
    get isInTransaction() {
      return database.inTransaction;
    },
    close: () => void database.close(),
  };
}

/**
 * Reads of what is committed. While no transaction is open they go through the writer: a second connection throws its page cache away after
 * each commit of the first and reads every page again, which was a third of the CPU of a turn. Each call is synchronous, so no transaction
 * can begin in the middle of one.
 */
export function committedReads(writer: Connection, reader: Connection): Pick<Connection, 'get' | 'all'> {
  const now = (): Connection => (writer.isInTransaction ? reader : writer);
  return {
    get: (sql, params) => now().get(sql, params),
    all: (sql, params) => now().all(sql, params),
  };
}

function translating<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw translateSqliteError(error);
  }
}
