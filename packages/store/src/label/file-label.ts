import {
  type Digest,
  defaultAudienceOf,
  type FileLabelRow,
  INTEGRITY,
  join,
  type Label,
  labelOfFile,
  makeLabel,
  privateUsersOf,
  type Store,
  type Workspace,
} from '@agent-runtime/domain';
import { z } from 'zod';
import { readFrontMatter } from '../workspace/front-matter.ts';

/** One version of a file that a label is asked for. */
export interface Version {
  readonly workspace: Workspace;
  readonly path: string;
  readonly hash: Digest;
  readonly text: string;
}

/** Where a label of ours came from: the rule for outside edits, or the file's own front matter. */
const BY_RULE = 'outside-edits';
const BY_FRONT_MATTER = 'front-matter';

/**
 * Label of the present version of a file. A version that was never seen is labelled by the rules of `labelOfFile` and recorded in an
 * audited commit, so that the same bytes keep the same label from then on.
 */
export async function labelOf(store: Store, nowMs: () => number, version: Version): Promise<Label> {
  const { workspace, path, hash } = version;
  const exact = await store.read.get('label_file', { workspace: workspace.id, path, hash });
  if (exact?.isCurrent === true) return exact.label;
  const at = nowMs();
  const row = exact === undefined ? await firstSight(store, at, version) : seenAgain(exact, workspace, at);
  await store.commit(
    {
      action: 'label.observe',
      actor: 'appliance',
      subject: path,
      workspace: workspace.id,
      data: { hash, integrity: row.label.integrity, audience: row.label.audience, by: row.by },
    },
    async (tx) => {
      await tx.update('label_file', { workspace: workspace.id, path, isCurrent: true }, { isCurrent: false });
      if (row.isGood)
        await tx.update('label_file', { workspace: workspace.id, path, isGood: true }, { isGood: false });
      if (
        (await tx.update(
          'label_file',
          { workspace: workspace.id, path, hash },
          { isCurrent: true, isGood: row.isGood, at },
        )) === 0
      )
        await tx.insert('label_file', row);
    },
  );
  return row.label;
}

/** An old version that came back. Under `staff` it counts again; under `review` only what was approved last does. */
function seenAgain(exact: FileLabelRow, workspace: Workspace, at: number): FileLabelRow {
  return { ...exact, at, isGood: exact.isGood || workspace.outsideEdits === 'staff' };
}

async function firstSight(store: Store, nowMs: number, version: Version): Promise<FileLabelRow> {
  const { workspace, path, hash, text } = version;
  const known = await store.read.find('label_file', { workspace: workspace.id, path });
  const current = known.find((row) => row.isCurrent);
  // Rows that are newer than the current one belong to writes of which nobody knows whether they reached the disk before this edit.
  const before = known.filter((row) => row.isCurrent || row.at >= (current?.at ?? 0));
  const same = await store.read.find('label_file', { workspace: workspace.id, hash });
  const defaultAudience = defaultAudienceOf(workspace.id, path);
  const label = labelOfFile({
    sameContent: same.map((row) => row.label),
    // Publishing holds for exact bytes: a changed file belongs to its workspace or context again.
    previous:
      before.length === 0
        ? undefined
        : join(makeLabel(INTEGRITY.command, defaultAudience), ...before.map((row) => row.label)),
    outsideEdits: workspace.outsideEdits,
    defaultAudience,
  });
  const isPublished =
    label.integrity >= INTEGRITY.staff && privateUsersOf(label).length === 0 && saysPublic(text);
  return {
    workspace: workspace.id,
    path,
    hash,
    label: isPublished ? makeLabel(label.integrity, []) : label,
    isCurrent: true,
    isGood: label.integrity >= INTEGRITY.staff || workspace.outsideEdits === 'staff',
    by: isPublished ? BY_FRONT_MATTER : BY_RULE,
    at: nowMs,
  };
}

/** `audience: public` in the front matter; the caller has checked that staff owns the file. A broken front matter publishes nothing. */
function saysPublic(text: string): boolean {
  try {
    return readFrontMatter(text, z.looseObject({ audience: z.string().optional() }))?.audience === 'public';
  } catch {
    return false;
  }
}
