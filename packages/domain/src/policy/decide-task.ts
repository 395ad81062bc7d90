import type { Context } from '../context/index.ts';
import { clearanceOf } from '../context/index.ts';
import { isAtLeast, type Role, roleOfPrincipal, type Scope } from '../identity/index.ts';
import { type Decision, deny, permit } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type Of<A extends PolicyRequest['action']> = Extract<PolicyRequest, { action: A }>;

/** Said where nobody has bound anything yet. */
export const UNBOUND =
  'This channel is not bound to a workspace yet. An operator can bind it (`context bind`).';

/** The scope of a context, for grants. */
export function scopeOf(context: Context): Scope {
  return { kind: 'context', workspace: context.workspace, context: context.id };
}

/** Role of the asker where it happens. */
export function roleHere(
  principal: Parameters<typeof roleOfPrincipal>[0],
  context: Context,
  rules: PolicyRules,
): Role | undefined {
  return roleOfPrincipal(principal, scopeOf(context), rules.grants, rules.nowMs);
}

/** What stops everything that acts. Compared with `false`: a switch that cannot be read counts as thrown. */
export function stopped(rules: PolicyRules): Decision | undefined {
  if (rules.isPanicOn !== false)
    return deny(
      'policy.panic',
      'Everything is stopped: panic is on. An admin can end it with a signed `panic off`.',
    );
  if (rules.isGateClosed !== false)
    return deny(
      'policy.gate',
      'Nothing runs until an admin has reviewed the restore and opened the gate (`gate open`).',
    );
  return undefined;
}

/** May this person, token, service or guest start a run here? */
export function decideTask(request: Of<'task.create'>, rules: PolicyRules): Decision {
  const halt = stopped(rules);
  if (halt !== undefined) return halt;
  const { context, settings } = rules;
  if (context === undefined || settings === undefined) {
    return deny('policy.unbound', UNBOUND);
  }
  if (request.isAddressed !== true) return deny('policy.unaddressed', 'Not addressed to the assistant.');
  const { principal } = request;
  if (principal.kind === 'guest') {
    if (settings.guests !== 'ask')
      return deny(
        'policy.guest',
        'You are not paired here. Send the direct message "pair" and ask an admin to approve the code.',
      );
    if (request.door !== 'chat') return deny('policy.guest', 'Guests may only ask in chat.');
    return permit('policy.guest-ask', 'Guests may ask here; the text counts as outside text.', {
      kind: 'guest',
    });
  }
  const role = roleHere(principal, context, rules);
  if (!isAtLeast(role, 'member')) {
    return deny(
      'policy.role',
      `Starting work here needs the role member. An admin can grant it (\`grant add\`) for ${context.workspace}/${context.id}.`,
    );
  }
  return permit('policy.member', `The role ${role ?? ''} may start work here.`);
}

/** May this principal read and search here at all? Each item is checked against the label filter afterwards. */
export function decideRead(request: Of<'workspace.read'>, rules: PolicyRules): Decision {
  const { context } = rules;
  if (context === undefined) return deny('policy.unbound', 'This place is not bound to a workspace yet.');
  const role = roleHere(request.principal, context, rules);
  if (!isAtLeast(role, 'viewer'))
    return deny('policy.role', 'Reading here needs the role viewer. An admin can grant it (`grant add`).');
  return permit('policy.viewer', `The role ${role ?? ''} may read what belongs here.`, {
    kind: 'filter',
    clearance: clearanceOf(context),
  });
}
