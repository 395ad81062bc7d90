import {
  type Digest,
  type FileLabelRow,
  INTEGRITY,
  type Label,
  labelOfFile,
  makeLabel,
  parseAudienceTag,
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

/** Written by whom: the rule for outside edits, or the file's own front matter. */
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
  const row = exact === undefined ? await firstSight(store, nowMs(), version) : { ...exact, isCurrent: true };
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
          { isCurrent: true, isGood: row.isGood },
        )) === 0
      )
        await tx.insert('label_file', row);
    },
  );
  return row.label;
}

async function firstSight(store: Store, nowMs: number, version: Version): Promise<FileLabelRow> {
  const { workspace, path, hash, text } = version;
  const same = await store.read.find('label_file', { workspace: workspace.id, hash });
  const previous = await store.read.get('label_file', { workspace: workspace.id, path, isCurrent: true });
  const defaultAudience = defaultAudienceOf(workspace.id, path);
  const label = labelOfFile({
    sameContent: same.map((row) => row.label),
    // What only the old text's front matter had published is not published any more.
    previous:
      previous === undefined
        ? undefined
        : previous.by === BY_FRONT_MATTER
          ? { ...previous.label, audience: defaultAudience }
          : previous.label,
    outsideEdits: workspace.outsideEdits,
    defaultAudience,
  });
  const isPublished = label.integrity >= INTEGRITY.staff && saysPublic(text);
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

/** Files of a context belong to it, everything else to the workspace. */
export function defaultAudienceOf(workspace: string, path: string): Label['audience'] {
  const context = /^contexts\/([a-z0-9-]+)\//.exec(path)?.[1];
  return [parseAudienceTag(context === undefined ? `ws:${workspace}` : `ctx:${workspace}/${context}`)];
}

/** `audience: public` in the front matter; the caller has checked that staff owns the file. A broken front matter publishes nothing. */
function saysPublic(text: string): boolean {
  try {
    return readFrontMatter(text, z.looseObject({ audience: z.string().optional() }))?.audience === 'public';
  } catch {
    return false;
  }
}
