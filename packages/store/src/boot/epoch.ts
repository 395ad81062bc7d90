import { AppError } from '@agent-runtime/domain';
import type { Connection } from '../database/index.ts';

const READ = 'select epoch from database_boot where id = 1';

/**
 * A new boot epoch, durable when it returns: whatever an older process still tries is refused from now on.
 * In a transaction of its own: a single statement with RETURNING gives its row before its commit may fail, as on a full disk.
 */
export function beginEpoch(writer: Connection): number {
  writer.exec('begin immediate');
  try {
    writer.run('update database_boot set epoch = epoch + 1 where id = 1');
    const epoch = Number(writer.get(READ)?.epoch);
    writer.exec('commit');
    return epoch;
  } catch (error) {
    if (writer.isInTransaction) writer.exec('rollback');
    throw error;
  }
}

/** Asked inside every transaction. @throws AppError database.epoch.conflict when another process has begun a newer epoch */
export function assertEpoch(writer: Connection, epoch: number): void {
  const found = Number(writer.get(READ)?.epoch);
  if (found === epoch) return;
  throw new AppError({
    code: 'database.epoch.conflict',
    kind: 'conflict',
    message: 'Another process has taken over this data. This one writes nothing more and must stop.',
    detail: { epoch, found },
  });
}
