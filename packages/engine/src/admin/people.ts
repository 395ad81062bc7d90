import {
  AppError,
  type ClientKey,
  formatScope,
  type Grant,
  type GrantRow,
  type HttpToken,
  type Identity,
  type IdentityRow,
  isAtLeast,
  isLive,
  type KeyRow,
  roleOfPrincipal,
  type Scope,
  type StoreReader,
  type TokenRow,
  toInstant,
  toInstantIf,
  type User,
  type UserDetail,
  type UserId,
  type UserRow,
} from '@agent-runtime/domain';
import type { Viewer } from './authorize.ts';
import { namesOf } from './find.ts';
import type { HeldRow } from './held.ts';

type NameOf = (key: string) => string;

export function userRow(user: User): UserRow {
  return {
    id: user.id,
    name: user.name,
    display_name: user.displayName,
    is_active: user.isActive,
    created_at: toInstant(user.createdAt),
  };
}

export function grantRow(grant: Grant, nameOf: NameOf): GrantRow {
  return {
    id: grant.id,
    principal: grant.principal,
    name: nameOf(grant.principal),
    role: grant.role,
    scope: formatScope(grant.scope),
    granted_by: nameOf(grant.grantedBy),
    expires_at: toInstantIf(grant.expiresAt),
  };
}

export function keyRow(key: ClientKey, nameOf: NameOf): KeyRow {
  return {
    id: key.id,
    user: nameOf(key.user),
    name: key.name,
    created_at: toInstant(key.createdAt),
    revoked_at: toInstantIf(key.revokedAt),
  };
}

export function identityRow(identity: Identity, nameOf: NameOf): IdentityRow {
  return {
    id: identity.id,
    connector: identity.connector,
    external_id: identity.externalId,
    user: nameOf(identity.user),
    display_name: identity.displayName,
    created_at: toInstant(identity.createdAt),
  };
}

export function tokenRow(token: HttpToken, grants: readonly Grant[], nameOf: NameOf): TokenRow {
  return {
    id: token.id,
    name: token.name,
    workspace: token.workspace,
    context: token.context,
    owner: nameOf(token.owner),
    role: grants.find((grant) => grant.principal === token.id)?.role,
    created_at: toInstant(token.createdAt),
    expires_at: toInstantIf(token.expiresAt),
    revoked_at: toInstantIf(token.revokedAt),
  };
}

export async function userDetail(reader: StoreReader, user: User): Promise<UserDetail> {
  const nameOf = await namesOf(reader);
  const grants = await reader.find('identity_grant', {});
  return {
    ...userRow(user),
    grants: grants.filter((grant) => grant.principal === user.id).map((grant) => grantRow(grant, nameOf)),
    keys: (await reader.find('identity_key', { user: user.id })).map((key) => keyRow(key, nameOf)),
    identities: (await reader.find('identity_link', { user: user.id })).map((link) =>
      identityRow(link, nameOf),
    ),
    tokens: (await reader.find('identity_token', { owner: user.id })).map((token) =>
      tokenRow(token, grants, nameOf),
    ),
  };
}

/** Every grant of a principal, as it reads once it is taken away. */
export async function heldGrants(reader: StoreReader, principal: string): Promise<readonly HeldRow[]> {
  const grants = await reader.find('identity_grant', { principal });
  return grants.map(({ id }) => ({ table: 'identity_grant', id, change: 'gone' }));
}

/**
 * Nobody gives, takes or borrows a role above their own.
 * @throws AppError identity.role.denied
 */
export function requireNotAbove(viewer: Viewer, role: Grant['role'], scope: Scope): void {
  const { grants, nowMs } = viewer.rules;
  const own = roleOfPrincipal(viewer.actor.principal, scope, grants, nowMs);
  if (isAtLeast(own, role)) return;
  throw new AppError({
    code: 'identity.role.denied',
    kind: 'denied',
    message: `Your role on ${formatScope(scope)} is ${own ?? 'none'}; you cannot give, take or use ${role}. An ${role} there can.`,
  });
}

/** The same for everything that a person holds: their keys and invites are worth their roles. */
export function requireNotAbovePerson(viewer: Viewer, person: UserId): void {
  if (viewer.actor.via === 'socket' || viewer.person === person) return;
  for (const grant of viewer.rules.grants)
    if (grant.principal === person && isLive(grant, viewer.rules.nowMs))
      requireNotAbove(viewer, grant.role, grant.scope);
}

/**
 * Keeps one lasting overlord of everything; with the last one gone nobody could ever give the role again.
 * @param without what is about to be taken away
 * @throws AppError identity.overlord.conflict
 */
export async function requireOverlordLeft(
  reader: StoreReader,
  without: { readonly user?: UserId; readonly grant?: Grant['id'] },
): Promise<void> {
  const active = new Set<string>(
    (await reader.find('identity_user', { isActive: true })).map((user) => user.id),
  );
  const left = (await reader.find('identity_grant', { role: 'overlord' })).filter(
    (grant) =>
      grant.scope.kind === 'all' &&
      grant.expiresAt === undefined &&
      active.has(grant.principal) &&
      grant.principal !== without.user &&
      grant.id !== without.grant,
  );
  if (left.length > 0) return;
  throw new AppError({
    code: 'identity.overlord.conflict',
    kind: 'conflict',
    message:
      'This is the last overlord. Make another person overlord first (`grant add --role overlord --scope "*"`).',
  });
}
