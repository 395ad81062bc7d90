import { AppError, type Context, canonicalJson, sha256, type Workspace } from '@agent-runtime/domain';

/** The version of a row: equal rows have equal ones. */
export function etagOf(row: Context | Workspace): string {
  return sha256(canonicalJson(JSON.parse(JSON.stringify(row)))).slice(
    'sha256:'.length,
    'sha256:'.length + 16,
  );
}

/**
 * Refuses an edit of something that is another by now. Call it inside the transaction.
 * @throws AppError admin.version.conflict
 */
export function requireVersion(row: Context | Workspace, expected: string | undefined): void {
  if (expected === undefined || etagOf(row) === expected) return;
  throw new AppError({
    code: 'admin.version.conflict',
    kind: 'conflict',
    message: `${row.id} was changed since you looked. Look again, then decide.`,
  });
}
