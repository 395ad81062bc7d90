import type { ContextId, GrantId, TokenId, UserId, WorkspaceId } from '../base/index.ts';
import { isAtLeast, minRole, type Role, strongest } from './role.ts';
import { covers, type Scope } from './scope.ts';

/** Who acts. Tokens and services have an owning user: for separation of duties people are compared, not principals. */
export type Principal =
  | { readonly kind: 'user'; readonly user: UserId }
  | {
      readonly kind: 'token';
      readonly token: TokenId;
      readonly owner: UserId;
      readonly workspace: WorkspaceId;
    }
  | { readonly kind: 'service'; readonly context: ContextId; readonly owner: UserId }
  | { readonly kind: 'guest'; readonly connector: string; readonly sender: string };

/** A person known to the appliance. */
export interface User {
  readonly id: UserId;
  /** Short unique name, a slug; what people type. */
  readonly name: string;
  readonly displayName: string;
  readonly isActive: boolean;
  readonly createdAt: number;
}

/** principal + role + scope + expiry. `principal` is a principal key, see `principalKey`. */
export interface Grant {
  readonly id: GrantId;
  readonly principal: string;
  readonly role: Role;
  readonly scope: Scope;
  readonly grantedBy: string;
  readonly createdAt: number;
  /** Epoch ms; undefined: until removed. */
  readonly expiresAt?: number | undefined;
}

/** One string per principal: `user_…`, `tokn_…`, `service:<context>`, `guest:<connector>:<sender>`. */
export function principalKey(principal: Principal): string {
  switch (principal.kind) {
    case 'user':
      return principal.user;
    case 'token':
      return principal.token;
    case 'service':
      return `service:${principal.context}`;
    case 'guest':
      return `guest:${principal.connector}:${principal.sender}`;
    default: {
      const never: never = principal;
      return never;
    }
  }
}

/** The person behind a principal; a guest is nobody. */
export function personOf(principal: Principal): UserId | undefined {
  switch (principal.kind) {
    case 'user':
      return principal.user;
    case 'token':
    case 'service':
      return principal.owner;
    case 'guest':
      return undefined;
    default: {
      const never: never = principal;
      return never;
    }
  }
}

export function isLive(grant: Grant, nowMs: number): boolean {
  return grant.expiresAt === undefined || nowMs < grant.expiresAt;
}

/** Strongest live role of a principal key on a target. */
export function roleOf(
  key: string,
  target: Scope,
  grants: readonly Grant[],
  nowMs: number,
): Role | undefined {
  return strongest(
    grants
      .filter((grant) => grant.principal === key && isLive(grant, nowMs) && covers(grant.scope, target))
      .map((grant) => grant.role),
  );
}

/**
 * Role with which a principal acts on a target. A token is one principal, at most member, in one workspace, and never above
 * its owner; a service acts in its own context alone, at most as member, for as long as its owner is one (the owner's own roles count only
 * for the owner's commands and approvals); a guest has none.
 */
export function roleOfPrincipal(
  principal: Principal,
  target: Scope,
  grants: readonly Grant[],
  nowMs: number,
): Role | undefined {
  switch (principal.kind) {
    case 'user':
      return roleOf(principal.user, target, grants, nowMs);
    case 'token': {
      if (!('workspace' in target) || target.workspace !== principal.workspace) return undefined;
      const owner = roleOf(principal.owner, target, grants, nowMs);
      return isAtLeast(owner, 'member')
        ? minRole(roleOf(principal.token, target, grants, nowMs), 'member')
        : undefined;
    }
    case 'service':
      return target.kind === 'context' && target.context === principal.context
        ? minRole(roleOf(principal.owner, target, grants, nowMs), 'member')
        : undefined;
    case 'guest':
      return undefined;
    default: {
      const never: never = principal;
      return never;
    }
  }
}
