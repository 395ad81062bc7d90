import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { AppError, isCleanPath, type WorkspaceId } from '@agent-runtime/domain';

// Looking at names is synchronous here: each look takes microseconds, and a trip through the thread pool costs twenty times as much. A
// prompt looks at a dozen files. It also leaves no turn of the loop between a check and its use.

/** A file that passed every guard, open for reading. Whoever has it closes it. */
export interface GuardedFile {
  readonly descriptor: number;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
  /** Changes when the file is replaced or written. */
  readonly version: string;
}

/** Where a workspace lies, its own links resolved once: the operator may put the folder elsewhere. */
export async function workspaceFolder(root: string, workspace: WorkspaceId): Promise<string> {
  try {
    return join(realpathSync.native(root), workspace);
  } catch (cause) {
    throw new AppError({
      code: 'workspace.folder.unavailable',
      kind: 'unavailable',
      message: 'The folder of the workspaces is not there. Run `agent-runtime setup`.',
      cause,
    });
  }
}

/** @throws AppError workspace.path.denied for anything that is not a plain Markdown path */
export function assertPath(path: string): void {
  if (isCleanPath(path) && path.toLowerCase().endsWith('.md')) return;
  throw new AppError({
    code: 'workspace.path.denied',
    kind: 'denied',
    message: 'Only Markdown files inside the workspace can be named, like notes/plan.md.',
  });
}

/**
 * Opens a file without following a link anywhere: no symlink in the chain, no hard link, no device, within the size cap.
 * @throws AppError workspace.path.denied · workspace.file.missing · workspace.file.invalid
 */
export async function openGuarded(folder: string, path: string, maxBytes: number): Promise<GuardedFile> {
  assertPath(path);
  await assertPlainFolders(folder, path.split('/').slice(0, -1), 'read');
  const full = join(folder, path);
  let descriptor: number;
  try {
    // Non-blocking, so that a FIFO cannot hold the process.
    descriptor = openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw translated(path, cause);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.nlink !== 1) throw denied(path);
    if (stat.size > maxBytes) throw tooLarge(path, maxBytes);
    // A folder swapped for a link between the check and the opening would show here.
    if (realpathSync.native(full) !== full) throw denied(path);
    const version = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
    return { descriptor, sizeBytes: stat.size, modifiedAt: Math.floor(stat.mtimeMs), version };
  } catch (error) {
    closeSync(descriptor);
    throw error instanceof AppError ? error : translated(path, error);
  }
}

/**
 * Checks every folder on the way, making missing ones when writing.
 * @throws AppError workspace.path.denied when one is a link or no folder · workspace.file.missing when one is not there
 */
export async function assertPlainFolders(
  folder: string,
  parts: readonly string[],
  use: 'read' | 'write',
): Promise<void> {
  let at = folder;
  for (const part of ['', ...parts]) {
    at = part === '' ? at : join(at, part);
    const stat = statOf(at, parts);
    if (stat === undefined) {
      if (use === 'read') throw missing(parts.join('/'));
      makeFolder(at, parts);
    } else if (!stat.isDirectory()) throw denied(parts.join('/'));
  }
}

function statOf(at: string, parts: readonly string[]): Stats | undefined {
  try {
    return lstatSync(at, { throwIfNoEntry: false });
  } catch (error) {
    throw translated(parts.join('/'), error);
  }
}

function makeFolder(at: string, parts: readonly string[]): void {
  try {
    mkdirSync(at, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw translated(parts.join('/'), error);
  }
}

/**
 * Makes the folders of a path inside a workspace, without passing a link.
 * @throws AppError workspace.path.denied · workspace.disk.unavailable
 */
export async function makePlainFolders(root: string, workspace: WorkspaceId, path: string): Promise<void> {
  await assertPlainFolders(await workspaceFolder(root, workspace), path.split('/').slice(0, -1), 'write');
}

export function missing(path: string): AppError {
  return new AppError({
    code: 'workspace.file.missing',
    kind: 'missing',
    message: `There is no ${path.slice(0, 120)} in this workspace.`,
  });
}

export function translated(path: string, cause: unknown): AppError {
  const code = codeOf(cause);
  // What no disk can hold is not there. None of these passes by itself: whoever asked hears so instead of waiting.
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'EINVAL')
    return missing(path);
  if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') return denied(path);
  if (code === 'EACCES' || code === 'EPERM') return forbidden();
  return new AppError({
    code: 'workspace.disk.unavailable',
    kind: 'unavailable',
    message: `The file could not be used (${code ?? 'unknown error'}). Check the disk and the rights of the data folder.`,
    cause,
  });
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function denied(path: string): AppError {
  return new AppError({
    code: 'workspace.path.denied',
    kind: 'denied',
    message: `${path.slice(0, 120)} is a link or no ordinary file; links are never followed.`,
  });
}

function forbidden(): AppError {
  return new AppError({
    code: 'workspace.path.denied',
    kind: 'denied',
    message: 'The file may not be used. Check the rights of the data folder.',
  });
}

function tooLarge(path: string, maxBytes: number): AppError {
  return new AppError({
    code: 'workspace.file.invalid',
    kind: 'invalid',
    message: `${path.slice(0, 120)} is larger than ${Math.floor(maxBytes / 1024)} KiB. Split it.`,
  });
}
