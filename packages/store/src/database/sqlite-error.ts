import { AppError } from '@agent-runtime/domain';
import Database from 'better-sqlite3';
import { damagedFile } from '../tables/index.ts';

const DISK = /^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|NOLFS|PROTOCOL)/;
const TAKEN = /^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY|ROWID)$/;
const BROKEN = /^SQLITE_(?:CORRUPT|NOTADB)/;

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
