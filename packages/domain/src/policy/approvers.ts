import type { UserId } from '../base/index.ts';
import type { Context } from '../context/index.ts';
import { isAtLeast, type Role, roleOf } from '../identity/index.ts';
import { scopeOf } from './decide-task.ts';
import type { PolicyRules } from './request.ts';

/** People who hold at least this role in the context now, without the one who asks. Tokens and services are no people. */
export function countApprovers(
  context: Context,
  needed: Role,
  rules: PolicyRules,
  requester: UserId | undefined,
): number {
  const people = new Set(
    rules.grants
      .map((grant) => grant.principal)
      .filter((key) => key.startsWith('user_') && key !== requester)
      .filter((key) => isAtLeast(roleOf(key, scopeOf(context), rules.grants, rules.nowMs), needed)),
  );
  return people.size;
}
