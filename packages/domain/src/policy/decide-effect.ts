import { type Approval, grantersOf, isExpired, missingReleases } from '../approval/index.ts';
import { type Context, clearanceOf } from '../context/index.ts';
import { type Effect, effectDigest } from '../effect/index.ts';
import { clearanceOfHub, HUB_CARD, HUB_MIRROR, type Hub, isHubPlace } from '../hub/index.ts';
import { isAtLeast, type Principal, roleOf } from '../identity/index.ts';
import { canFlow, isLabel, privateUsersOf, workspacesOf } from '../label/index.ts';
import { roleHere, scopeOf, stopped } from './decide-task.ts';
import { type Decision, deny, permit } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type Of<A extends PolicyRequest['action']> = Extract<PolicyRequest, { action: A }>;

/** Decided again right before it is performed: rights, panic, gate, digest and approval are all looked at afresh. */
export function decidePerform(request: Of<'effect.perform'>, rules: PolicyRules): Decision {
  const halt = stopped(rules);
  if (halt !== undefined) return halt;
  const { effect } = request;
  const { context } = rules;
  if (context === undefined || context.id !== effect.context || context.workspace !== effect.workspace) {
    return deny('policy.unbound', 'Denied: the context of this effect is gone.');
  }
  if (effect.state !== 'approved' && effect.state !== 'performing')
    return deny('policy.state', `Denied: it is ${effect.state}.`);
  if (!isLabel(effect.label)) return deny('policy.label', 'Denied: it has no label.');
  if (effectDigest(effect) !== effect.digest)
    return deny('policy.digest', 'Denied: the stored bytes are not the ones that were shown.');
  if (effect.expiresAt !== undefined && !(rules.nowMs < effect.expiresAt))
    return deny('policy.expired', 'Denied: it has expired.');
  if (request.isToolGranted !== true)
    return deny('policy.tool', 'Denied: the context no longer allows what made this.');
  // Whose talk is mirrored may be nobody in the place of the hub; what counts there is that they agreed.
  if (!isMirror(effect) && !mayStillAct(effect.requester, rules))
    return deny('policy.role', 'Denied: the person who asked for it no longer has the role.');
  // A hub is told about all the workspaces that it is cleared for.
  if (!isForHub(effect) && workspacesOf(effect.label).some((name) => name !== effect.workspace))
    return deny('policy.foreign', 'Denied: it holds something of another workspace.');
  return byClass(request, rules, context);
}

function byClass(request: Of<'effect.perform'>, rules: PolicyRules, context: Context): Decision {
  const { effect } = request;
  switch (effect.class) {
    case 'E0':
      if (isMirror(effect) && request.isMirrorAgreed !== true)
        return deny('policy.hub', 'Denied: nobody has agreed that this talk is shown in the admin hub.');
      return isForHub(effect) ? decideCard(effect, context, request.hub) : decideOrigin(effect, context);
    case 'A':
      return deny('policy.admin', 'Denied: never from a model.');
    case 'E1':
    case 'W2':
    case 'K':
      // These are always asked: a row that says otherwise was changed by somebody, and nothing in it is believed.
      return effect.decision === 'ask'
        ? byApproval(request, rules, context)
        : deny('policy.external', 'Denied: what leaves, steers or runs needs an approval.');
    case 'R':
    case 'W0':
    case 'W1':
    case 'F':
      return effect.decision === 'permit'
        ? permit('policy.permitted', 'It was permitted when made and still is.')
        : byApproval(request, rules, context);
    default:
      return deny('policy.class', 'Denied: nothing is known of this class.');
  }
}

function isForHub(effect: Effect): boolean {
  return effect.class === 'E0' && (effect.kind === HUB_CARD || isMirror(effect));
}

function isMirror(effect: Effect): boolean {
  return effect.class === 'E0' && effect.kind === HUB_MIRROR;
}

/** A card, or a mirrored text, goes to the place that is the admin hub now, with what that hub is cleared for now. */
function decideCard(effect: Effect, context: Context, hub: Hub | undefined): Decision {
  if (hub === undefined || !isHubPlace(hub, context) || !isSink(effect, context))
    return deny('policy.hub', 'Denied: this place is not the admin hub.');
  return canFlow(effect.label, clearanceOfHub(hub, context))
    ? permit('policy.hub', 'The admin hub is cleared for it.')
    : deny('policy.flow', 'Denied: the text belongs to people who do not read here.');
}

/** An answer goes to the place where the question was asked, and nowhere else. */
function decideOrigin(effect: Effect, context: Context): Decision {
  if (!isSink(effect, context))
    return deny('policy.sink', 'Denied: an answer only goes back to where the question came from.');
  return canFlow(effect.label, clearanceOf(context))
    ? permit('policy.origin', 'It goes back to where it came from.')
    : deny('policy.flow', 'Denied: the text belongs to people who do not read here.');
}

function isSink({ sink }: Effect, context: Context): boolean {
  return (
    sink.connector === context.connector &&
    sink.account === context.account &&
    sink.address === context.channel
  );
}

function byApproval(request: Of<'effect.perform'>, rules: PolicyRules, context: Context): Decision {
  const { effect, approval } = request;
  if (approval === undefined || approval.effect !== effect.id || effect.approval !== approval.id) {
    return deny('policy.approval', 'Denied: nobody has approved this.');
  }
  if (approval.state !== 'granted')
    return deny('policy.approval', `Denied: its approval is ${approval.state}.`);
  if (approval.digest !== effect.digest)
    return deny('policy.digest', 'Denied: the approval is for other bytes.');
  if (isExpired(approval, rules.nowMs)) return deny('policy.expired', 'Denied: its approval has expired.');
  if (!isReleased(effect, approval))
    return deny('policy.release', 'Denied: it holds private text that its owner has not released.');
  const entitled = grantersOf(approval).filter((person) =>
    isAtLeast(roleOf(person, scopeOf(context), rules.grants, rules.nowMs), approval.approverRole),
  );
  if (!(entitled.length >= Math.max(1, approval.needed)))
    return deny('policy.approver', 'Denied: who approved it no longer has the role.');
  return permit('policy.approved', `Approved by ${entitled.join(', ')}.`);
}

/**
 * Everyone who was to release exactly these bytes did. For what leaves, the effect's own label says who that is, not only the
 * list that the approval carries.
 */
function isReleased(effect: Effect, approval: Approval): boolean {
  const owners = effect.class === 'E1' ? privateUsersOf(effect.label) : [];
  return missingReleases({ ...approval, releasers: [...approval.releasers, ...owners] }).length === 0;
}

function mayStillAct(requester: Principal, rules: PolicyRules): boolean {
  if (rules.context === undefined) return false;
  if (requester.kind === 'guest') return rules.settings?.guests === 'ask';
  return isAtLeast(roleHere(requester, rules.context, rules), 'member');
}

/** May this text be shown to the people of the origin? Used for every frame, card, notice and error. */
export function decideShow(request: Of<'effect.show'>, rules: PolicyRules): Decision {
  if (rules.context === undefined) return deny('policy.unbound', 'Denied: no context.');
  if (!isLabel(request.label)) return deny('policy.label', 'Denied: the text has no label.');
  if (request.class !== 'E0') return deny('policy.class', 'Denied: only an answer to the origin is shown.');
  return canFlow(request.label, clearanceOf(rules.context))
    ? permit('policy.origin', 'It goes back to where it came from.')
    : deny('policy.flow', 'Denied: the text belongs to people who do not read here.');
}
