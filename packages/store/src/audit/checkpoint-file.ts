import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Checkpoint } from '@agent-runtime/domain';
import { PRIVATE_FOLDER_MODE, PRIVATE_MODE, syncFolder } from '../vault/index.ts';

/** Signed heads outside the database, one JSON line each, oldest first. */
export interface CheckpointFile {
  /** Whole lines only; `isDamaged` when one of them is no checkpoint. */
  read(): { readonly checkpoints: readonly Checkpoint[]; readonly isDamaged: boolean };
  /** Durable when it returns. @throws Error of the file system */
  append(checkpoint: Checkpoint): void;
  /** Keeps the present file under another name, as evidence, and begins an empty one. @returns the other name, if there was a file */
  setAside(suffix: string): string | undefined;
}

export function openCheckpointFile(path: string): CheckpointFile {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER_MODE });
  cutTornLine(path);
  return {
    read: () => readCheckpoints(path),
    append: (checkpoint) => {
      const isNew = !existsSync(path);
      // A disk that was full for the last line may have taken half of it.
      if (!isNew) cutTornLine(path);
      const file = openSync(path, 'a', PRIVATE_MODE);
      try {
        const line = `${JSON.stringify(checkpoint)}\n`;
        if (writeSync(file, line) !== Buffer.byteLength(line))
          throw new Error('the disk took only half a line');
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      if (isNew) syncFolder(dirname(path));
    },
    setAside: (suffix) => {
      if (!existsSync(path)) return undefined;
      const other = path.replace(/\.jsonl$/, `.${suffix}.jsonl`);
      renameSync(path, other);
      syncFolder(dirname(path));
      return other;
    },
  };
}

/** Checkpoints of a file; none when it is absent. */
export function readCheckpoints(path: string): {
  readonly checkpoints: readonly Checkpoint[];
  readonly isDamaged: boolean;
} {
  if (!existsSync(path)) return { checkpoints: [], isDamaged: false };
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const parsed = lines.map(parseCheckpoint);
  const checkpoints = parsed.filter((checkpoint) => checkpoint !== undefined);
  return { checkpoints, isDamaged: checkpoints.length !== lines.length };
}

/** A kill in the middle of an append leaves half a line; a later append must not be glued to it. */
function cutTornLine(path: string): void {
  if (!existsSync(path)) return;
  if (isWhole(path)) return;
  truncateSync(path, readFileSync(path).lastIndexOf(0x0a) + 1);
}

/** True when the file is empty or ends with the end of a line. Reads one byte: it is asked before every append. */
function isWhole(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    return size === 0 || (readSync(file, last, 0, 1, size - 1) === 1 && last[0] === 0x0a);
  } finally {
    closeSync(file);
  }
}

function parseCheckpoint(line: string): Checkpoint | undefined {
  try {
    const value: Partial<Record<keyof Checkpoint, unknown>> = JSON.parse(line);
    const { seq, hash, at, keyId, signature } = value;
    if (typeof seq !== 'number' || typeof at !== 'number' || typeof hash !== 'string') return undefined;
    if (typeof keyId !== 'string' || typeof signature !== 'string' || !hash.startsWith('sha256:'))
      return undefined;
    return { seq, hash: hash as Checkpoint['hash'], at, keyId, signature }; // safe: the prefix was checked; it is compared, never trusted
  } catch {
    return undefined;
  }
}
