import {
  AppError,
  type Context,
  covers,
  type Grant,
  isAtLeast,
  isSlug,
  type Pairing,
  parseContextId,
  parseWorkspaceId,
  principalKey,
  type StoreReader,
  type StoreTx,
  type User,
  type Where,
  type Workspace,
  type WorkspaceId,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { freeSlug } from '../free-slug.ts';
import { retiredAccount } from '../retired.ts';
import { signedFacts } from '../signed-facts.ts';
import { workspaceScope } from './authorize.ts';
import type { AdminDeps } from './deps.ts';
import type { HeldRow } from './held.ts';

/** What is needed to give a person's direct talk its place. */
export interface DirectInput {
  readonly actor: Actor;
  readonly user: User;
  readonly pairing: Pairing;
}

/** Where a direct talk answers from. `workspace` only when it was made just now, for its settings file. */
export interface DirectPlace {
  readonly context: Context;
  readonly workspace?: Workspace | undefined;
}

/**
 * Binds the talk in which the code was asked for to the person's private workspace, which is made when there is none. A talk that staff
 * have bound elsewhere before stays there.
 * @throws AppError context.channel.conflict when it is the direct talk of somebody else
 */
export async function bindDirect(deps: AdminDeps, tx: StoreTx, input: DirectInput): Promise<DirectPlace> {
  const { user, pairing } = input;
  const { connector, account, channel } = pairing;
  const bound = await tx.get('context', { connector, account, channel });
  if (bound !== undefined) {
    if (bound.directWith !== undefined && bound.directWith !== user.id) throw ofSomebodyElse();
    return { context: bound };
  }
  const { workspace, isNew } = await privateWorkspace(deps, tx, input);
  const context =
    (await revived(tx, input, workspace.id)) ?? (await makeDirect(deps, tx, input, workspace.id));
  tx.audit({
    action: 'context.bind',
    actor: principalKey(input.actor.principal),
    subject: context.id,
    workspace: context.workspace,
    context: context.id,
    data: { connector, account, channel, directWith: user.id, ...signedFacts(input.actor) },
  });
  return { context, workspace: isNew ? workspace : undefined };
}

/** The same talk of the same person once more: what was said there is still theirs. */
async function revived(
  tx: StoreTx,
  { user, pairing }: DirectInput,
  workspace: WorkspaceId,
): Promise<Context | undefined> {
  const { connector, account, channel } = pairing;
  const talks = await tx.find('context', { connector, channel, directWith: user.id, workspace });
  const retired = talks.find((one) => one.account === retiredAccount(one));
  if (retired === undefined) return undefined;
  await tx.update('context', { id: retired.id }, { account });
  return { ...retired, account };
}

async function makeDirect(
  deps: AdminDeps,
  tx: StoreTx,
  { user, pairing }: DirectInput,
  workspace: WorkspaceId,
): Promise<Context> {
  const { connector, account, channel } = pairing;
  const context: Context = {
    id: parseContextId(await freeSlug(tx, `${connector}-direct-${user.name}`)),
    workspace,
    kind: 'direct',
    openness: 'closed',
    connector,
    account,
    channel,
    directWith: user.id,
    owner: user.id,
    settings: { title: `Direct talk with ${user.name}` },
    createdAt: deps.clock.nowMs(),
  };
  await tx.insert('context', context);
  return context;
}

/** The person's own workspace, and the role that lets them work in it for as long as they stay. */
async function privateWorkspace(
  deps: AdminDeps,
  tx: StoreTx,
  { actor, user }: DirectInput,
): Promise<{ readonly workspace: Workspace; readonly isNew: boolean }> {
  const [known] = await tx.find(
    'workspace',
    { owner: user.id, kind: 'private' },
    { orderBy: 'createdAt', limit: 1 },
  );
  const workspace: Workspace = known ?? {
    id: await freeWorkspace(tx, user),
    title: `Private to ${user.name}`,
    kind: 'private',
    owner: user.id,
    outsideEdits: 'staff',
    settings: {},
    createdAt: deps.clock.nowMs(),
  };
  const by = principalKey(actor.principal);
  if (known === undefined) {
    await tx.insert('workspace', workspace);
    tx.audit({
      action: 'workspace.create',
      actor: by,
      subject: workspace.id,
      workspace: workspace.id,
      data: { kind: workspace.kind, owner: user.id, ...signedFacts(actor) },
    });
  }
  const grants = await tx.find('identity_grant', { principal: user.id });
  if (!grants.some((grant) => isLasting(grant, workspace.id))) {
    const grant: Grant = {
      id: deps.ids.make('grant'),
      principal: user.id,
      role: 'member',
      scope: workspaceScope(workspace.id),
      grantedBy: by,
      createdAt: deps.clock.nowMs(),
    };
    await tx.insert('identity_grant', grant);
    tx.audit(grantAudit(grant, actor));
  }
  return { workspace, isNew: known === undefined };
}

function isLasting(grant: Grant, workspace: WorkspaceId): boolean {
  return (
    grant.expiresAt === undefined &&
    isAtLeast(grant.role, 'member') &&
    covers(grant.scope, workspaceScope(workspace))
  );
}

/** The event of a grant that is given inside another act. */
export function grantAudit(grant: Grant, actor: Actor) {
  return {
    action: 'identity.grant',
    actor: grant.grantedBy,
    subject: grant.id,
    ...('workspace' in grant.scope ? { workspace: grant.scope.workspace } : {}),
    data: {
      principal: grant.principal,
      role: grant.role,
      scope: { ...grant.scope },
      expiresAt: grant.expiresAt ?? null,
      ...signedFacts(actor),
    },
  };
}

async function freeWorkspace(reader: StoreReader, user: User): Promise<WorkspaceId> {
  const plain = `private-${user.name}`;
  const isFree =
    isSlug(plain) && (await reader.get('workspace', { id: parseWorkspaceId(plain) })) === undefined;
  return parseWorkspaceId(isFree ? plain : `private-${user.id.slice('user_'.length)}`);
}

/**
 * Takes direct talks off their channels: what arrives there is a stranger's again, and what was on its way there is refused at settle,
 * because an answer only goes where its context is. The texts stay with their person.
 * @returns the contexts as they are now, for their settings files
 */
export async function retireDirect(tx: StoreTx, which: DirectTalks): Promise<readonly Context[]> {
  const retired = await retiredTalks(tx, which);
  for (const { id, account } of retired) await tx.update('context', { id }, { account });
  return retired;
}

/** Of one link (none when it has no talk), or of a person. */
export type DirectTalks = { readonly id: Context['id'] | undefined } | { readonly directWith: User['id'] };

/** The same where nothing can be written. */
export async function heldTalks(reader: StoreReader, which: DirectTalks): Promise<readonly HeldRow[]> {
  const retired = await retiredTalks(reader, which);
  return retired.map(({ id, account }) => ({ table: 'context', id, change: { account } }));
}

/** Also those that are retired already: a retirement that was held is written as a fresh one is. */
async function retiredTalks(reader: StoreReader, which: DirectTalks): Promise<readonly Context[]> {
  const where = 'id' in which ? { id: which.id } : which;
  if ('id' in where && where.id === undefined) return [];
  const found = await reader.find('context', where as Where<Context>); // safe: its id was looked at
  return found
    .filter((one) => one.directWith !== undefined)
    .map((one) => ({ ...one, account: retiredAccount(one) }));
}

function ofSomebodyElse(): AppError {
  return new AppError({
    code: 'context.channel.conflict',
    kind: 'conflict',
    message:
      'This direct talk belongs to another person. Unlink their account first (`identity list`, `identity unlink`).',
  });
}
