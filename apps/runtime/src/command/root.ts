import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The clone that a program belongs to, from source as well as from the bundle in dist/.
 * @param from folder of the running file
 * @returns the nearest folder above it with a pnpm-workspace.yaml, else `from` itself
 */
export function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
    if (dirname(folder) === folder) return from;
  }
}
