import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataPaths, writePrivateFile } from '@agent-runtime/store';
import type { Config } from '../config.ts';

/** What makes a database from its first byte to its last. */
export type Making = 'setup' | 'rebuild';

/** The file that says so. */
export function markOf(config: Pick<Config, 'dataDir'>): string {
  return join(dataPaths(config.dataDir).appliance, 'unfinished');
}

/** From here on the data folder is no instance until `endMaking`: a process that is killed in between leaves the mark. Durable when it returns. */
export function beginMaking(config: Pick<Config, 'dataDir'>, what: Making): void {
  writePrivateFile(markOf(config), `${what}\n`);
}

/** Everything is there. */
export function endMaking(config: Pick<Config, 'dataDir'>): void {
  rmSync(markOf(config), { force: true });
}

/** @returns what was begun in this data folder and never came to its end */
export function unfinished(config: Pick<Config, 'dataDir'>): Making | undefined {
  const mark = markOf(config);
  if (!existsSync(mark)) return undefined;
  return readFileSync(mark, 'utf8').trim() === 'setup' ? 'setup' : 'rebuild';
}
