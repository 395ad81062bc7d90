import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CrashPoints } from '@agent-runtime/domain';
import { syncFolder } from '../workspace/index.ts';
import { parseRecords, RECORD_END, RECORD_START } from './record.ts';

/** Bytes at the end of a log that are looked at for what was written already; several times the largest batch. */
const TAIL_BYTES = 16 * 1024 * 1024;
/** The same when nobody knows how far the writing had come. */
const WHOLE_BYTES = 256 * 1024 * 1024;

/**
 * Ids of our records at the end of a log, after a start or a failure. A record that was cut off is removed, for it is written again;
 * edits by others stay as they are, unless they begin like a record and never end.
 * @param look `end` when at most one batch can be unaccounted for, else `all`
 * @returns empty for a log that does not exist
 */
export async function writtenIds(
  file: string,
  key: Uint8Array,
  look: 'end' | 'all',
): Promise<ReadonlySet<string>> {
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return new Set();
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - (look === 'end' ? TAIL_BYTES : WHOLE_BYTES));
    const tail = await readFrom(handle, from, size - from);
    const whole = wholeLength(tail);
    if (whole < tail.length) {
      await handle.truncate(from + whole);
      await handle.sync();
    }
    const { records } = parseRecords(tail.subarray(0, whole).toString('utf8'), key);
    return new Set(records.map(({ head }) => String(head.id)));
  } finally {
    await handle.close();
  }
}

/** Bytes up to the beginning of a record that was cut off, or all. Looked for in bytes, for a cut may fall inside a character. */
function wholeLength(tail: Buffer): number {
  const start = tail.lastIndexOf(`\n${RECORD_START}`) + 1;
  const isRecord = start > 0 || tail.subarray(0, RECORD_START.length).equals(Buffer.from(RECORD_START));
  if (isRecord && !tail.subarray(start).includes(`\n${RECORD_END}\n`)) return start;
  const lastLine = tail.lastIndexOf('\n') + 1;
  const rest = tail.subarray(lastLine).toString('latin1');
  // Cut within its very first word.
  return rest !== '' && RECORD_START.startsWith(rest) ? lastLine : tail.length;
}

/** Appends whole records, on a line of their own, and waits until they are on the disk. */
export async function appendDurably(file: string, text: string, crash: CrashPoints): Promise<void> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const handle = await open(file, flags, 0o600);
  try {
    const { size } = await handle.stat();
    const last = size === 0 ? '\n' : (await readFrom(handle, size - 1, 1)).toString('latin1');
    await handle.writeFile(last === '\n' ? text : `\n${text}`, 'utf8');
    crash.reach('projector.before-sync');
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(file));
}

async function readFrom(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, from + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}
