import { AppError } from '@agent-runtime/domain';
import type { Connection } from '../database/index.ts';
import { RESTORE_FIRST } from '../tables/index.ts';
import type { Migration } from './versions.ts';

const VERSION_TABLE =
  'create table if not exists migration_version (version integer primary key, at integer not null) strict';

/** Version of a database: 0 for an empty one. */
export function schemaVersion(connection: Connection): number {
  const exists = connection.get(
    "select 1 from sqlite_schema where type = 'table' and name = 'migration_version'",
  );
  if (exists === undefined) return 0;
  return Number(connection.get('select max(version) as version from migration_version')?.version ?? 0);
}

/** @throws AppError migration.version.conflict when the database was written by a newer release */
export function assertNotNewer(version: number, migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.version ?? 0;
  if (version <= newest) return;
  throw new AppError({
    code: 'migration.version.conflict',
    kind: 'conflict',
    message: `This data was written by a newer release (schema ${version}, this release knows ${newest}). Update, or restore the backup made before the update.`,
  });
}

/**
 * Brings a database to the newest version in one transaction.
 * @throws whatever SQLite says; the database is then as it was
 */
export function migrate(connection: Connection, migrations: readonly Migration[], nowMs: number): void {
  const version = schemaVersion(connection);
  assertNotNewer(version, migrations);
  const pending = migrations.filter((migration) => migration.version > version);
  if (pending.length === 0) return;
  connection.exec('begin immediate');
  try {
    connection.exec(VERSION_TABLE);
    for (const migration of pending) {
      connection.exec(migration.sql);
      connection.run('insert into migration_version (version, at) values (?, ?)', [migration.version, nowMs]);
    }
    connection.exec('commit');
  } catch (error) {
    if (connection.isInTransaction) connection.exec('rollback');
    throw error;
  }
}

/** @throws AppError database.file.unavailable when pages or indexes are damaged */
export function assertSound(connection: Connection): void {
  const row = connection.get('pragma integrity_check(1)');
  if (row?.integrity_check === 'ok') return;
  throw new AppError({
    code: 'database.file.unavailable',
    kind: 'unavailable',
    message: RESTORE_FIRST,
    detail: row?.integrity_check,
  });
}
