import type { ContextId, UserId, WorkspaceId } from '../base/index.ts';
import { type AudienceTag, ctxTag, isLabel, type Label, privTag, wsTag } from './label.ts';

/**
 * What a sink may receive. `tags`: exactly these audiences · `workspaces`: everything of these workspaces
 * (model providers, admin hubs), private texts only where said · `all`: every audience of the appliance.
 */
export type Clearance =
  | { readonly kind: 'tags'; readonly tags: readonly AudienceTag[] }
  | {
      readonly kind: 'workspaces';
      readonly workspaces: readonly WorkspaceId[];
      readonly isPrivateCleared: boolean;
    }
  | { readonly kind: 'all' };

/** Mail, outgoing HTTP, another workspace: only what is public. */
export const PUBLIC_CLEARANCE: Clearance = { kind: 'tags', tags: [] };

/** Where a context stands: strangers may read an open one. */
export interface ContextSink {
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly openness: 'open' | 'closed';
  /** Set for a direct message: the one person who reads it. */
  readonly directWith?: UserId | undefined;
}

/** Closed: the workspace and the context itself. Open: only the context (and what is public). A DM adds its person. */
export function clearanceOfContext(sink: ContextSink): Clearance {
  const tags: AudienceTag[] = [ctxTag(sink.workspace, sink.context)];
  if (sink.openness === 'closed') tags.push(wsTag(sink.workspace));
  if (sink.directWith !== undefined) tags.push(privTag(sink.directWith));
  return { kind: 'tags', tags };
}

/** A file is a sink too: memory of a context keeps the context's texts, memory of a workspace only the workspace's. */
export function clearanceOfFile(workspace: WorkspaceId, context?: ContextId): Clearance {
  return {
    kind: 'tags',
    tags: context === undefined ? [wsTag(workspace)] : [ctxTag(workspace, context), wsTag(workspace)],
  };
}

/** May a text with this label reach that sink? Integrity plays no part: it is about who may read. A malformed label goes nowhere. */
export function canFlow(label: Label, clearance: Clearance): boolean {
  if (!isLabel(label)) return false;
  switch (clearance.kind) {
    case 'all':
      return true;
    case 'tags':
      return label.audience.every((tag) => clearance.tags.includes(tag));
    case 'workspaces':
      return label.audience.every((tag) => fitsWorkspaces(tag, clearance));
    default: {
      const never: never = clearance;
      return never;
    }
  }
}

function fitsWorkspaces(tag: AudienceTag, clearance: Extract<Clearance, { kind: 'workspaces' }>): boolean {
  if (tag.startsWith('priv:')) return clearance.isPrivateCleared;
  const workspace = workspaceOf(tag);
  return clearance.workspaces.some((id) => id === workspace);
}

/** The workspaces that an audience names; a tag nobody understands names itself, which is a workspace that nobody has. */
export function workspacesOf(label: Label): readonly string[] {
  const names = label.audience.filter((tag) => !tag.startsWith('priv:')).map(workspaceOf);
  return [...new Set(names)];
}

function workspaceOf(tag: AudienceTag): string {
  if (tag.startsWith('ws:')) return tag.slice(3);
  return tag.startsWith('ctx:') ? (tag.slice(4).split('/')[0] ?? '') : tag;
}

/** The people whose private texts are in it. */
export function privateUsersOf(label: Label): readonly UserId[] {
  return label.audience.filter((tag) => tag.startsWith('priv:')).map((tag) => tag.slice(5) as UserId); // safe: priv tags hold user ids
}
