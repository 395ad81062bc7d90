import { AppError } from '@agent-runtime/domain';
import type { Connection } from '../database/index.ts';

const READ = 'select epoch from database_boot where id = 1';

/** A new boot epoch, durable when it returns: whatever an older process still tries is refused from now on. */
export function beginEpoch(writer: Connection): number {
  const row = writer.get('update database_boot set epoch = epoch + 1 where id = 1 returning epoch');
  return Number(row?.epoch);
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
