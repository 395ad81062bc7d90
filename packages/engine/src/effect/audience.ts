import {
  type ContextId,
  classifyPath,
  defaultAudienceOf,
  type Label,
  type WorkspaceId,
  wsTag,
} from '@agent-runtime/domain';

/** A proposed write: where, from which context, and who may read the words so far. */
export interface WriteReach {
  readonly path: string;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly audience: Label['audience'];
}

/**
 * Who may read a file once its proposed content is approved. Memory of the workspace, control files and documents belong to where they
 * stand, and the approval is a person's word that these bytes may be read there; the asking context's own mark would hide the
 * whole file from everybody else. Public words stay public, and what stands in a context's own memory or notes keeps its readers.
 */
export function audienceOnceApproved(write: WriteReach): Label['audience'] {
  const kind = classifyPath(write.path, write.context);
  const isPublished = kind === 'workspace-memory' || kind === 'control' || kind === 'document';
  if (!isPublished || write.audience.length === 0) return write.audience;
  return defaultAudienceOf(write.workspace, write.path);
}

/** Does the approval give the words to more people than could read them before? Then cards say so. */
export function opensToWorkspace(write: WriteReach): boolean {
  const tag = wsTag(write.workspace);
  return audienceOnceApproved(write).includes(tag) && write.audience.some((other) => other !== tag);
}
