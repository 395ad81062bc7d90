import {
  ADMIN_VERBS,
  AppError,
  covers,
  fromInstant,
  type Grant,
  type GrantRow,
  isAdminVerb,
  isApplianceWide,
  isAtLeast,
  isLive,
  oneLine,
  parseScope,
  principalKey,
  type Role,
  type Scope,
  type StoreReader,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, demand, EVERYTHING, type Viewer, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { endInvites, heldInvites } from './end-invites.ts';
import { findById, findUser, missing, namesOf } from './find.ts';
import { grantRow, requireNotAbove, requireOverlordLeft } from './people.ts';
import { revoke } from './revoke.ts';

/** Roles of people. Nobody gives or takes one above their own, and an overlord always remains. */
export const GRANT: AdminPart<'grant.list' | 'grant.who' | 'grant.add' | 'grant.rm'> = {
  'grant.list': async (deps, actor, { user }) => {
    const viewer = await viewerOf(deps, actor);
    const rows = await deps.store.read.find('identity_grant', {}, { orderBy: 'createdAt' });
    const visible = rows.filter((grant) => viewer.may('identity.read', grant.scope));
    if (visible.length === 0) await demand(deps, viewer, 'identity.read', EVERYTHING);
    const principal = user === undefined ? undefined : (await findUser(deps.store.read, user)).id;
    return toRows(
      deps.store.read,
      visible.filter((grant) => principal === undefined || grant.principal === principal),
    );
  },
  'grant.who': async (deps, actor, input) => {
    const scope = parseScope(input.scope);
    const viewer = await viewerOf(deps, actor);
    await demand(deps, viewer, 'identity.read', scope);
    // The rules already leave out people who left and tokens that ended.
    const live = viewer.rules.grants.filter(
      (grant) => isLive(grant, viewer.rules.nowMs) && covers(grant.scope, scope),
    );
    return toRows(deps.store.read, input.can === undefined ? live : thoseWho(live, input.can));
  },
  'grant.add': addGrant,
  'grant.rm': removeGrant,
};

/** Of these grants those that are enough for an admin verb. @throws AppError policy.verb.invalid */
function thoseWho(grants: readonly Grant[], verb: string): readonly Grant[] {
  if (!isAdminVerb(verb)) {
    throw new AppError({
      code: 'policy.verb.invalid',
      kind: 'invalid',
      message: `There is no act "${oneLine(verb, 40)}". There are: ${Object.keys(ADMIN_VERBS).join(', ')}.`,
    });
  }
  const { role } = ADMIN_VERBS[verb];
  return grants.filter(
    (grant) => isAtLeast(grant.role, role) && (!isApplianceWide(verb) || grant.scope.kind === 'all'),
  );
}

async function toRows(reader: StoreReader, grants: readonly Grant[]): Promise<{ items: GrantRow[] }> {
  const nameOf = await namesOf(reader);
  return { items: grants.map((grant) => grantRow(grant, nameOf)) };
}

async function addGrant(
  deps: AdminDeps,
  actor: Actor,
  input: {
    readonly user: string;
    readonly role: Role;
    readonly scope: string;
    readonly expires_at?: string | undefined;
  },
): Promise<GrantRow> {
  const scope = parseScope(input.scope);
  await demand(deps, await viewerOf(deps, actor), 'identity.set', scope);
  const user = await findUser(deps.store.read, input.user);
  const nowMs = deps.clock.nowMs();
  const expiresAt = input.expires_at === undefined ? undefined : fromInstant(input.expires_at);
  if (expiresAt !== undefined && expiresAt <= nowMs) throw inThePast();
  const grant: Grant = {
    id: deps.ids.make('grant'),
    principal: user.id,
    role: input.role,
    scope,
    grantedBy: principalKey(actor.principal),
    createdAt: nowMs,
    expiresAt,
  };
  await change(deps, actor, grantChange(grant, 'identity.grant'), async (tx, viewer) => {
    requireNotAbove(viewer, grant.role, scope);
    const fresh = await tx.get('identity_user', { id: user.id });
    if (fresh?.isActive !== true) throw hasLeft(user.name);
    await requireKnownPlace(tx, scope);
    await tx.insert('identity_grant', grant);
  });
  return grantRow(grant, await namesOf(deps.store.read));
}

async function removeGrant(deps: AdminDeps, actor: Actor, input: { readonly id: string }): Promise<GrantRow> {
  const viewer = await viewerOf(deps, actor);
  const grant = await findById(deps.held?.stored ?? deps.store.read, {
    table: 'identity_grant',
    noun: 'grant',
    text: input.id,
    isVisible: (row) => viewer.may('identity.read', row.scope),
  });
  const what = {
    ...grantChange(grant, 'identity.revoke'),
    principals: [grant.principal],
    holds: [
      { table: 'identity_grant', id: grant.id, change: 'gone' },
      ...(await heldInvites(deps.store.read)),
    ],
  } as const;
  const assertMayTake = async (reader: StoreReader, by: Viewer): Promise<void> => {
    requireNotAbove(by, grant.role, grant.scope);
    if (grant.role === 'overlord' && grant.scope.kind === 'all')
      await requireOverlordLeft(reader, { grant: grant.id });
  };
  await demand(deps, viewer, what.verb, what.target);
  await assertMayTake(deps.store.read, viewer);
  await revoke(deps, actor, what, async (tx, again) => {
    await assertMayTake(tx, again);
    if ((await tx.remove('identity_grant', { id: grant.id })) === 0) throw missing('grant', grant.id);
    await endInvites(tx);
  });
  return grantRow(grant, await namesOf(deps.store.read));
}

function grantChange(grant: Grant, action: 'identity.grant' | 'identity.revoke') {
  return {
    verb: 'identity.set',
    target: grant.scope,
    action,
    subject: grant.id,
    ...('workspace' in grant.scope ? { workspace: grant.scope.workspace } : {}),
    data: {
      principal: grant.principal,
      role: grant.role,
      scope: { ...grant.scope },
      expiresAt: grant.expiresAt ?? null,
    },
  } as const;
}

/** A role on a place that does not exist would come alive when someone makes it. @throws AppError admin.id.missing */
export async function requireKnownPlace(reader: StoreReader, scope: Scope): Promise<void> {
  // safe below: ids are only compared with ids in the tables
  if ('workspace' in scope && (await reader.get('workspace', { id: scope.workspace as never })) === undefined)
    throw missing('workspace', scope.workspace);
  if (scope.kind !== 'context') return;
  const context = await reader.get('context', {
    id: scope.context as never,
    workspace: scope.workspace as never,
  });
  if (context === undefined) throw missing('context', scope.context);
}

/** An end that has passed. */
export function inThePast(): AppError {
  return new AppError({
    code: 'identity.expiry.invalid',
    kind: 'invalid',
    message: 'This end lies in the past. Give a later one.',
  });
}

/** Who left gets nothing any more. */
export function hasLeft(name: string): AppError {
  return new AppError({
    code: 'identity.user.conflict',
    kind: 'conflict',
    message: `${name} has left; people who left get no roles.`,
  });
}
