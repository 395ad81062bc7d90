import {
  AppError,
  type Digest,
  describeLabel,
  equalLabels,
  INTEGRITY,
  type Label,
  type LabelledFile,
  type LabelRow,
  makeLabel,
  principalKey,
  privateUsersOf,
  type StoreTx,
  type Workspace,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, demand, maySee, type Viewer, viewerOf, workspaceScope } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { missing } from './find.ts';
import { chosenWorkspace } from './place.ts';

interface FileInput {
  readonly workspace?: string | undefined;
  readonly path: string;
  readonly hash?: Digest | undefined;
}

/** Labels of files. They rise only here: a person looks at exact bytes and says so. */
export const LABEL: AdminPart<'label.list' | 'label.approve' | 'label.publish'> = {
  'label.list': async (deps, actor, { workspace: name, prefix = '', limit }) => {
    const viewer = await viewerOf(deps, actor);
    const workspace = await chosenWorkspace(deps.store.read, viewer, 'workspace.read', name);
    await demand(deps, viewer, 'label.read', workspaceScope(workspace.id));
    const items: LabelRow[] = [];
    for (const entry of await deps.files.list(workspace.id)) {
      if (items.length >= limit) break;
      if (!entry.path.startsWith(prefix)) continue;
      const file = await deps.files.read(workspace.id, entry.path);
      if (maySee(viewer, file.label)) items.push(labelRow(file.path, file.hash, file.label));
    }
    return { items };
  },
  'label.approve': async (deps, actor, input) =>
    relabel(deps, actor, input, {
      verb: 'label.approve',
      action: 'label.approve',
      next: ({ label }) => makeLabel(INTEGRITY.staff, label.audience),
    }),
  'label.publish': async (deps, actor, input) =>
    relabel(deps, actor, input, {
      verb: 'label.publish',
      action: 'label.publish',
      next: ({ label, path }, viewer) => {
        const others = privateUsersOf(label).filter((user) => user !== viewer.person);
        if (others.length > 0) throw holdsPrivate(path, others);
        return makeLabel(label.integrity, []);
      },
    }),
};

interface Relabel {
  readonly verb: 'label.approve' | 'label.publish';
  readonly action: 'label.approve' | 'label.publish';
  next(file: LabelledFile, viewer: Viewer): Label;
}

async function relabel(deps: AdminDeps, actor: Actor, input: FileInput, how: Relabel): Promise<LabelRow> {
  const viewer = await viewerOf(deps, actor);
  const workspace = await chosenWorkspace(deps.store.read, viewer, 'workspace.read', input.workspace);
  await demand(deps, viewer, how.verb, workspaceScope(workspace.id));
  const file = await readVisible(deps, viewer, workspace, input.path);
  if (input.hash !== undefined && input.hash !== file.hash) throw changedSince(input.path);
  const label = how.next(file, viewer);
  await change(
    deps,
    actor,
    {
      verb: how.verb,
      target: workspaceScope(workspace.id),
      action: how.action,
      subject: file.path,
      workspace: workspace.id,
      data: { hash: file.hash, before: { ...file.label }, after: { ...label } },
    },
    async (tx) => writeLabel(tx, { deps, actor, workspace, file, label }),
  );
  return labelRow(file.path, file.hash, label);
}

/** The label belongs to (workspace, path, hash): other bytes under the same name gain nothing. */
async function writeLabel(
  tx: StoreTx,
  change: {
    readonly deps: AdminDeps;
    readonly actor: Actor;
    readonly workspace: Workspace;
    readonly file: LabelledFile;
    readonly label: Label;
  },
): Promise<void> {
  const { deps, actor, workspace, file, label } = change;
  const path = { workspace: workspace.id, path: file.path };
  const exact = { ...path, hash: file.hash };
  const isRaised = !equalLabels(label, file.label) || label.integrity >= INTEGRITY.staff;
  await tx.update('label_file', path, { isCurrent: false, ...(isRaised ? { isGood: false } : {}) });
  await tx.remove('label_file', exact);
  await tx.insert('label_file', {
    ...exact,
    label,
    isCurrent: true,
    isGood: label.integrity >= INTEGRITY.staff,
    by: principalKey(actor.principal),
    at: deps.clock.nowMs(),
  });
}

/** The file as it is now. What this person may not read does not exist for them. */
export async function readVisible(
  deps: AdminDeps,
  viewer: Viewer,
  workspace: Workspace,
  path: string,
): Promise<LabelledFile> {
  const file = await deps.files.read(workspace.id, path);
  if (!maySee(viewer, file.label)) throw missing('file', path);
  return file;
}

function labelRow(path: string, hash: Digest, label: Label): LabelRow {
  return {
    path,
    hash,
    integrity: label.integrity,
    audience: [...label.audience],
    words: describeLabel(label),
  };
}

function changedSince(path: string): AppError {
  return new AppError({
    code: 'label.hash.conflict',
    kind: 'conflict',
    message: `${path} has changed since you looked. Look at it again.`,
  });
}

function holdsPrivate(path: string, users: readonly string[]): AppError {
  return new AppError({
    code: 'label.private.denied',
    kind: 'denied',
    message: `${path} holds private text of ${users.join(', ')}; only they can publish it.`,
  });
}
