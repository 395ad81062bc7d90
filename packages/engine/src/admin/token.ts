import {
  AppError,
  type Context,
  fromInstant,
  type Grant,
  type HttpToken,
  parseContextId,
  personOf,
  principalKey,
  sha256,
  type TokenRow,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { freeSlug } from '../free-slug.ts';
import { change, demand, EVERYTHING, viewerOf, workspaceScope } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { findById, missing, namesOf } from './find.ts';
import { heldGrants, tokenRow } from './people.ts';
import { chosenWorkspace } from './place.ts';
import { revoke } from './revoke.ts';

const SECRET_BITS = 256;

interface NewToken {
  readonly name: string;
  readonly workspace?: string | undefined;
  readonly role: 'viewer' | 'member';
  readonly expires_at?: string | undefined;
}

/** HTTP tokens: each one principal, at most member, in one workspace, with a closed context of its own. */
export const TOKEN: AdminPart<'token.list' | 'token.create' | 'token.revoke'> = {
  'token.list': async (deps, actor) => {
    const viewer = await viewerOf(deps, actor);
    const rows = await deps.store.read.find(
      'identity_token',
      {},
      { orderBy: 'createdAt', direction: 'desc' },
    );
    const visible = rows.filter((token) => viewer.may('identity.read', workspaceScope(token.workspace)));
    if (visible.length === 0) await demandSomewhere(deps, actor);
    const grants = await deps.store.read.find('identity_grant', {});
    const nameOf = await namesOf(deps.store.read);
    return { items: visible.map((token) => tokenRow(token, grants, nameOf)) };
  },
  'token.create': createToken,
  'token.revoke': async (deps, actor, { id }) => {
    const viewer = await viewerOf(deps, actor);
    const token = await findById(deps.store.read, {
      table: 'identity_token',
      noun: 'token',
      text: id,
      isVisible: (row) => viewer.may('identity.read', workspaceScope(row.workspace)),
    });
    const revokedAt = deps.clock.nowMs();
    const what = {
      ...tokenChange(token),
      action: 'identity.revoke_token',
      principals: [token.id],
      holds: [
        { table: 'identity_token', id: token.id, change: { revokedAt } },
        ...(await heldGrants(deps.store.read, token.id)),
      ],
    } as const;
    await revoke(deps, actor, what, async (tx) => {
      const changed = await tx.update(
        'identity_token',
        { id: token.id, revokedAt: { isNull: true } },
        { revokedAt },
      );
      if (changed === 0) throw alreadyRevoked(token);
      await tx.remove('identity_grant', { principal: token.id });
    });
    return tokenRow({ ...token, revokedAt }, [], await namesOf(deps.store.read));
  },
};

/** An empty list is an answer only for people who may see tokens somewhere. */
async function demandSomewhere(deps: AdminDeps, actor: Actor): Promise<void> {
  const viewer = await viewerOf(deps, actor);
  const workspaces = await deps.store.read.find('workspace', {});
  if (workspaces.some((workspace) => viewer.may('identity.read', workspaceScope(workspace.id)))) return;
  await demand(deps, viewer, 'identity.read', EVERYTHING);
}

async function createToken(
  deps: AdminDeps,
  actor: Actor,
  input: NewToken,
): Promise<TokenRow & { secret: string }> {
  const viewer = await viewerOf(deps, actor);
  const workspace = await chosenWorkspace(deps.store.read, viewer, 'workspace.read', input.workspace);
  const owner = personOf(actor.principal);
  if (owner === undefined) throw missing('user', '');
  const nowMs = deps.clock.nowMs();
  const expiresAt = input.expires_at === undefined ? undefined : fromInstant(input.expires_at);
  if (expiresAt !== undefined && expiresAt <= nowMs) throw inThePast();
  const secret = `art_${deps.ids.secret(SECRET_BITS)}`;
  const id = deps.ids.make('token');
  const context: Context = {
    id: parseContextId(await freeSlug(deps.store.read, `http-${input.name}`)),
    workspace: workspace.id,
    kind: 'http',
    openness: 'closed',
    ...deps.doors.http,
    channel: id,
    owner,
    settings: { title: input.name },
    createdAt: nowMs,
  };
  const token: HttpToken = {
    id,
    name: input.name,
    secretHash: sha256(secret),
    workspace: workspace.id,
    context: context.id,
    owner,
    createdAt: nowMs,
    expiresAt,
  };
  const grant: Grant = {
    id: deps.ids.make('grant'),
    principal: id,
    role: input.role,
    scope: workspaceScope(workspace.id),
    grantedBy: principalKey(actor.principal),
    createdAt: nowMs,
    expiresAt,
  };
  const what = { ...tokenChange(token), action: 'identity.create_token' } as const;
  await change(deps, actor, what, async (tx) => {
    if ((await tx.get('context', { id: context.id })) !== undefined) throw contextTaken(context.id);
    await tx.insert('context', context);
    await tx.insert('identity_token', token);
    await tx.insert('identity_grant', grant);
  });
  await deps.configFiles.saveContext(context);
  return { ...tokenRow(token, [grant], await namesOf(deps.store.read)), secret };
}

function tokenChange(token: HttpToken) {
  return {
    verb: 'identity.set',
    target: workspaceScope(token.workspace),
    subject: token.id,
    workspace: token.workspace,
    context: token.context,
    data: { name: token.name, owner: token.owner, expiresAt: token.expiresAt ?? null },
  } as const;
}

function inThePast(): AppError {
  return new AppError({
    code: 'identity.expiry.invalid',
    kind: 'invalid',
    message: 'This end lies in the past. Give a later one.',
  });
}

function alreadyRevoked(token: HttpToken): AppError {
  return new AppError({
    code: 'identity.token.conflict',
    kind: 'conflict',
    message: `${token.id} was already revoked.`,
  });
}

function contextTaken(id: string): AppError {
  return new AppError({
    code: 'context.name.conflict',
    kind: 'conflict',
    message: `The name "${id}" was taken a moment ago. Run the command again.`,
  });
}
