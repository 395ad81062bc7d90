import {
  type AdminVerb,
  AppError,
  type Context,
  type ContextId,
  oneLine,
  type StoreReader,
  type Workspace,
} from '@agent-runtime/domain';
import { contextScope, type Viewer, workspaceScope } from './authorize.ts';
import { missing } from './find.ts';

/** Workspaces in which the asker may do this, in the whole or in one of its contexts. */
export async function reachableWorkspaces(
  reader: StoreReader,
  viewer: Viewer,
  verb: AdminVerb,
): Promise<readonly Workspace[]> {
  const workspaces = await reader.find('workspace', {}, { orderBy: 'id' });
  const contexts = await reader.find('context', {});
  return workspaces.filter(
    (workspace) =>
      viewer.may(verb, workspaceScope(workspace.id)) ||
      contexts.some(
        (context) =>
          context.workspace === workspace.id &&
          viewer.may(verb, contextScope({ workspace: context.workspace, context: context.id })),
      ),
  );
}

/**
 * The workspace that is meant: the named one, else the only one, else the asker's choice is needed.
 * @throws AppError admin.id.missing · workspace.choice.invalid
 */
export async function chosenWorkspace(
  reader: StoreReader,
  viewer: Viewer,
  verb: AdminVerb,
  name: string | undefined,
): Promise<Workspace> {
  const reachable = await reachableWorkspaces(reader, viewer, verb);
  if (name !== undefined) {
    const named = reachable.find((workspace) => workspace.id === name);
    if (named === undefined) throw missing('workspace', name);
    return named;
  }
  const communities = reachable.filter((workspace) => workspace.kind === 'community');
  const [only, ...more] = communities.length > 0 ? communities : reachable;
  if (only === undefined) throw missing('workspace', 'any');
  if (more.length === 0) return only;
  throw new AppError({
    code: 'workspace.choice.invalid',
    kind: 'invalid',
    message: `Say which workspace with --workspace: ${[only, ...more].map((workspace) => oneLine(workspace.id, 48)).join(', ')}.`,
  });
}

/** @throws AppError admin.id.missing, also when the asker may not know of it */
export async function visibleContext(
  reader: StoreReader,
  viewer: Viewer,
  verb: AdminVerb,
  id: string,
): Promise<Context> {
  const context = await reader.get('context', { id: id as ContextId }); // safe: only compared with ids in the table
  if (context === undefined) throw missing('context', id);
  if (!viewer.may(verb, contextScope({ workspace: context.workspace, context: context.id })))
    throw missing('context', id);
  return context;
}
