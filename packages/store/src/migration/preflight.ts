import { rmSync } from 'node:fs';
import { AppError } from '@agent-runtime/domain';
import { type Connection, openConnection } from '../database/index.ts';
import { assertSound, migrate, schemaVersion } from './migrate.ts';
import type { Migration } from './versions.ts';

/**
 * Tries pending migrations on a copy, so that a migration which fails on this very data never touches it.
 * An empty database needs no trial.
 * @param path the database; the copy lies beside it and is gone afterwards
 * @throws AppError migration.trial.conflict with the reason; the database is untouched
 */
export function tryOnCopy(
  connection: Connection,
  path: string,
  migrations: readonly Migration[],
  nowMs: number,
): void {
  const version = schemaVersion(connection);
  if (version === 0 || version === (migrations.at(-1)?.version ?? 0)) return;
  const copyPath = `${path}.preflight`;
  removeCopy(copyPath);
  try {
    connection.run('vacuum into ?', [copyPath]);
    const copy = openConnection(copyPath, { busyTimeoutMs: 0, durability: 'none' });
    try {
      migrate(copy, migrations, nowMs);
      assertSound(copy);
    } finally {
      copy.close();
    }
  } catch (cause) {
    throw new AppError({
      code: 'migration.trial.conflict',
      kind: 'conflict',
      message:
        'The update of the database failed on a copy. Nothing was changed; the older release still works on this data.',
      cause,
    });
  } finally {
    removeCopy(copyPath);
  }
}

function removeCopy(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}
