import {
  type AdminParsed,
  AppError,
  type Context,
  type ContextDetail,
  type ContextRow,
  effectiveSettings,
  parseContextId,
  personOf,
  toInstant,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { freeSlug } from '../free-slug.ts';
import {
  change,
  contextScope,
  demand,
  EVERYTHING,
  type Viewer,
  viewerOf,
  workspaceScope,
} from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { missing, namesOf } from './find.ts';
import { chosenWorkspace, visibleContext } from './place.ts';
import { unboundPlaces } from './seen.ts';
import { patchSettings } from './settings.ts';
import { requireTools } from './tool-names.ts';
import { etagOf, requireVersion } from './version.ts';
import { requireWorkspace } from './workspace.ts';

/** Contexts: policy boundaries, each the counterpart of one channel. */
export const CONTEXT: AdminPart<'context.list' | 'context.show' | 'context.set' | 'context.bind'> = {
  'context.list': async (deps, actor, { workspace }) => {
    const viewer = await viewerOf(deps, actor);
    const rows = await deps.store.read.find('context', {}, { orderBy: 'id' });
    const visible = rows.filter((context) => viewer.may('context.read', scopeOf(context)));
    if (visible.length === 0) await demand(deps, viewer, 'context.read', EVERYTHING);
    return {
      items: visible
        .filter((context) => workspace === undefined || context.workspace === workspace)
        .map(contextRow),
      unbound: workspace === undefined ? await unboundPlaces(deps.store.read, viewer) : [],
    };
  },
  'context.show': async (deps, actor, { id }) => {
    const viewer = await viewerOf(deps, actor);
    return contextDetail(deps, await visibleContext(deps.store.read, viewer, 'context.read', id));
  },
  'context.set': setContext,
  'context.bind': bindContext,
};

async function setContext(
  deps: AdminDeps,
  actor: Actor,
  input: AdminParsed<'context.set'>,
): Promise<ContextDetail> {
  const { id, openness, if_match: expected, ...patch } = input;
  const viewer: Viewer = await viewerOf(deps, actor);
  const seen = await visibleContext(deps.store.read, viewer, 'context.read', id);
  requireTools(deps, patch.tools);
  const next = await change(
    deps,
    actor,
    {
      verb: 'context.set',
      target: scopeOf(seen),
      action: 'context.set',
      subject: seen.id,
      workspace: seen.workspace,
      context: seen.id,
      data: { patch: JSON.parse(JSON.stringify({ ...patch, openness })) },
    },
    async (tx) => {
      const now = await tx.get('context', { id: seen.id });
      if (now === undefined) throw missing('context', id);
      requireVersion(now, expected);
      if (openness === 'open' && now.directWith !== undefined) throw directStaysClosed(now);
      const changed: Context = {
        ...now,
        openness: openness ?? now.openness,
        settings: patchSettings(now.settings, patch),
      };
      await tx.update('context', { id: now.id }, { openness: changed.openness, settings: changed.settings });
      return changed;
    },
  );
  await deps.configFiles.saveContext(next);
  return contextDetail(deps, next);
}

async function bindContext(
  deps: AdminDeps,
  actor: Actor,
  input: AdminParsed<'context.bind'>,
): Promise<ContextDetail> {
  const { connector, account, channel } = input;
  const viewer = await viewerOf(deps, actor);
  const workspace = await chosenWorkspace(deps.store.read, viewer, 'workspace.read', input.workspace);
  const owner = personOf(actor.principal);
  if (owner === undefined) throw missing('user', '');
  const wanted = input.id ?? `${connector}-${input.title ?? channel}`;
  const context: Context = {
    id: parseContextId(input.id ?? (await freeSlug(deps.store.read, wanted))),
    workspace: workspace.id,
    kind: input.kind,
    openness: input.openness,
    connector,
    account,
    channel,
    owner,
    settings: input.title === undefined ? {} : { title: input.title },
    createdAt: deps.clock.nowMs(),
  };
  await change(
    deps,
    actor,
    {
      verb: 'context.set',
      target: workspaceScope(workspace.id),
      action: 'context.bind',
      subject: context.id,
      workspace: workspace.id,
      context: context.id,
      data: { connector, account, channel, openness: context.openness },
    },
    async (tx) => {
      await requireWorkspace(tx, workspace.id);
      const bound = await tx.get('context', { connector, account, channel });
      if (bound !== undefined) throw alreadyBound(bound, viewer);
      if ((await tx.get('context', { id: context.id })) !== undefined) throw nameTaken(context.id);
      await tx.insert('context', context);
      await tx.remove('context_seen', { connector, account, channel });
    },
  );
  await deps.configFiles.saveContext(context);
  return contextDetail(deps, context);
}

function scopeOf(context: Context) {
  return contextScope({ workspace: context.workspace, context: context.id });
}

function contextRow(context: Context): ContextRow {
  return {
    id: context.id,
    workspace: context.workspace,
    title: context.settings.title ?? context.id,
    kind: context.kind,
    openness: context.openness,
    connector: context.connector,
    account: context.account,
    channel: context.channel,
  };
}

async function contextDetail(deps: AdminDeps, context: Context): Promise<ContextDetail> {
  const { read } = deps.store;
  const settings = effectiveSettings(await requireWorkspace(read, context.workspace), context);
  const nameOf = await namesOf(read);
  return {
    ...contextRow(context),
    owner: nameOf(context.owner),
    direct_with: context.directWith === undefined ? undefined : nameOf(context.directWith),
    guests: settings.guests,
    tools: [...settings.tools],
    models: [...settings.models.allowed],
    temperature: settings.models.temperature,
    max_output_tokens: settings.models.maxOutputTokens,
    max_queued: settings.queue.maxQueued,
    run_deadline_ms: settings.queue.runDeadlineMs,
    tokens_per_day: settings.budget.tokensPerDay,
    tokens_per_sender_per_day: settings.budget.tokensPerSenderPerDay,
    output: settings.output,
    acknowledge: settings.acknowledge,
    messages_per_minute: settings.messagesPerMinute,
    max_prompt_chars: settings.maxPromptChars,
    created_at: toInstant(context.createdAt),
    etag: etagOf(context),
  };
}

function directStaysClosed(context: Context): AppError {
  return new AppError({
    code: 'context.openness.invalid',
    kind: 'invalid',
    message: `${context.id} is a direct talk; it cannot be opened to strangers.`,
  });
}

/** Names the workspace only to those who may know of it. */
function alreadyBound(bound: Context, viewer: Viewer): AppError {
  const where = viewer.may('context.read', scopeOf(bound)) ? ` to ${bound.workspace} as ${bound.id}` : '';
  return new AppError({
    code: 'context.channel.conflict',
    kind: 'conflict',
    message: `This channel is already bound${where}.`,
  });
}

function nameTaken(id: string): AppError {
  return new AppError({
    code: 'context.name.conflict',
    kind: 'conflict',
    message: `The name "${id}" is taken. Choose another one with --id.`,
  });
}
