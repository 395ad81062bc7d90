import { AppError, type Json } from '@agent-runtime/domain';

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
