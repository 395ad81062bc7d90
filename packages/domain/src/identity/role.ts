/** The five roles, weakest first. Staff are operator and above. */
export const ROLES = ['viewer', 'member', 'operator', 'admin', 'overlord'] as const;
export type Role = (typeof ROLES)[number];

/** -1 for nobody, so that a comparison with any role fails. */
export function roleRank(role: Role | undefined): number {
  return role === undefined ? -1 : ROLES.indexOf(role);
}

export function isAtLeast(role: Role | undefined, needed: Role): boolean {
  // An unknown word as `needed` would rank with nobody, and everybody would reach it.
  return roleRank(needed) >= 0 && roleRank(role) >= roleRank(needed);
}

export function isStaff(role: Role | undefined): boolean {
  return isAtLeast(role, 'operator');
}

/** The weaker of two. */
export function minRole(a: Role | undefined, b: Role | undefined): Role | undefined {
  return roleRank(a) <= roleRank(b) ? a : b;
}

export function strongest(roles: Iterable<Role>): Role | undefined {
  let best: Role | undefined;
  for (const role of roles) if (roleRank(role) > roleRank(best)) best = role;
  return best;
}
