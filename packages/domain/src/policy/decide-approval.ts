import type { Approval } from '../approval/index.ts';
import type { Context } from '../context/index.ts';
import { isAtLeast, isStaff, personOf, principalKey } from '../identity/index.ts';
import { countApprovers } from './approvers.ts';
import { roleHere, stopped } from './decide-task.ts';
import { type Decision, deny, permit } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type Of<A extends PolicyRequest['action']> = Extract<PolicyRequest, { action: A }>;

/** Approvals that one person may give by chat in a day, unless the appliance says otherwise; more need the signed path. */
export const CHAT_GRANTS_PER_DAY = 50;

/** May this person answer that question, by this way? */
export function decideApproval(
  request: Of<'approval.grant' | 'approval.deny' | 'approval.release'>,
  rules: PolicyRules,
): Decision {
  const { approval, principal } = request;
  const person = personOf(principal);
  if (principal.kind !== 'user' || person === undefined)
    return deny('policy.person', 'Only a person can answer. Tokens, guests and services cannot.');
  const { context } = rules;
  if (context === undefined || context.id !== approval.context || context.workspace !== approval.workspace)
    return deny('policy.unbound', 'Denied: the context of this question is gone.');
  if (request.action === 'approval.release') {
    return approval.releasers.includes(person)
      ? permit('policy.release', 'It is your own text to release.')
      : deny('policy.release', 'Denied: it holds no private text of yours.');
  }
  const role = roleHere(principal, context, rules);
  if (!isStaff(role))
    return deny(
      'policy.role',
      `Answering ${approval.id} needs an operator or above here. The person who asked can withdraw it.`,
    );
  if (request.action === 'approval.deny') return permit('policy.staff', 'Staff may say no.');
  const halt = stopped(rules);
  if (halt !== undefined) return halt;
  if (request.effectClass === 'A')
    return deny('policy.admin', 'Denied: admin acts are never approved, only signed.');
  if (!isAtLeast(role, approval.approverRole))
    return deny('policy.role', `Approving ${approval.id} needs the role ${approval.approverRole}.`);
  if (request.via !== 'chat' && request.via !== 'signed' && request.via !== 'standing')
    return deny('policy.signed', 'Denied: it is not known which way this answer came.');
  if (request.via === 'chat' && approval.tier !== 'low' && approval.tier !== 'medium') {
    return deny(
      'policy.signed',
      `${approval.id} is of tier high: approve it with your key (\`agent-runtime approval approve ${approval.id}\`).`,
    );
  }
  const most = rules.chatGrantsPerDay ?? CHAT_GRANTS_PER_DAY;
  if (request.via === 'chat' && !(request.chatGrantsToday < most)) {
    return deny(
      'policy.cap',
      'You have given all the approvals that chat allows in a day. Use the command line.',
    );
  }
  if (approval.requesterPerson === person && mustOthersApprove(approval, context, rules)) {
    return deny('policy.separation', 'Denied: where several must approve, the requester is not one of them.');
  }
  return permit('policy.staff', `The role ${role ?? ''} may approve it.`);
}

/**
 * Where policy wants several approvers, the requester is none of them. Without anybody else who could approve there is nobody to
 * wait for: a single admin stays able to work.
 */
function mustOthersApprove(approval: Approval, context: Context, rules: PolicyRules): boolean {
  if (!(approval.needed <= 1)) return true;
  const isWanted = approval.tier === 'high' && (rules.settings?.approversForHigh ?? 1) > 1;
  return isWanted && countApprovers(context, approval.approverRole, rules, approval.requesterPerson) > 0;
}

/** The requester may always take a request back; staff may deny instead. */
export function decideWithdraw(request: Of<'approval.withdraw'>, _rules: PolicyRules): Decision {
  const { approval, principal } = request;
  const person = personOf(principal);
  const isOwnPlace = principal.kind !== 'token' || principal.workspace === approval.workspace;
  if (person !== undefined && person === approval.requesterPerson && isOwnPlace)
    return permit('policy.requester', 'Your own request.');
  return deny('policy.requester', 'Only the person who asked can withdraw it. An operator can deny it.');
}

/** Abort and retry: the requester or staff. Steer: the same sender only. Abort works under panic and behind the gate. */
export function decideAbort(
  request: Of<'run.abort' | 'run.retry' | 'run.steer'>,
  rules: PolicyRules,
): Decision {
  const isSame = principalKey(request.principal) === principalKey(request.requester);
  const person = personOf(request.principal);
  const isOwner =
    person !== undefined && request.principal.kind === 'user' && person === personOf(request.requester);
  const halt = request.action === 'run.abort' ? undefined : stopped(rules);
  if (halt !== undefined) return halt;
  const role = rules.context === undefined ? undefined : roleHere(request.principal, rules.context, rules);
  if (request.action === 'run.steer') {
    const isGuestWelcome = request.principal.kind === 'guest' && rules.settings?.guests === 'ask';
    return isSame && (isGuestWelcome || isAtLeast(role, 'member'))
      ? permit('policy.sender', 'Your own task.')
      : deny('policy.sender', 'Only the person who started a task can steer it.');
  }
  if (isSame || isOwner) {
    if (request.action === 'run.abort' || isAtLeast(role, 'member'))
      return permit('policy.requester', 'Your own task.');
  }
  if (isStaff(role)) return permit('policy.staff', `The role ${role ?? ''} may do this.`);
  return deny('policy.role', 'Only the person who started it or an operator can do this.');
}
