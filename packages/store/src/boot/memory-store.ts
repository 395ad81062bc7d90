import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  type CrashPoints,
  type Logger,
  makeRedactor,
  type Redactor,
} from '@agent-runtime/domain';
import { type OpenStore, openStore } from './open-store.ts';
import type { StoreConfig } from './store-input.ts';

export interface MemoryStoreInput {
  /** A folder of the caller, who also removes it: for tests that open the same data again. */
  readonly dataDir?: string;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly crash?: CrashPoints;
  readonly redactor?: Redactor;
  readonly config?: Partial<StoreConfig>;
}

/** Not secret: whatever it guards is gone when the store is closed. */
const FIXED_KEY = new Uint8Array(32).fill(7);

/**
 * A store that keeps nothing: the same code on a temporary folder without fsync, removed by `close` or at the end of the process.
 * For tests and the demo. A database in memory would not do, for readers there would see what is not committed.
 */
export async function openMemoryStore(input: MemoryStoreInput): Promise<OpenStore> {
  const folder =
    input.dataDir === undefined ? temporaryFolder() : { path: input.dataDir, remove: () => undefined };
  const open = await openStore({
    dataDir: folder.path,
    masterKey: FIXED_KEY,
    clock: input.clock,
    log: input.log ?? silent(),
    crash: input.crash ?? { reach: () => undefined },
    redactor: input.redactor ?? makeRedactor(() => []),
    config: { auditContent: 'metadata', ...input.config, durability: 'none' },
  });
  const close = async (): Promise<void> => {
    await open.close();
    folder.remove();
  };
  return { ...open, close };
}

function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'agent-runtime-'));
  const remove = (): void => {
    process.removeListener('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, remove };
}

function silent(): Logger {
  const nothing = (): void => undefined;
  return { debug: nothing, info: nothing, warn: nothing, error: nothing, child: silent };
}
