import { constants } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CrashPoints } from '@agent-runtime/domain';
import { translated } from './guard.ts';

/** Hidden, so that no listing shows it; recognised at start, so that what a crash left is removed. */
const TEMP = /^\.agent-runtime-\d+-\d+\.tmp$/;

/**
 * Replaces a file whole: temporary file in the same folder, fsync, rename, fsync of the folder. A reader sees the old bytes or the new.
 * @param nonce unlike that of any other write of this process at this moment
 * @throws AppError workspace.disk.unavailable; the old bytes are then still there
 */
export async function writeAtomically(
  full: string,
  text: string,
  how: { readonly crash: CrashPoints; readonly nonce: number },
): Promise<void> {
  const { crash, nonce } = how;
  const folder = dirname(full);
  const temp = join(folder, `.agent-runtime-${process.pid}-${nonce}.tmp`);
  try {
    const handle = await open(
      temp,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
    crash.reach('file.before-rename');
    await rename(temp, full);
    crash.reach('file.after-rename');
    await syncFolder(folder);
  } catch (cause) {
    await rm(temp, { force: true });
    throw cause instanceof Error && 'code' in cause ? translated(basename(full), cause) : cause;
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what a crash left of unfinished writes. @returns how many */
export async function removeLeftovers(folder: string): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !TEMP.test(entry.name)) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
    removed += 1;
  }
  return removed;
}
