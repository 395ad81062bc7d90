import {
  type AdminParsed,
  type AdminReply,
  AppError,
  type Context,
  type Hub,
  type HubRow,
  isHubAsked,
  isStaffPlace,
  oneLine,
  personOf,
  publicLabel,
  type Scope,
  type StoreReader,
  type StoreTx,
  toInstant,
  toInstantIf,
  type WorkspaceId,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { isHubStanding } from '../hub/request.ts';
import { writeNotice } from '../notify/notice.ts';
import {
  type Change,
  change,
  contextScope,
  demand,
  EVERYTHING,
  refusedBy,
  type Viewer,
  viewerOf,
  workspaceScope,
} from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { findById, missing, namesOf } from './find.ts';

/** The admin hub: asked for in chat, and made, moved and ended by a signed request alone. */
export const HUB: AdminPart<'hub.list' | 'hub.approve' | 'hub.rm'> = {
  'hub.list': async (deps, actor) => {
    const viewer = await viewerOf(deps, actor);
    const { read } = deps.store;
    const rows = await read.find('hub', {}, { orderBy: 'askedAt' });
    const visible = rows.filter((row) => isVisible(viewer, row));
    if (visible.length === 0) await demand(deps, viewer, 'hub.read', EVERYTHING);
    const nameOf = await namesOf(read);
    const items: HubRow[] = [];
    for (const row of visible)
      if (row.state === 'active' || (await isHubStanding(deps, read, row)))
        items.push(hubRow(viewer, row, nameOf));
    return { items };
  },
  'hub.approve': approveHub,
  'hub.rm': removeHub,
};

/** Makes the place the hub. Where the connector has one already, this is a move: both ends are in the one event. */
async function approveHub(
  deps: AdminDeps,
  actor: Actor,
  input: AdminParsed<'hub.approve'>,
): Promise<AdminReply<'hub.approve'>> {
  const { read } = deps.store;
  const viewer = await viewerOf(deps, actor);
  const asked = await findById(read, {
    table: 'hub',
    noun: 'hub',
    text: input.id,
    isVisible: (row) => row.state === 'asked' && viewer.may('hub.read', contextScope(row)),
  });
  const clearedFor: WorkspaceId[] = [];
  for (const name of new Set(input.workspaces)) clearedFor.push(await knownWorkspace(read, viewer, name));
  const old = await hubOf(read, asked.connector);
  const next: Hub = {
    ...asked,
    state: 'active',
    clearedFor,
    approvedBy: personOf(actor.principal),
    approvedAt: deps.clock.nowMs(),
  };
  const what = {
    ...changeOf('hub.approve', next),
    data: { to: placeOf(next), from: old === undefined ? null : placeOf(old), askedBy: asked.askedBy },
  };
  const scopes = [...clearedFor.map(workspaceScope), ...(old === undefined ? [] : reachOf(old))];
  await changeEach(deps, actor, { what, scopes }, async (tx) => {
    const place = await requireStanding(deps, tx, asked);
    if ((await hubOf(tx, asked.connector))?.id !== old?.id) throw movedMeanwhile();
    if (old !== undefined) await tx.remove('hub', { id: old.id });
    const { id, state, approvedBy, approvedAt } = next;
    await tx.update('hub', { id }, { state, clearedFor, approvedBy, approvedAt });
    await sayMove(deps, tx, { next, place, old });
  });
  await deps.engine.settingsChanged();
  return { ...hubRow(viewer, next, await namesOf(read)), moved_from: old?.context };
}

async function removeHub(deps: AdminDeps, actor: Actor, input: { readonly id: string }): Promise<HubRow> {
  const { read } = deps.store;
  const viewer = await viewerOf(deps, actor);
  const hub = await findHub(read, viewer, input.id);
  const what = { ...changeOf(hub.state === 'active' ? 'hub.remove' : 'hub.deny', hub), data: placeOf(hub) };
  await changeEach(deps, actor, { what, scopes: reachOf(hub) }, async (tx) => {
    if ((await tx.remove('hub', { id: hub.id, state: hub.state })) === 0) throw movedMeanwhile();
  });
  return hubRow(viewer, hub, await namesOf(read));
}

/** The hub of a connector by its name, else whatever has this id. */
async function findHub(reader: StoreReader, viewer: Viewer, text: string): Promise<Hub> {
  const named = await hubOf(reader, text);
  if (named !== undefined && isVisible(viewer, named)) return named;
  return findById(reader, { table: 'hub', noun: 'hub', text, isVisible: (row) => isVisible(viewer, row) });
}

function hubOf(reader: StoreReader, connector: string): Promise<Hub | undefined> {
  return reader.get('hub', { connector, state: 'active' });
}

/** A workspace that the asker knows. @throws AppError admin.id.missing, also when they may not know of it */
async function knownWorkspace(reader: StoreReader, viewer: Viewer, name: string): Promise<WorkspaceId> {
  const id = name as WorkspaceId; // safe: only compared with ids in the table
  const workspace = await reader.get('workspace', { id });
  if (workspace === undefined || !viewer.may('workspace.read', workspaceScope(id)))
    throw missing('workspace', name);
  return workspace.id;
}

/** Whose matter a hub is: each workspace that it is cleared for, and its own place. */
function reachOf(hub: Hub): readonly Scope[] {
  return [contextScope(hub), ...hub.clearedFor.map(workspaceScope)];
}

function changeOf(action: 'hub.approve' | 'hub.remove' | 'hub.deny', hub: Hub): Change {
  return {
    verb: 'hub.set',
    target: contextScope(hub),
    action,
    subject: hub.id,
    workspace: hub.workspace,
    context: hub.context,
  };
}

function placeOf({ connector, account, channel, context, clearedFor }: Hub) {
  return { connector, account, channel, context, clearedFor };
}

/** A change that must be permitted in each of several places, when it is asked and again where it is written. */
async function changeEach(
  deps: AdminDeps,
  actor: Actor,
  { what, scopes }: { readonly what: Change; readonly scopes: readonly Scope[] },
  body: (tx: StoreTx) => Promise<void>,
): Promise<void> {
  const viewer = await viewerOf(deps, actor);
  for (const scope of scopes) await demand(deps, viewer, what.verb, scope);
  await change(deps, actor, what, async (tx, again) => {
    for (const scope of scopes) {
      const decision = again.decide(what.verb, scope);
      if (decision.kind !== 'permit') throw refusedBy(decision);
    }
    await body(tx);
  });
}

/** The request as the transaction finds it must still be one. @returns its place */
async function requireStanding(deps: AdminDeps, tx: StoreTx, asked: Hub): Promise<Context> {
  const now = await tx.get('hub', { id: asked.id });
  if (now === undefined || !isHubAsked(now, deps.clock.nowMs())) throw notWaiting();
  const place = await tx.get('context', { id: now.context });
  if (place === undefined || !isStaffPlace(place)) throw notClosed(now);
  if (!(await isHubStanding(deps, tx, now))) throw notWaiting();
  return place;
}

/** Both places hear of it: a hub that falls silent without a word would not be missed. */
async function sayMove(
  deps: AdminDeps,
  tx: StoreTx,
  move: { readonly next: Hub; readonly place: Context; readonly old: Hub | undefined },
): Promise<void> {
  const { next, place, old } = move;
  await writeNotice(deps, tx, {
    key: `hub:${next.id}:active`,
    workspace: place.workspace,
    context: place.id,
    draft: {
      text: `This is the admin hub of ${next.connector} now, cleared for ${next.clearedFor.join(', ')}.`,
    },
    label: publicLabel(2),
    isAnswer: true,
  });
  if (old === undefined || old.context === next.context) return;
  await writeNotice(deps, tx, {
    key: `hub:${next.id}:moved`,
    workspace: old.workspace,
    context: old.context,
    draft: { text: `This is not the admin hub of ${old.connector} any more.` },
    label: publicLabel(2),
    isAnswer: true,
  });
}

function isVisible(viewer: Viewer, hub: Hub): boolean {
  return reachOf(hub).some((scope) => viewer.may('hub.read', scope));
}

function hubRow(viewer: Viewer, hub: Hub, nameOf: (key: string) => string): HubRow {
  const known = hub.clearedFor.filter((id) => viewer.may('workspace.read', workspaceScope(id)));
  return {
    id: hub.id,
    state: hub.state,
    connector: hub.connector,
    account: hub.account,
    channel: hub.channel,
    context: hub.context,
    workspace: hub.workspace,
    asked_by: nameOf(hub.askedBy),
    asked_at: toInstant(hub.askedAt),
    ...(hub.state === 'asked' ? { expires_at: toInstant(hub.expiresAt) } : {}),
    cleared_for: known,
    cleared_more: hub.clearedFor.length - known.length,
    approved_by: hub.approvedBy === undefined ? undefined : nameOf(hub.approvedBy),
    approved_at: toInstantIf(hub.approvedAt),
  };
}

function notWaiting(): AppError {
  return new AppError({
    code: 'hub.request.conflict',
    kind: 'conflict',
    message:
      'This request was answered or is over, or whoever asked is no longer staff there. Say /hub in the place again; `hub list` shows what waits.',
  });
}

function notClosed(hub: Hub): AppError {
  return new AppError({
    code: 'hub.place.conflict',
    kind: 'conflict',
    message: `${oneLine(hub.context, 60)} is not a closed place any more, so it cannot be the admin hub. Close it first (\`context set\`).`,
  });
}

function movedMeanwhile(): AppError {
  return new AppError({
    code: 'hub.place.conflict',
    kind: 'conflict',
    message: 'The admin hub changed since you looked. `hub list` shows where it is.',
  });
}
