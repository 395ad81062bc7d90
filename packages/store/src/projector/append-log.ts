import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CrashPoints } from '@agent-runtime/domain';
import { syncFolder } from '../workspace/index.ts';
import { parseRecords } from './record.ts';

/** Bytes at the end of a log that are looked at for what was written already; far more than one batch. */
const TAIL_BYTES = 4 * 1024 * 1024;

/**
 * Highest sequence number of our records at the end of a log. A record that a crash cut off is removed, for it is written again; edits
 * by others before it stay as they are.
 * @returns 0 for a log that does not exist or holds nothing of ours
 */
export async function lastSeqOf(file: string, key: Uint8Array): Promise<number> {
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return 0;
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - TAIL_BYTES);
    const bytes = Buffer.alloc(size - from);
    await handle.read(bytes, 0, bytes.length, from);
    const text = bytes.toString('utf8');
    const { records, wholeBytes } = parseRecords(text, key);
    const rest = bytes.subarray(wholeBytes).toString('utf8');
    if (/^<!-- record /m.test(rest) && !rest.includes('\n<!-- end -->\n')) {
      const cutAt = from + wholeBytes + Buffer.byteLength(rest.slice(0, rest.search(/^<!-- record /m)));
      await handle.truncate(cutAt);
      await handle.sync();
    }
    return Math.max(0, ...records.map(({ head }) => (typeof head.seq === 'number' ? head.seq : 0)));
  } finally {
    await handle.close();
  }
}

/** Appends whole records and waits until they are on the disk. */
export async function appendDurably(file: string, text: string, crash: CrashPoints): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const handle = await open(file, flags, 0o600);
  try {
    await handle.writeFile(text, 'utf8');
    crash.reach('projector.before-sync');
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(file));
}
