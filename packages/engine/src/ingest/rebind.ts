import {
  AppError,
  type Context,
  decide,
  oneLine,
  type Principal,
  parseContextId,
  principalKey,
  type StoreReader,
  type StoreTx,
  type Workspace,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { policyRules } from '../effect/rules.ts';
import { freeSlug } from '../free-slug.ts';
import { lapseIn } from '../intent/end.ts';
import { retiredAccount } from '../retired.ts';
import { type Answer, type Asker, said } from './asker.ts';
import { saved } from './bind.ts';
import { endConversation } from './conversation.ts';

/**
 * `/workspace ID` in a direct talk: from now on it is about that workspace. The talk gets a context of its own there, so that nothing
 * said or remembered under the one workspace is ever part of a prompt under the other; coming back finds the old one, and begins afresh.
 * @throws AppError context.direct.invalid · context.workspace.missing (not there, or no role there) · context.direct.conflict (something
 *   still runs here)
 */
export async function rebindDirect(deps: EngineDeps, asker: Asker, wanted: string): Promise<Answer> {
  const { context, principal } = asker;
  if (principal.kind !== 'user' || context.directWith !== principal.user) throw noDirect();
  const usable = await usableWorkspaces(deps, asker);
  if (wanted === '') return said(listText(context, usable));
  const workspace = usable.find((one) => one.id === wanted.toLowerCase());
  if (workspace === undefined) throw unknown(wanted, usable);
  if (workspace.id === context.workspace) return said(`This talk is about ${workspace.id} already.`);
  const place = await deps.store.commit(
    {
      action: 'context.rebind',
      actor: principalKey(principal),
      subject: context.id,
      workspace: workspace.id,
      context: context.id,
      data: { from: context.workspace, to: workspace.id },
    },
    (tx) => moveTalk(deps, tx, asker, workspace),
  );
  await saved(deps, () => deps.configFiles?.saveContext(place));
  return {
    ...said(`This talk is about ${workspace.id} now. A fresh conversation begins with your next message.`),
    place,
  };
}

/** Workspaces in which this person may read at all. */
async function usableWorkspaces(deps: EngineDeps, asker: Asker): Promise<readonly Workspace[]> {
  const usable: Workspace[] = [];
  for (const one of await deps.store.read.find('workspace', {}, { orderBy: 'id' }))
    if (await mayUse(deps, deps.store.read, asker, one)) usable.push(one);
  return usable;
}

async function mayUse(
  deps: EngineDeps,
  reader: StoreReader,
  asker: { readonly context: Context; readonly principal: Principal },
  workspace: Workspace,
): Promise<boolean> {
  const rules = await policyRules(deps, reader, asker.context.id);
  // The talk as it would be there.
  const context = { ...asker.context, workspace: workspace.id };
  const decision = decide({ action: 'workspace.read', principal: asker.principal }, { ...rules, context });
  return decision.kind === 'permit';
}

/** The old context leaves the channel, its own in the other workspace takes it. */
async function moveTalk(deps: EngineDeps, tx: StoreTx, asker: Asker, workspace: Workspace): Promise<Context> {
  const { connector, account, channel, id } = asker.context;
  const here = await tx.get('context', { connector, account, channel });
  if (here?.id !== id) throw overtaken();
  if (!(await mayUse(deps, tx, asker, workspace))) throw unknown(workspace.id, []);
  const open = { context: id, state: { in: ['queued', 'running', 'aborting'] } } as const;
  if ((await tx.count('run', open)) > 0) throw stillRuns();
  await lapseIn(tx, id);
  await tx.update('context', { id }, { account: retiredAccount(here) });
  const place = await placeIn(deps, tx, here, workspace);
  await endConversation(tx, place, asker.conversationKey);
  // Whoever unlinks the account ends this talk.
  await tx.update('identity_link', { connector, context: id }, { context: place.id });
  return place;
}

async function placeIn(deps: EngineDeps, tx: StoreTx, here: Context, workspace: Workspace): Promise<Context> {
  const { connector, account, channel, directWith } = here;
  const before = await tx.find('context', { connector, channel, directWith, workspace: workspace.id });
  const known = before.find((one) => one.account === retiredAccount(one));
  if (known !== undefined) {
    await tx.update('context', { id: known.id }, { account });
    return { ...known, account };
  }
  const fresh: Context = {
    ...here,
    id: parseContextId(await freeSlug(tx, `${connector}-${workspace.id}-${here.id}`)),
    workspace: workspace.id,
    settings: here.settings.title === undefined ? {} : { title: here.settings.title },
    createdAt: deps.clock.nowMs(),
  };
  await tx.insert('context', fresh);
  return fresh;
}

function listText(context: Context, usable: readonly Workspace[]): string {
  const others = usable.filter((one) => one.id !== context.workspace).map((one) => one.id);
  return [
    `This talk is about ${context.workspace}.`,
    others.length === 0 ? 'You have a role in no other workspace.' : `You can choose: ${others.join(', ')}`,
  ].join('\n');
}

function noDirect(): AppError {
  return new AppError({
    code: 'context.direct.invalid',
    kind: 'invalid',
    message:
      'Only your own direct talk can be about another workspace. Send me /workspace as a direct message.',
  });
}

function unknown(wanted: string, usable: readonly Workspace[]): AppError {
  const known = usable.map((one) => one.id).join(', ');
  return new AppError({
    code: 'context.workspace.missing',
    kind: 'missing',
    message: `There is no workspace "${oneLine(wanted, 48)}" here, or you have no role in it.${known === '' ? '' : ` You can choose: ${known}`}`,
  });
}

function stillRuns(): AppError {
  return new AppError({
    code: 'context.direct.conflict',
    kind: 'conflict',
    message: 'Something still runs here. Wait for its answer or end it with /abort, then ask again.',
  });
}

function overtaken(): AppError {
  return new AppError({
    code: 'context.direct.conflict',
    kind: 'conflict',
    message: 'This talk has just changed. Ask again.',
  });
}
