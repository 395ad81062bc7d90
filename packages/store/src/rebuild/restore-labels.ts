import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store, WorkspaceId } from '@agent-runtime/domain';
import { LABEL_LOG, type LabelRows, parseLabelLog } from '../projector/index.ts';

export interface RestoreLabelsInput {
  readonly store: Store;
  /** data/workspaces */
  readonly root: string;
  readonly macKey: Uint8Array;
  readonly workspace: WorkspaceId;
}

const BATCH = 500;

/**
 * Brings back how far each version of a file was trusted, before anything looks at the files of a rebuilt instance. Does nothing where
 * labels are known already.
 * @returns rows brought back; 0 when the file of labels is lost, for then nothing is known
 */
export async function restoreLabels(input: RestoreLabelsInput): Promise<number> {
  const { store, workspace } = input;
  if ((await store.read.count('label_file', { workspace })) > 0) return 0;
  const text = await readLog(join(input.root, workspace, LABEL_LOG));
  const rows = parseLabelLog(text, workspace, input.macKey);
  await write(input, rows);
  return rows.files.length + rows.entries.length;
}

/** Empty when it is not there, a link or not readable: the labels are lost, which is the careful case. */
async function readLog(file: string): Promise<string> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(() => undefined);
  try {
    return (await handle?.readFile('utf8').catch(() => '')) ?? '';
  } finally {
    await handle?.close();
  }
}

async function write({ store, workspace }: RestoreLabelsInput, rows: LabelRows): Promise<void> {
  const draft = { action: 'label.restore', actor: 'rebuild', subject: workspace };
  for (let from = 0; from < rows.files.length; from += BATCH) {
    const batch = rows.files.slice(from, from + BATCH);
    await store.commit({ ...draft, data: { files: batch.length } }, async (tx) => {
      for (const row of batch) await tx.insert('label_file', row);
    });
  }
  for (let from = 0; from < rows.entries.length; from += BATCH) {
    const batch = rows.entries.slice(from, from + BATCH);
    await store.commit({ ...draft, data: { entries: batch.length } }, async (tx) => {
      for (const row of batch) await tx.insert('label_entry', row);
    });
  }
}
