import {
  AppError,
  type Context,
  clearanceOfHub,
  ctxTag,
  type Effect,
  type Grant,
  HUB_MIRROR,
  type Identity,
  isLive,
  isStaff,
  join,
  type Label,
  makeLabel,
  mayHubSee,
  mirrorLabel,
  type PolicyRules,
  type StoreReader,
  type StoreTx,
  type UserId,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { connectorOf, replyEffect } from '../effect/reply.ts';
import { policyRules } from '../effect/rules.ts';

/** One thing said in a direct talk. */
export interface Spoken {
  /** `in`: by whose talk it is · `out`: by the assistant or the appliance. */
  readonly direction: 'in' | 'out';
  readonly text: string;
  readonly label: Label;
}

/**
 * Queues a copy of what was said in a direct talk for the admin hub of its connector, in the transaction that keeps it: of staff who agreed
 * when they were paired, where the hub is cleared for the talk's workspace and for the words. Else nothing, not even that somebody spoke.
 */
export async function writeMirror(
  deps: EngineDeps,
  tx: StoreTx,
  talk: Context,
  spoken: Spoken,
): Promise<void> {
  const person = talk.directWith;
  if (person === undefined || (await agreementOf(tx, talk)) === undefined) return;
  const hub = await tx.get('hub', { connector: talk.connector, state: 'active' });
  if (hub === undefined) return;
  const rules = await policyRules(deps, tx, hub.context);
  const { context: place } = rules;
  if (place === undefined || rules.isPanicOn || rules.isGateClosed || !isStaffSomewhere(person, rules))
    return;
  // Also public words are words of this talk: that they were said there is its own matter.
  const { integrity } = spoken.label;
  const ofTalk = makeLabel(integrity, [ctxTag(talk.workspace, talk.id)]);
  const label = join(mirrorLabel(spoken.label, person), ofTalk);
  if (!mayHubSee(hub, place, { workspace: talk.workspace, label })) return;
  if (connectorOf(deps.connectors, place)?.delivery !== 'push') return;
  const name = (await tx.get('identity_user', { id: person }))?.name ?? person;
  try {
    const { effect } = replyEffect(deps, {
      context: place,
      // In the name of the talk: what ends its person ends this.
      requester: { kind: 'service', context: talk.id, owner: person },
      draft: { text: `${headOf(name, spoken.direction)}\n${quoted(spoken.text)}` },
      label,
      clearance: clearanceOfHub(hub, place),
      trustedUrls: new Set(),
      kind: 'mirror',
    });
    await tx.insert('effect', effect);
  } catch (thrown) {
    // A copy that cannot be made undoes nothing of the talk.
    tx.audit({
      action: 'notify.fail',
      actor: 'appliance',
      subject: `mirror:${talk.id}`,
      workspace: place.workspace,
      context: place.id,
      data: { error: thrown instanceof AppError ? thrown.code : 'base.invariant.bug' },
    });
  }
}

/**
 * Asked again when a copy is about to leave: the talk is still this person's, by the same account, they are still of the staff, and they
 * agreed.
 * @returns undefined for effects that are no copy
 */
export async function isMirrorAgreed(
  reader: StoreReader,
  effect: Effect,
  rules: PolicyRules,
): Promise<boolean | undefined> {
  if (effect.kind !== HUB_MIRROR) return undefined;
  const { requester } = effect;
  if (requester.kind !== 'service') return false;
  const talk = await reader.get('context', { id: requester.context, directWith: requester.owner });
  if (talk === undefined || (await agreementOf(reader, talk)) === undefined) return false;
  return isStaffSomewhere(requester.owner, rules);
}

/** The account whose pairing made this talk, when its person agreed then. A talk that was taken off its channel has none. */
async function agreementOf(reader: StoreReader, talk: Context): Promise<Identity | undefined> {
  const { directWith: user, connector } = talk;
  if (user === undefined) return undefined;
  const link = await reader.get('identity_link', { context: talk.id, connector, user });
  const person =
    link?.mirrorAgreedAt === undefined ? undefined : await reader.get('identity_user', { id: user });
  return person?.isActive === true ? link : undefined;
}

/** Operator or above anywhere, now. */
export function isStaffSomewhere(
  person: UserId,
  rules: { readonly grants: readonly Grant[]; readonly nowMs: number },
): boolean {
  return rules.grants.some(
    (grant) => grant.principal === person && isStaff(grant.role) && isLive(grant, rules.nowMs),
  );
}

function headOf(name: string, direction: Spoken['direction']): string {
  return direction === 'in' ? `${name} in the direct talk:` : `To ${name} in the direct talk:`;
}

function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}
