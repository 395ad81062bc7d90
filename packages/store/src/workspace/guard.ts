import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, isCleanPath, type WorkspaceId } from '@agent-runtime/domain';

/** A file that passed every guard, open for reading. */
export interface GuardedFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
  /** Changes when the file is replaced or written. */
  readonly version: string;
}

/** Where a workspace lies, its own links resolved once: the operator may put the folder elsewhere. */
export async function workspaceFolder(root: string, workspace: WorkspaceId): Promise<string> {
  try {
    return join(await realpath(root), workspace);
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
  let handle: FileHandle;
  try {
    // Non-blocking, so that a FIFO cannot hold the process.
    handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw translated(path, cause);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.nlink !== 1) throw denied(path);
    if (stat.size > maxBytes) throw tooLarge(path, maxBytes);
    // A folder swapped for a link between the check and the opening would show here.
    if ((await realpath(full)) !== full) throw denied(path);
    const version = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
    return { handle, sizeBytes: stat.size, modifiedAt: Math.floor(stat.mtimeMs), version };
  } catch (error) {
    await handle.close();
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
    const stat = await lstat(at).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw translated(parts.join('/'), error);
    });
    if (stat === undefined) {
      if (use === 'read') throw missing(parts.join('/'));
      await mkdir(at, { mode: 0o700 }).catch((error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw translated(parts.join('/'), error);
      });
    } else if (!stat.isDirectory()) throw denied(parts.join('/'));
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
  if (code === 'ENOENT' || code === 'ENOTDIR') return missing(path);
  if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') return denied(path);
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

function tooLarge(path: string, maxBytes: number): AppError {
  return new AppError({
    code: 'workspace.file.invalid',
    kind: 'invalid',
    message: `${path.slice(0, 120)} is larger than ${Math.floor(maxBytes / 1024)} KiB. Split it.`,
  });
}
