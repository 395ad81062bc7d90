import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CrashPoints, type Digest, sha256 } from '@agent-runtime/domain';
import { writeAtomically } from '../workspace/atomic-write.ts';

/** Bytes of control files by their hash, so that the last good version counts while a newer one waits for review. */
export interface GoodVersions {
  keep(hash: Digest, text: string): Promise<void>;
  /** @returns undefined when it was never kept, or when the kept bytes are not those */
  read(hash: Digest): Promise<string | undefined>;
}

/** @param folder made on first use */
export function makeGoodVersions(folder: string, crash: CrashPoints): GoodVersions {
  const fileOf = (hash: Digest): string => join(folder, `${hash.slice('sha256:'.length)}.md`);
  const writes = { nonce: 0 };
  return {
    keep: async (hash, text) => {
      const file = fileOf(hash);
      if (existsSync(file)) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      writes.nonce += 1;
      await writeAtomically(file, text, { crash, nonce: writes.nonce });
    },
    read: async (hash) => {
      const text = await readFile(fileOf(hash), 'utf8').catch(() => undefined);
      return text !== undefined && sha256(text) === hash ? text : undefined;
    },
  };
}
