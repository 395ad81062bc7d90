import {
  AppError,
  classifyPath,
  type Digest,
  describeLabel,
  INTEGRITY,
  type Label,
  type LabelledFile,
  type LabelRow,
  makeLabel,
  parseContextId,
  privateUsersOf,
  sha256,
  type Workspace,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { auditOf, demand, maySee, refusedBy, type Viewer, viewerOf, workspaceScope } from './authorize.ts';
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
      const file = await deps.files.read(workspace.id, entry.path).catch(unreadable);
      if (file !== undefined && maySee(viewer, file.label))
        items.push(labelRow(file.path, file.hash, file.label));
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

/** A file that no tool can read, or that is gone meanwhile, must not hide all others. */
function unreadable(thrown: unknown): undefined {
  const isOfThisFile = thrown instanceof AppError && ['invalid', 'missing', 'denied'].includes(thrown.kind);
  if (!isOfThisFile) throw thrown;
}

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
  refuseRecords(file.path);
  const label = how.next(file, viewer);
  const target = workspaceScope(workspace.id);
  const decision = await demand(deps, viewer, how.verb, target);
  const entries = isMemory(file.path) ? await deps.files.readMemory(workspace.id, file.path) : [];
  const raised = entries.map((entry) => ({
    hash: sha256(entry.text),
    label: how.next({ ...file, label: entry.label }, viewer),
  }));
  // The same bytes with another label: the store keeps the label by (workspace, path, hash), and keeps approved bytes for review.
  await deps.files.write({
    workspace: workspace.id,
    path: file.path,
    text: file.text,
    label,
    isRaised: true,
    expected: file.hash,
    audit: auditOf(
      actor,
      {
        verb: how.verb,
        target,
        action: how.action,
        subject: file.path,
        workspace: workspace.id,
        data: { hash: file.hash, before: { ...file.label }, after: { ...label } },
      },
      decision,
    ),
    also: async (tx) => {
      const again = (await viewerOf(deps, actor, tx)).decide(how.verb, target);
      if (again.kind !== 'permit') throw refusedBy(again);
      const at = deps.clock.nowMs();
      for (const entry of raised) {
        const key = { workspace: workspace.id, path: file.path, hash: entry.hash };
        await tx.remove('label_entry', key);
        await tx.insert('label_entry', { ...key, label: entry.label, at });
      }
      if (raised.length > 0)
        await tx.update(
          'label_file',
          { workspace: workspace.id, path: file.path, hash: file.hash },
          { label },
        );
    },
  });
  return labelRow(file.path, file.hash, label);
}

/** Entries of memory carry labels of their own, which are what a prompt looks at. */
function isMemory(path: string): boolean {
  return ['context-memory', 'other-context-memory', 'workspace-memory'].includes(classOf(path));
}

/** Logs, tasks, approvals and mail are labelled by their records; a wish cannot change that. */
function refuseRecords(path: string): void {
  if (classOf(path) !== 'record') return;
  throw new AppError({
    code: 'label.record.denied',
    kind: 'denied',
    message: `${path} is a record; its label comes from what it records and is never changed.`,
  });
}

function classOf(path: string): string {
  return classifyPath(path, parseContextId('none'));
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
