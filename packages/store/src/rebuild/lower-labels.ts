import {
  classifyPath,
  type FileLabelRow,
  INTEGRITY,
  makeLabel,
  parseContextId,
  privTag,
  type Store,
  type Workspace,
} from '@agent-runtime/domain';

/** Labels lowered in one transaction. */
const BATCH = 200;

/**
 * Files that a model may write without a human, and whose labels were not brought back: set-up took them for staff's. From now on they are text
 * from outside until staff approves them; a note, which may have held anybody's private text, is shown to the owner alone. Where edits by
 * hand need a review, every file does.
 * @returns how many
 */
export async function lowerLabels(store: Store): Promise<number> {
  const workspaces = new Map((await store.read.find('workspace', {})).map((row) => [row.id, row]));
  // The database began with its first person. A label from before was written down and brought back; nobody guessed it.
  const [first] = await store.read.find('identity_user', {}, { orderBy: 'createdAt', limit: 1 });
  const guessed = { at: { gte: first?.createdAt ?? 0 } };
  const rows = (await store.read.find('label_file', guessed)).flatMap((row) => {
    const workspace = workspaces.get(row.workspace);
    const lowered = workspace === undefined ? undefined : loweredLabel(row, workspace);
    return lowered === undefined ? [] : [{ row, label: lowered }];
  });
  for (let from = 0; from < rows.length; from += BATCH) {
    const batch = rows.slice(from, from + BATCH);
    await store.commit(
      { action: 'rebuild.labels', actor: 'rebuild', subject: 'database', data: { rows: batch.length } },
      async (tx) => {
        for (const { row, label } of batch) {
          const { workspace, path, hash } = row;
          await tx.update('label_file', { workspace, path, hash }, { label, isGood: false, by: 'rebuild' });
        }
      },
    );
  }
  return rows.length;
}

/** Undefined for what changes only by staff's own hand or an approved diff: it keeps what set-up said, unless edits by hand need a review. */
function loweredLabel(
  row: FileLabelRow,
  workspace: Pick<Workspace, 'owner' | 'outsideEdits'>,
): FileLabelRow['label'] | undefined {
  const kind = classifyPath(row.path, ANY_CONTEXT);
  const isStaffs = kind === 'control' || kind === 'document';
  if (isStaffs && workspace.outsideEdits === 'staff') return undefined;
  const isFree = kind === 'note' || kind === 'record';
  return makeLabel(INTEGRITY.outside, [...row.label.audience, ...(isFree ? [privTag(workspace.owner)] : [])]);
}

const ANY_CONTEXT = parseContextId('x');
