import {
  AppError,
  type Context,
  decide,
  effectiveSettings,
  isSlug,
  parseContextId,
  principalKey,
  type StoreReader,
  sha256,
  slugify,
  type User,
  type Workspace,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { reasonsOf, recordRefusal, refusedBy, type Viewer } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { signedViewer } from './effect.ts';
import { missing } from './find.ts';
import { chosenWorkspace, visibleContext } from './place.ts';

/** The command line's way in: the same door as everything else. */
export const ASK: AdminPart<'ask.post'> = {
  'ask.post': async (deps, actor, input) => {
    const viewer = await signedViewer(deps, actor);
    const user = await personRow(deps.store.read, viewer);
    const context =
      input.context === undefined
        ? await cliContext(
            deps,
            actor,
            await chosenWorkspace(deps.store.read, viewer, 'workspace.read', input.workspace),
          )
        : await visibleContext(deps.store.read, viewer, 'workspace.read', input.context);
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
    return { run_id: accepted.run, task_id: accepted.task, context: context.id };
  },
};

async function personRow(reader: StoreReader, viewer: Viewer): Promise<User> {
  const user =
    viewer.person === undefined ? undefined : await reader.get('identity_user', { id: viewer.person });
  if (user === undefined) throw missing('user', viewer.person ?? '');
  return user;
}

/** The closed context of a workspace for questions that name none; made when the first member asks. */
export async function cliContext(deps: AdminDeps, actor: Actor, workspace: Workspace): Promise<Context> {
  const { connector, account } = deps.doors.cli;
  const where = { workspace: workspace.id, kind: 'cli', connector, account } as const;
  const known = await deps.store.read.get('context', where);
  if (known !== undefined) return known;
  const fresh: Context = {
    id: parseContextId(await freeSlug(deps.store.read, `cli-${workspace.id}`)),
    workspace: workspace.id,
    kind: 'cli',
    openness: 'closed',
    connector,
    account,
    channel: workspace.id,
    owner: workspace.owner,
    settings: { title: 'Command line' },
    createdAt: deps.clock.nowMs(),
  };
  const viewer = await signedViewer(deps, actor);
  const decision = decide(
    { action: 'task.create', principal: actor.principal, door: 'cli', isAddressed: true },
    { ...viewer.rules, context: fresh, settings: effectiveSettings(workspace, fresh) },
  );
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

/** The name, or the name with a few characters of its digest when it is taken. Contexts are unique in the whole appliance. */
export async function freeSlug(reader: StoreReader, wanted: string): Promise<string> {
  const plain = isSlug(wanted) ? wanted : slugify(wanted);
  for (let round = 0; round < 100; round += 1) {
    const name = round === 0 ? plain : `${plain.slice(0, 40)}-${sha256(`${wanted}\n${round}`).slice(7, 13)}`;
    if ((await reader.get('context', { id: parseContextId(name) })) === undefined) return name;
  }
  throw new AppError({
    code: 'context.name.conflict',
    kind: 'conflict',
    message: `The name "${plain}" is taken. Choose another one.`,
  });
}

function notStarted(reply: string | undefined): AppError {
  return new AppError({
    code: 'ingest.run.conflict',
    kind: 'conflict',
    message: reply ?? 'This message started no run.',
  });
}
