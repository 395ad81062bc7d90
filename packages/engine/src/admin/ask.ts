import {
  AppError,
  type Context,
  type Decision,
  decide,
  effectiveSettings,
  parseContextId,
  principalKey,
  type StoreReader,
  type User,
  type Workspace,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { freeSlug } from '../free-slug.ts';
import { reasonsOf, recordRefusal, refusedBy, type Viewer } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { signedViewer } from './effect.ts';
import { missing } from './find.ts';
import { chosenWorkspace, reachableWorkspaces, visibleContext } from './place.ts';

/** The command line's way in: the same door as everything else. */
export const ASK: AdminPart<'ask.post'> = {
  'ask.post': async (deps, actor, input) => {
    const viewer = await signedViewer(deps, actor);
    const user = await personRow(deps.store.read, viewer);
    const { context, taken } = await placeOf(deps, actor, viewer, input);
    const accepted = await deps.engine.accept({
      event: {
        source: `cli:${deps.doors.cli.account}`,
        externalId: `${user.id}:${input.idempotency_key}`,
        kind: 'message',
        channel: { id: context.channel, kind: context.kind, title: context.settings.title ?? context.id },
        sender: { id: user.id, displayName: user.displayName, isBot: false },
        text: input.text,
        isAddressed: true,
        isRelayed: false,
        sentAt: deps.clock.nowMs(),
      },
      door: 'cli',
      taskKind: input.kind,
      // Conversations of people never mix, also when they choose the same key; without a key each question stands alone.
      conversationKey: `cli:${user.id}:${input.conversation ?? input.idempotency_key}`,
      authenticated: { principal: actor.principal, context: context.id },
    });
    if (accepted.run === undefined || accepted.task === undefined) throw notStarted(accepted.reply);
    return { run_id: accepted.run, task_id: accepted.task, context: context.id, taken };
  },
};

/** Where a question goes: the named context, the named workspace, or the asker's first one. */
async function placeOf(
  deps: AdminDeps,
  actor: Actor,
  viewer: Viewer,
  input: { readonly context?: string | undefined; readonly workspace?: string | undefined },
): Promise<{ readonly context: Context; readonly taken?: string | undefined }> {
  const { read } = deps.store;
  if (input.context !== undefined)
    return { context: await visibleContext(read, viewer, 'workspace.read', input.context) };
  if (input.workspace !== undefined) {
    const named = await chosenWorkspace(read, viewer, 'workspace.read', input.workspace);
    return { context: await cliContext(deps, actor, named) };
  }
  const reachable = await reachableWorkspaces(read, viewer, 'workspace.read');
  const communities = reachable.filter((workspace) => workspace.kind === 'community');
  if (communities.length < 2) {
    const only = await chosenWorkspace(read, viewer, 'workspace.read', undefined);
    return { context: await cliContext(deps, actor, only) };
  }
  const oldest = await oldestUsable(deps, actor, viewer, communities);
  return { context: await cliContext(deps, actor, oldest), taken: oldest.id };
}

/** The oldest workspace in which the asker may start work; without one the oldest, whose refusal then says why. */
async function oldestUsable(
  deps: AdminDeps,
  actor: Actor,
  viewer: Viewer,
  workspaces: readonly Workspace[],
): Promise<Workspace> {
  const byAge = [...workspaces].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  for (const workspace of byAge) {
    const context = (await knownContext(deps, workspace)) ?? freshContext(deps, workspace, workspace.id);
    if (mayAsk(actor, viewer, workspace, context).kind === 'permit') return workspace;
  }
  const [first] = byAge;
  if (first === undefined) throw missing('workspace', 'any');
  return first;
}

function mayAsk(actor: Actor, viewer: Viewer, workspace: Workspace, context: Context): Decision {
  return decide(
    { action: 'task.create', principal: actor.principal, door: 'cli', isAddressed: true },
    { ...viewer.rules, context, settings: effectiveSettings(workspace, context) },
  );
}

function placeOfCli(deps: AdminDeps, workspace: Workspace) {
  return { workspace: workspace.id, kind: 'cli', ...deps.doors.cli } as const;
}

async function knownContext(deps: AdminDeps, workspace: Workspace): Promise<Context | undefined> {
  return deps.store.read.get('context', placeOfCli(deps, workspace));
}

function freshContext(deps: AdminDeps, workspace: Workspace, id: string): Context {
  return {
    ...placeOfCli(deps, workspace),
    id: parseContextId(id),
    openness: 'closed',
    channel: workspace.id,
    owner: workspace.owner,
    settings: { title: 'Command line' },
    createdAt: deps.clock.nowMs(),
  };
}

async function personRow(reader: StoreReader, viewer: Viewer): Promise<User> {
  const user =
    viewer.person === undefined ? undefined : await reader.get('identity_user', { id: viewer.person });
  if (user === undefined) throw missing('user', viewer.person ?? '');
  return user;
}

/** The closed context of a workspace for questions that name none; made when the first member asks. */
export async function cliContext(deps: AdminDeps, actor: Actor, workspace: Workspace): Promise<Context> {
  const known = await knownContext(deps, workspace);
  if (known !== undefined) return known;
  const where = placeOfCli(deps, workspace);
  const fresh = freshContext(deps, workspace, await freeSlug(deps.store.read, `cli-${workspace.id}`));
  const viewer = await signedViewer(deps, actor);
  const decision = mayAsk(actor, viewer, workspace, fresh);
  if (decision.kind !== 'permit') {
    await recordRefusal(deps, actor, `task.create ${fresh.id}`, decision);
    throw refusedBy(decision);
  }
  const context = await deps.store.commit(
    {
      action: 'context.create',
      actor: principalKey(actor.principal),
      subject: fresh.id,
      workspace: workspace.id,
      context: fresh.id,
      data: { kind: 'cli', openness: 'closed', decision: decision.kind, reasons: reasonsOf(decision) },
    },
    async (tx) => {
      const raced = await tx.get('context', where);
      if (raced === undefined) await tx.insert('context', fresh);
      return raced ?? fresh;
    },
  );
  await deps.configFiles.saveContext(context);
  return context;
}

function notStarted(reply: string | undefined): AppError {
  return new AppError({
    code: 'ingest.run.conflict',
    kind: 'conflict',
    message: reply ?? 'This message started no run.',
  });
}
