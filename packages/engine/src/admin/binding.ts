import {
  AppError,
  type Binding,
  isSameBinding,
  oneLine,
  type StoreReader,
  type Workspace,
  type WorkspacePatch,
  type WorkspaceSettings,
} from '@agent-runtime/domain';
import { type Viewer, workspaceScope } from './authorize.ts';

/** As many as its settings file holds. */
const MOST_BINDINGS = 50;

/** Groups that a workspace takes after a patch. Pure. @throws AppError workspace.binding.invalid for more than it may name */
export function patchBindings(
  old: readonly Binding[] | undefined,
  patch: Pick<WorkspacePatch, 'bind' | 'unbind'>,
): WorkspaceSettings['bindings'] {
  const { bind = [], unbind = [] } = patch;
  if (bind.length === 0 && unbind.length === 0) return old;
  const next: Binding[] = [];
  for (const one of [...(old ?? []), ...bind])
    if (![...unbind, ...next].some((other) => isSameBinding(one, other))) next.push(one);
  if (next.length > MOST_BINDINGS) throw tooMany();
  return next.length === 0 ? undefined : next;
}

/** A group belongs to one workspace. @throws AppError workspace.binding.conflict, naming the other one to those who may know of it */
export async function requireUnclaimed(
  reader: StoreReader,
  viewer: Viewer,
  workspace: Workspace,
  wanted: readonly Binding[],
): Promise<void> {
  if (wanted.length === 0) return;
  for (const other of await reader.find('workspace', {})) {
    const claimed =
      other.id === workspace.id
        ? undefined
        : other.settings.bindings?.find((one) => wanted.some((mine) => isSameBinding(one, mine)));
    if (claimed === undefined) continue;
    const whose = viewer.may('workspace.read', workspaceScope(other.id)) ? other.id : 'another one';
    throw new AppError({
      code: 'workspace.binding.conflict',
      kind: 'conflict',
      message: `${oneLine(claimed.group, 60)} belongs to a workspace already: ${whose}. A group can belong to one only; unbind it there first.`,
    });
  }
}

function tooMany(): AppError {
  return new AppError({
    code: 'workspace.binding.invalid',
    kind: 'invalid',
    message: `A workspace takes the places of at most ${MOST_BINDINGS} groups. Unbind some first.`,
  });
}
