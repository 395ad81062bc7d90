import { isStaff, personOf, principalKey } from '../identity/index.ts';
import { roleHere } from './decide-task.ts';
import { type Decision, deny, permit } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type RunRead = Extract<PolicyRequest, { action: 'run.read' }>;

/**
 * Who may look at a run: who asked for it, the person whose token or context asked, and staff of the place. A token sees its own
 * runs and no others, also not its owner's. Whether the output is shown is a question of its label on top of this.
 */
export function decideRunRead(request: RunRead, rules: PolicyRules): Decision {
  const { principal, requester } = request;
  if (principalKey(principal) === principalKey(requester)) return permit('policy.requester', 'Your own run.');
  if (principal.kind !== 'user') return deny('policy.requester', 'Only its own runs are visible to it.');
  if (requester.kind !== 'guest' && personOf(requester) === principal.user)
    return permit('policy.requester', 'A run of your own token or context.');
  const role = rules.context === undefined ? undefined : roleHere(principal, rules.context, rules);
  return isStaff(role)
    ? permit('policy.staff', `The role ${role ?? ''} may look at work here.`)
    : deny('policy.role', 'Only the person who started it or an operator can look at it.');
}
