import { isAtLeast, roleOfPrincipal } from '../identity/index.ts';
import { ADMIN_VERBS, isAdminVerb, isApplianceWide } from './admin.ts';
import { type Decision, deny, permit } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type AdminRequest = Extract<PolicyRequest, { action: 'admin' }>;

/** Class A: a signed request of a person with the role; a few verbs from the local socket or by staff in chat; never a model. */
export function decideAdmin(request: AdminRequest, rules: PolicyRules): Decision {
  const { verb, via, principal } = request;
  if (!isAdminVerb(verb)) return deny('policy.unknown', 'Denied: nothing is known of this act.');
  if (via === 'model') return deny('policy.admin', 'Denied: a model can never do this.');
  const rule = ADMIN_VERBS[verb];
  const also: readonly string[] = rule.also;
  if (via === 'socket' || via === 'network') {
    return also.includes(via)
      ? permit(via === 'socket' ? 'policy.socket' : 'policy.network', 'This may be asked unsigned here.')
      : deny('policy.signed', 'This needs a signed request. Run the command line as an enrolled person.');
  }
  if (principal.kind !== 'user') return deny('policy.person', 'Denied: only a person can do this.');
  if (via === 'chat' && !also.includes('chat'))
    return deny('policy.signed', 'This cannot be done from chat. Use the command line.');
  if (via !== 'chat' && via !== 'signed')
    return deny('policy.signed', 'This needs a signed request. Run the command line as an enrolled person.');
  // One's own certificate, by one's own key: no role is needed for what one has already.
  if (verb === 'identity.renew')
    return permit('policy.own', 'A person may renew the certificate of the key that signs.');
  if (isApplianceWide(verb) && request.target.kind !== 'all')
    return deny('policy.scope', `${verb} concerns the whole appliance, not one place.`);
  const role = roleOfPrincipal(principal, request.target, rules.grants, rules.nowMs);
  if (!isAtLeast(role, rule.role))
    return deny('policy.role', `${verb} needs the role ${rule.role}. An admin can grant it (\`grant add\`).`);
  return permit('policy.role', `The role ${role ?? ''} may do this.`);
}
