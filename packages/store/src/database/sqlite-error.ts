import { AppError, type Json } from '@agent-runtime/domain';
import Database from 'better-sqlite3';

const DISK = /^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|NOLFS|PROTOCOL)/;
const TAKEN = /^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY|ROWID)$/;
const BROKEN = /^SQLITE_(?:CORRUPT|NOTADB)/;

/** What to do about a database that cannot be read. */
export const RESTORE_FIRST =
  'The database is damaged. Restore a backup first; only when there is none, rebuild it from the Markdown files.';

/** The file holds what nobody of us wrote. */
export function damagedFile(detail: unknown, cause: unknown): AppError {
  return new AppError({
    code: 'database.file.unavailable',
    kind: 'unavailable',
    message: RESTORE_FIRST,
    detail,
    cause,
  });
}

/** A value that we wrote as JSON. @throws AppError database.file.unavailable when it is JSON no more: only a damaged file holds such a thing */
export function storedJson(value: unknown, column: string): Json {
  try {
    return JSON.parse(String(value));
  } catch (cause) {
    throw damagedFile({ column }, cause);
  }
}

/**
 * Gives SQLite's errors a kind; everything else passes unchanged.
 * `database.row.conflict` unique key taken · `database.disk.unavailable` full, read-only, I/O · `database.busy.unavailable` another
 * process holds it · `database.file.unavailable` damaged · `database.statement.bug` the rest
 */
export function translateSqliteError(thrown: unknown): unknown {
  if (!(thrown instanceof Database.SqliteError)) return thrown;
  const detail = { sqlite: thrown.code, text: thrown.message };
  if (TAKEN.test(thrown.code)) {
    return new AppError({
      code: 'database.row.conflict',
      kind: 'conflict',
      message: 'Such a record is already there.',
      detail,
      cause: thrown,
    });
  }
  if (DISK.test(thrown.code)) {
    return new AppError({
      code: 'database.disk.unavailable',
      kind: 'unavailable',
      message: 'The disk is full or cannot be written. Nothing was changed; make room and try again.',
      detail,
      cause: thrown,
    });
  }
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(thrown.code)) {
    return new AppError({
      code: 'database.busy.unavailable',
      kind: 'unavailable',
      message: 'Another program holds the database. Nothing was changed; try again.',
      detail,
      cause: thrown,
    });
  }
  if (BROKEN.test(thrown.code)) return damagedFile(detail, thrown);
  return new AppError({
    code: 'database.statement.bug',
    kind: 'bug',
    message: 'A statement of the database failed inside.',
    detail,
    cause: thrown,
  });
}
