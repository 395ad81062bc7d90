import { readFile } from 'node:fs/promises';
import type { CrashPoints } from '@agent-runtime/domain';
import { z } from 'zod';
import { writeAtomically } from '../workspace/index.ts';

/** How far the projector has come. It moves on only after what it stands for is on the disk. */
export interface Cursor {
  readonly messageSeq: number;
  readonly auditSeq: number;
}

const schema = z.strictObject({ messageSeq: z.int().min(0), auditSeq: z.int().min(0) });

/** A cursor that is missing or cannot be read starts over: records that are there already are recognised, files are written anew. */
export async function readCursor(file: string): Promise<Cursor> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return { messageSeq: 0, auditSeq: 0 };
  }
}

export async function writeCursor(
  file: string,
  cursor: Cursor,
  how: { readonly crash: CrashPoints; readonly nonce: number },
): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(cursor)}\n`, how);
}
