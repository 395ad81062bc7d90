import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileEntry, isCleanPath } from '@agent-runtime/domain';
import { codeOf } from './guard.ts';

export interface WalkLimits {
  readonly maxFiles: number;
  readonly maxDepth: number;
  readonly maxFileBytes: number;
}

/** Where a walk begins: `below` is relative to `folder`, and so are the paths that are found. */
export interface WalkStart {
  readonly folder: string;
  readonly below: string;
}

/**
 * Markdown files below a folder, sorted by path. Follows no link; leaves out hidden names, hard links, huge files and paths that no
 * tool could name. A folder that cannot be read is left out.
 * @param onSkipped told of each file that a guard left out
 */
export async function walkMarkdown(
  { folder, below }: WalkStart,
  limits: WalkLimits,
  onSkipped: (path: string, why: string) => void,
): Promise<readonly FileEntry[]> {
  const found: FileEntry[] = [];
  const visit = async (relative: string, depth: number): Promise<void> => {
    if (depth > limits.maxDepth || found.length >= limits.maxFiles) return;
    const entries = await readdir(join(folder, relative), { withFileTypes: true }).catch((error: unknown) => {
      if (codeOf(error) !== undefined) return [];
      throw error;
    });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || found.length >= limits.maxFiles) continue;
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) await visit(path, depth + 1);
      else if (entry.name.toLowerCase().endsWith('.md')) await add(path, entry.isFile());
    }
  };
  const add = async (path: string, isFile: boolean): Promise<void> => {
    const stat = isFile ? await lstat(join(folder, path)).catch(() => undefined) : undefined;
    if (!isCleanPath(path)) return onSkipped(path, 'its name holds characters that no tool can use');
    if (stat === undefined) return onSkipped(path, 'it is a link or no ordinary file');
    if (stat.nlink !== 1) return onSkipped(path, 'it is a hard link');
    if (stat.size > limits.maxFileBytes) return onSkipped(path, 'it is too large');
    found.push({ path, sizeBytes: stat.size, modifiedAt: Math.floor(stat.mtimeMs) });
  };
  await visit(below, below === '' ? 0 : below.split('/').length);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
