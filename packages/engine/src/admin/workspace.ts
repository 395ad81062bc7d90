import {
  type AdminParsed,
  AppError,
  type Context,
  effectiveSettings,
  parseWorkspaceId,
  personOf,
  roleOfPrincipal,
  type StoreReader,
  toInstant,
  type Workspace,
  type WorkspaceDetail,
  type WorkspacePatch,
  type WorkspaceRow,
  type WorkspaceSettings,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, demand, EVERYTHING, type Viewer, viewerOf, workspaceScope } from './authorize.ts';
import { patchBindings, requireUnclaimed } from './binding.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { missing, namesOf } from './find.ts';
import { chosenWorkspace, reachableWorkspaces } from './place.ts';
import { patchSettings } from './settings.ts';
import { requireTools } from './tool-names.ts';
import { etagOf, requireVersion } from './version.ts';

/** Workspaces: isolated stores with a policy of their own. */
export const WORKSPACE: AdminPart<
  'workspace.list' | 'workspace.show' | 'workspace.create' | 'workspace.set'
> = {
  'workspace.list': async (deps, actor) => {
    const viewer = await viewerOf(deps, actor);
    const seen = await reachableWorkspaces(deps.store.read, viewer, 'workspace.read');
    if (seen.length === 0) await demand(deps, viewer, 'workspace.read', EVERYTHING);
    const nameOf = await namesOf(deps.store.read);
    return { items: seen.map((workspace) => workspaceRow(viewer, workspace, nameOf)) };
  },
  'workspace.show': async (deps, actor, { id }) => {
    const viewer = await viewerOf(deps, actor);
    return workspaceDetail(
      deps,
      viewer,
      await chosenWorkspace(deps.store.read, viewer, 'workspace.read', id),
    );
  },
  'workspace.create': createWorkspace,
  'workspace.set': setWorkspace,
};

async function createWorkspace(
  deps: AdminDeps,
  actor: Actor,
  input: { readonly id: string; readonly title?: string | undefined; readonly kind: Workspace['kind'] },
): Promise<WorkspaceDetail> {
  const viewer = await viewerOf(deps, actor);
  await demand(deps, viewer, 'workspace.create', EVERYTHING);
  const owner = personOf(actor.principal);
  if (owner === undefined) throw missing('user', '');
  const workspace: Workspace = {
    id: parseWorkspaceId(input.id),
    title: input.title ?? input.id,
    kind: input.kind,
    owner,
    outsideEdits: 'staff',
    settings: {},
    createdAt: deps.clock.nowMs(),
  };
  await change(
    deps,
    actor,
    {
      verb: 'workspace.create',
      target: EVERYTHING,
      action: 'workspace.create',
      subject: workspace.id,
      workspace: workspace.id,
      data: { kind: workspace.kind },
    },
    async (tx) => {
      if ((await tx.get('workspace', { id: workspace.id })) !== undefined) throw nameTaken(workspace.id);
      await tx.insert('workspace', workspace);
    },
  );
  await deps.configFiles.saveWorkspace(workspace);
  return workspaceDetail(deps, viewer, workspace);
}

async function setWorkspace(
  deps: AdminDeps,
  actor: Actor,
  input: AdminParsed<'workspace.set'>,
): Promise<WorkspaceDetail> {
  const viewer = await viewerOf(deps, actor);
  const { id, if_match: expected, ...patch } = input;
  const seen = await chosenWorkspace(deps.store.read, viewer, 'workspace.read', id);
  requireTimeZone(patch.time_zone);
  requireTools(deps, patch.tools);
  const next = await change(
    deps,
    actor,
    {
      verb: 'workspace.set',
      target: workspaceScope(seen.id),
      action: 'workspace.set',
      subject: seen.id,
      workspace: seen.id,
      data: { patch: JSON.parse(JSON.stringify(patch)) },
    },
    async (tx) => {
      const now = await tx.get('workspace', { id: seen.id });
      if (now === undefined) throw missing('workspace', id);
      requireVersion(now, expected);
      const changed = patchWorkspace(now, patch);
      await requireUnclaimed(tx, viewer, now, patch.bind ?? []);
      await tx.update('workspace', { id: now.id }, changed);
      return changed;
    },
  );
  await deps.configFiles.saveWorkspace(next);
  await deps.engine.settingsChanged();
  return workspaceDetail(deps, viewer, next);
}

function patchWorkspace(old: Workspace, patch: Omit<WorkspacePatch, 'id'>): Workspace {
  const { title, ...rest } = patch;
  // A workspace has its title in its own column; its settings carry none.
  const settings: WorkspaceSettings = {
    ...patchSettings(old.settings, rest),
    concurrency: patch.concurrency ?? old.settings.concurrency,
    approversForHigh: patch.approvers_for_high ?? old.settings.approversForHigh,
    timeZone: patch.time_zone ?? old.settings.timeZone,
    bindings: patchBindings(old.settings.bindings, patch),
  };
  return {
    ...old,
    title: title ?? old.title,
    outsideEdits: patch.outside_edits ?? old.outsideEdits,
    settings,
  };
}

function requireTimeZone(name: string | undefined): void {
  if (name === undefined) return;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch (cause) {
    throw new AppError({
      code: 'workspace.zone.invalid',
      kind: 'invalid',
      message: `"${name.slice(0, 60)}" is not a time zone. Use a name such as Europe/Vienna.`,
      cause,
    });
  }
}

function workspaceRow(viewer: Viewer, workspace: Workspace, nameOf: (key: string) => string): WorkspaceRow {
  const { grants, nowMs } = viewer.rules;
  return {
    id: workspace.id,
    title: workspace.title,
    kind: workspace.kind,
    owner: nameOf(workspace.owner),
    role: roleOfPrincipal(viewer.actor.principal, workspaceScope(workspace.id), grants, nowMs),
  };
}

async function workspaceDetail(
  deps: AdminDeps,
  viewer: Viewer,
  workspace: Workspace,
): Promise<WorkspaceDetail> {
  const { read } = deps.store;
  const contexts = await read.find('context', { workspace: workspace.id }, { orderBy: 'id' });
  const settings = effectiveSettings(workspace, plainContext(workspace, contexts[0]));
  return {
    ...workspaceRow(viewer, workspace, await namesOf(read)),
    outside_edits: workspace.outsideEdits,
    concurrency: settings.concurrency,
    approvers_for_high: settings.approversForHigh,
    time_zone: settings.timeZone,
    tools: [...settings.tools],
    models: [...settings.models.allowed],
    bindings: (workspace.settings.bindings ?? []).map((one) => ({ ...one })),
    contexts: await liveContexts(read, contexts),
    created_at: toInstant(workspace.createdAt),
    etag: etagOf(workspace),
  };
}

/** Without the contexts of revoked tokens: nothing arrives there any more. */
async function liveContexts(reader: StoreReader, contexts: readonly Context[]): Promise<string[]> {
  const live: string[] = [];
  for (const context of contexts) {
    const token =
      context.kind === 'http' ? await reader.get('identity_token', { context: context.id }) : undefined;
    if (token?.revokedAt === undefined) live.push(context.id);
  }
  return live;
}

/** A context that says nothing for itself, to read off what the workspace gives to all. */
function plainContext(workspace: Workspace, like: Context | undefined): Context {
  const base: Omit<Context, 'id'> & { readonly id: Context['id'] } = {
    id: like?.id ?? (workspace.id as unknown as Context['id']), // safe: never stored; the id only stands in for a missing title
    workspace: workspace.id,
    kind: 'cli',
    openness: 'closed',
    connector: '',
    account: '',
    channel: '',
    owner: workspace.owner,
    settings: {},
    createdAt: workspace.createdAt,
  };
  return base;
}

export async function requireWorkspace(reader: StoreReader, id: string): Promise<Workspace> {
  const workspace = await reader.get('workspace', { id: parseWorkspaceId(id) });
  if (workspace === undefined) throw missing('workspace', id);
  return workspace;
}

function nameTaken(id: string): AppError {
  return new AppError({
    code: 'workspace.name.conflict',
    kind: 'conflict',
    message: `There is already a workspace "${id}".`,
  });
}
