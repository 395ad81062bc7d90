import { AppError, type Context, classifyPath, sha256 } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { visibleFile } from '../tool/visible.ts';

type Deps = Pick<EngineDeps, 'files' | 'log'>;

const ID = /^(#[0-9a-f]{12})((?::\d{1,7}(?:-\d{1,7})?)?)$/;

/** A short name for a path that is too long for a platform's option; the same for everybody, and it opens nothing by itself. */
export function pathId(path: string): string {
  return `#${sha256(path).slice('sha256:'.length, 'sha256:'.length + 12)}`;
}

/**
 * The path that a short id stands for, among those that may be seen here; any other text as it is.
 * @throws AppError search.file.missing
 */
export async function pathOfId(deps: Deps, context: Context, text: string): Promise<string> {
  const [, id, lines = ''] = ID.exec(text.trim()) ?? [];
  if (id === undefined) return text;
  for (const { path } of await deps.files.list(context.workspace)) {
    if (pathId(path) === id && (await visibleFile(deps, context, path)) !== undefined) return path + lines;
  }
  throw new AppError({
    code: 'search.file.missing',
    kind: 'missing',
    message: `There is no ${id}, or not for you.`,
  });
}

/** More than a person looks through; a larger workspace suggests from the first of them. */
const MOST_LISTED = 5_000;

/**
 * Paths that `openPath` opens in this place, sorted. Logs, tasks, approvals and mail are opened by those who know their path, and not
 * suggested.
 */
export async function visiblePaths(deps: Deps, context: Context): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const { path } of (await deps.files.list(context.workspace)).slice(0, MOST_LISTED)) {
    if (classifyPath(path, context.id) === 'record') continue;
    if ((await visibleFile(deps, context, path)) !== undefined) paths.push(path);
  }
  return paths;
}
