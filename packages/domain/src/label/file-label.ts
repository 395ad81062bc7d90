import type { Digest } from '../base/index.ts';
import { INTEGRITY, type Integrity, join, type Label, parseAudienceTag } from './label.ts';

/** Whether edits made outside the appliance count as staff's (only host users can write there) or wait for review. */
export type OutsideEdits = 'staff' | 'review';

/** What the appliance knows of one version of a file. */
export interface KnownFileLabel {
  readonly path: string;
  readonly hash: Digest;
  readonly label: Label;
}

export interface FileLabelInput {
  /** Label recorded for exactly this (workspace, path, hash). */
  readonly exact?: Label | undefined;
  /** Label recorded for the same content anywhere else in this workspace: renames and copies keep low labels. */
  readonly sameContent: readonly Label[];
  /** Label of the version of this path that was seen last. */
  readonly previous?: Label | undefined;
  readonly outsideEdits: OutsideEdits;
  /** Audience of a file nobody has labelled yet, normally {ws:A}. */
  readonly defaultAudience: Label['audience'];
}

/**
 * Label of a file's present content.
 * Known content keeps its label; content known elsewhere is never above what it was there; a changed file gets
 * min(previous, the workspace's rule for outside edits).
 */
export function labelOfFile(input: FileLabelInput): Label {
  if (input.exact !== undefined) return input.exact;
  const byRule: Integrity = input.outsideEdits === 'staff' ? INTEGRITY.staff : INTEGRITY.outside;
  const fresh: Label = { integrity: byRule, audience: input.previous?.audience ?? input.defaultAudience };
  const bounds = [...input.sameContent, ...(input.previous === undefined ? [] : [input.previous])];
  if (bounds.length === 0) return fresh;
  return join(fresh, ...bounds);
}

/** Files of a context belong to it, everything else to the workspace. */
export function defaultAudienceOf(workspace: string, path: string): Label['audience'] {
  const context = /^contexts\/([a-z0-9-]+)\//.exec(path)?.[1];
  return [parseAudienceTag(context === undefined ? `ws:${workspace}` : `ctx:${workspace}/${context}`)];
}
