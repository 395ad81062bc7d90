import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AppError } from '@agent-runtime/domain';
import Database from 'better-sqlite3';
import { translateSqliteError } from '../database/index.ts';
import type { DataPaths } from '../paths/index.ts';

export interface FolderLock {
  release(): void;
}

/**
 * Takes the data folder for this process. The lock is an exclusive transaction on a file of its own: SQLite's locks belong to
 * the process and vanish with it, and no stale file can be left behind. Nothing else may open lock.sqlite in this process, not even
 * to copy it: closing it would drop the lock.
 * @throws AppError lock.folder.conflict naming the process that holds it
 */
export function lockFolder(paths: DataPaths): FolderLock {
  const database = openLockFile(paths.lock);
  try {
    database.exec('begin exclusive');
  } catch (cause) {
    database.close();
    const isHeld = cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY');
    if (!isHeld) throw translateSqliteError(cause);
    throw new AppError({
      code: 'lock.folder.conflict',
      kind: 'conflict',
      message: `The data folder ${paths.data} is in use by another runtime${holderOf(paths)}. Stop that one first, or use another AGENT_RUNTIME_DATA_DIR.`,
      cause,
    });
  }
  // For the message above only; the lock does not depend on it.
  writeFileSync(paths.lockHolder, `${process.pid}\n`, { mode: 0o600 });
  return {
    release: () => {
      if (!database.open) return;
      rmSync(paths.lockHolder, { force: true });
      database.close();
    },
  };
}

function openLockFile(path: string): Database.Database {
  try {
    return new Database(path, { timeout: 0 });
  } catch (cause) {
    throw translateSqliteError(cause);
  }
}

function holderOf(paths: DataPaths): string {
  try {
    const pid = Number(readFileSync(paths.lockHolder, 'utf8').trim());
    return Number.isInteger(pid) ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}
