import {
  AppError,
  type Approval,
  type Context,
  clearanceOfHub,
  type Effect,
  HUB_CARD,
  HUB_MIRROR,
  type Hub,
  isHubPlace,
  mayHubSee,
  type StoreReader,
  type StoreTx,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { makeButtons } from '../approval/buttons.ts';
import { approvalCard, type CardFacts } from '../effect/card.ts';
import { connectorOf, replyEffect } from '../effect/reply.ts';
import { policyRules } from '../effect/rules.ts';

/** An open question, and the context that it came up in. */
export interface HubQuestion extends CardFacts {
  readonly effect: Effect;
  readonly approval: Approval;
  readonly origin: Context;
}

/**
 * Queues a card for each admin hub that a question concerns, in the caller's transaction: the hub of the connector it came up on, and the
 * hubs cleared for its workspace. Its words are shown only where the hub is cleared for them; what cannot be rendered undoes nothing.
 */
export async function writeHubCards(deps: EngineDeps, tx: StoreTx, question: HubQuestion): Promise<void> {
  const hubs = await tx.find('hub', { state: 'active' }, { orderBy: 'connector' });
  for (const hub of hubs) if (isConcerned(hub, question)) await writeCard(deps, tx, hub, question);
}

/** The admin hub at this place, when a card or a mirrored text is about to leave for it. */
export async function hubAt(reader: StoreReader, effect: Effect): Promise<Hub | undefined> {
  if (effect.kind !== HUB_CARD && effect.kind !== HUB_MIRROR) return undefined;
  return reader.get('hub', { state: 'active', context: effect.context });
}

/** Where the question came up in the hub itself, its people see the notice there. */
function isConcerned(hub: Hub, { origin }: HubQuestion): boolean {
  if (hub.context === origin.id) return false;
  return hub.connector === origin.connector || hub.clearedFor.includes(origin.workspace);
}

async function writeCard(deps: EngineDeps, tx: StoreTx, hub: Hub, question: HubQuestion): Promise<void> {
  const { effect, approval } = question;
  const rules = await policyRules(deps, tx, hub.context);
  const { context: place } = rules;
  if (place === undefined || !isHubPlace(hub, place) || rules.isPanicOn || rules.isGateClosed) return;
  if (connectorOf(deps.connectors, place)?.delivery !== 'push') return;
  const key = `hub:${hub.id}:${approval.id}`;
  if ((await tx.get('notify_notice', { key })) !== undefined) return;
  await tx.insert('notify_notice', { key, at: rules.nowMs });
  const isCleared = mayHubSee(hub, place, effect);
  // How many people a workspace has to approve is its own matter, too.
  const few = isCleared ? question.few : undefined;
  const card = approvalCard(effect, approval, place, { ...question, few, hub: { isCleared } });
  const buttons = makeButtons(deps, approval, card.acts);
  try {
    const told = replyEffect(deps, {
      context: place,
      requester: { kind: 'service', context: place.id, owner: place.owner },
      draft: { text: card.text, card: card.look, buttons: buttons.shown },
      label: card.label,
      clearance: clearanceOfHub(hub, place),
      trustedUrls: new Set(),
      kind: 'card',
    });
    await tx.insert('effect', told.effect);
    await buttons.write(tx, told.effect);
  } catch (thrown) {
    tx.audit({
      action: 'notify.fail',
      actor: 'appliance',
      subject: key,
      workspace: place.workspace,
      context: place.id,
      data: { error: thrown instanceof AppError ? thrown.code : 'base.invariant.bug' },
    });
  }
}
