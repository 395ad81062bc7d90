import {
  APPROVAL_STATES,
  AppError,
  type Approval,
  type ApprovalId,
  type Button,
  type Clearance,
  type Context,
  canFlow,
  clearanceOf,
  clearanceOfHub,
  type Effect,
  type EffectId,
  type EffectState,
  grantersOf,
  HUB_CARD,
  type Hub,
  INTEGRITY,
  mayHubSee,
  publicLabel,
  type StoreReader,
  type StoreTx,
  type UserId,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { reminderOf } from '../effect/card.ts';
import { replyEffect } from '../effect/reply.ts';
import { messageOf } from './buttons.ts';

/** What a card says of a question that is not open any more. */
type CardState = Exclude<EffectState, 'proposed' | 'approved' | 'performing'> | 'granted';

const LOOKS: Readonly<
  Record<
    CardState,
    { readonly title: string; readonly tone: 'good' | 'bad' | 'plain'; readonly text: string }
  >
> = {
  granted: { title: 'Approved', tone: 'good', text: 'was approved and is on its way.' },
  done: { title: 'Done', tone: 'good', text: 'was approved and is done.' },
  rejected: { title: 'Refused outside', tone: 'bad', text: 'was approved, but it was refused outside.' },
  uncertain: {
    title: 'Uncertain',
    tone: 'bad',
    text: 'may or may not have happened; an operator must look and say (`agent-runtime effect resolve`).',
  },
  denied: { title: 'Denied', tone: 'bad', text: 'was denied and will not happen.' },
  withdrawn: { title: 'Withdrawn', tone: 'plain', text: 'was taken back by whoever asked.' },
  superseded: {
    title: 'Superseded',
    tone: 'plain',
    text: 'was replaced by other words; a new card asks for them.',
  },
  expired: { title: 'Expired', tone: 'plain', text: 'has expired.' },
  void: { title: 'Void', tone: 'plain', text: 'is void: everything was stopped, or a right was taken away.' },
};

/** More may be known later: what comes of it, or what a person finds. */
const OPEN_ENDS: ReadonlySet<CardState> = new Set(['granted', 'uncertain']);

/** One card that shows less than is known. */
interface StaleCard {
  readonly card: Effect;
  readonly place: Context;
  /** Platform id of the message to replace. */
  readonly message: string;
  readonly key: string;
}

/** A question with all of its cards that still have buttons. */
interface Told {
  readonly approval: Approval;
  readonly effect: Effect;
  readonly state: CardState;
  readonly stale: readonly StaleCard[];
  /** Cards whose buttons are over: nothing more will ever be said there. */
  readonly closed: readonly EffectId[];
}

/**
 * Says on every card of a question what became of it, in the caller's transaction: once per state, without buttons. Under panic and
 * behind the gate nothing is queued; `refreshCards` says it afterwards.
 */
export async function updateCards(deps: EngineDeps, tx: StoreTx, id: ApprovalId): Promise<void> {
  if (await isSilent(deps, tx)) return;
  const told = await look(tx, id);
  if (told === undefined) return;
  const hubs = await tx.find('hub', { state: 'active' });
  for (const one of told.stale) await writeUpdate(deps, tx, told, one, hubs);
  const at = deps.clock.nowMs();
  for (const card of told.closed)
    await tx.update('approval_button', { card, usedAt: { isNull: true } }, { usedAt: at });
}

/** Panic is on or the gate is closed: nothing is queued for later. */
async function isSilent(deps: Pick<EngineDeps, 'panic'>, reader: StoreReader): Promise<boolean> {
  return deps.panic.isOn() || ((await reader.get('gate_state', { id: 'gate' }))?.isClosed ?? false);
}

/** A card that arrives after its question was decided says so at once. */
export async function catchUp(deps: EngineDeps, tx: StoreTx, card: Effect): Promise<void> {
  const [button] = await tx.find('approval_button', { card: card.id }, { limit: 1 });
  if (button?.approval !== undefined && button.act !== 'words') await updateCards(deps, tx, button.approval);
}

const DECIDED = APPROVAL_STATES.filter((state) => state !== 'pending');

/** Questions in one look: what is left waits for the next sweep. */
const MOST_IN_A_LOOK = 200;

/**
 * Finds the cards that panic, the gate, a revocation or a crash left behind their questions and updates them, one commit for each question.
 * @returns how many questions
 */
export async function refreshCards(deps: EngineDeps): Promise<number> {
  const { read } = deps.store;
  if (await isSilent(deps, read)) return 0;
  const open = await read.find('approval_button', {
    act: { in: ['approve', 'deny', 'edit'] },
    usedAt: { isNull: true },
  });
  const ids = new Set(open.map((button) => button.approval).filter((id) => id !== undefined));
  if (ids.size === 0) return 0;
  // Most are open still: they are told apart in one question to the store, for this is asked every minute.
  const decided = await read.find('approval', { id: { in: [...ids] }, state: { in: DECIDED } });
  let refreshed = 0;
  for (const { id } of decided) {
    if (refreshed >= MOST_IN_A_LOOK) break;
    const told = await look(read, id);
    if (told === undefined || (told.stale.length === 0 && told.closed.length === 0)) continue;
    const { workspace, context } = told.approval;
    const audit = { action: 'approval.refresh', actor: 'appliance', subject: id, workspace, context };
    await deps.store.commit(audit, (tx) => updateCards(deps, tx, id));
    refreshed += 1;
  }
  return refreshed;
}

/** As long as the marks of notices: what a repeat could ask for is long over. */
const KEPT_MS = 90 * 86_400_000;

/** Forgets buttons that ended long ago. @returns how many */
export async function pruneButtons(deps: EngineDeps): Promise<number> {
  const isOld = { expiresAt: { lt: deps.clock.nowMs() - KEPT_MS } };
  if ((await deps.store.read.count('approval_button', isOld)) === 0) return 0;
  const audit = { action: 'approval.prune', actor: 'appliance', subject: 'buttons' };
  return deps.store.commit(audit, (tx) => tx.remove('approval_button', isOld));
}

async function look(reader: StoreReader, id: ApprovalId): Promise<Told | undefined> {
  const approval = await reader.get('approval', { id });
  const effect = approval && (await reader.get('effect', { id: approval.effect }));
  const state = approval && effect && stateOf(approval, effect);
  if (approval === undefined || effect === undefined || state === undefined) return undefined;
  const buttons = await reader.find('approval_button', { approval: id, usedAt: { isNull: true } });
  const stale: StaleCard[] = [];
  const closed: EffectId[] = [];
  for (const cardId of cardsOf(buttons)) {
    const card = await reader.get('effect', { id: cardId });
    const place = card && (await reader.get('context', { id: card.context }));
    const message = card && messageOf(card);
    if (card !== undefined && !isSettled(card)) continue;
    if (!OPEN_ENDS.has(state)) closed.push(cardId);
    // It never arrived, or its place is gone.
    if (card === undefined || place === undefined || message === undefined) continue;
    const key = `card:${card.id}:${state}`;
    if ((await reader.get('notify_notice', { key })) === undefined) stale.push({ card, place, message, key });
  }
  return { approval, effect, state, stale, closed };
}

function stateOf(approval: Approval, effect: Effect): CardState | undefined {
  switch (effect.state) {
    case 'proposed':
      return undefined;
    case 'approved':
    case 'performing':
      return approval.state === 'pending' ? undefined : 'granted';
    default:
      return effect.state;
  }
}

function cardsOf(buttons: readonly Button[]): ReadonlySet<EffectId> {
  return new Set(buttons.filter((button) => button.act !== 'words').map((button) => button.card));
}

function isSettled(card: Effect): boolean {
  return card.state !== 'approved' && card.state !== 'performing';
}

async function writeUpdate(
  deps: EngineDeps,
  tx: StoreTx,
  told: Told,
  one: StaleCard,
  hubs: readonly Hub[],
): Promise<void> {
  const { card, place, message, key } = one;
  const { title, tone, text } = LOOKS[told.state];
  const sight = sightOf(told.effect, card, place, hubs);
  const what = sight.isCleared ? `\n${reminderOf(told.effect)}` : '';
  const who = sight.isCleared ? await whoDecided(tx, told) : '';
  await tx.insert('notify_notice', { key, at: deps.clock.nowMs() });
  try {
    const { effect } = replyEffect(deps, {
      context: place,
      requester: { kind: 'service', context: place.id, owner: place.owner },
      draft: { text: `${told.approval.id} ${text}${who}${what}`, edits: message, card: { title, tone } },
      label: sight.isCleared ? told.effect.label : publicLabel(INTEGRITY.staff),
      clearance: sight.clearance,
      trustedUrls: new Set(),
      kind: card.kind === HUB_CARD ? 'card' : 'notice',
    });
    if (effect.state === 'approved') await tx.insert('effect', effect);
  } catch (thrown) {
    // What cannot be rendered undoes nothing of the decision that it tells of.
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

interface Sight {
  readonly clearance: Clearance;
  readonly isCleared: boolean;
}

/** What may be said there now; the card itself was cleared for what was true when it was made. */
function sightOf(effect: Effect, card: Effect, place: Context, hubs: readonly Hub[]): Sight {
  if (card.kind !== HUB_CARD) {
    const clearance = clearanceOf(place);
    return { clearance, isCleared: canFlow(effect.label, clearance) };
  }
  const hub = hubs.find((one) => one.context === place.id);
  if (hub === undefined) return { clearance: { kind: 'tags', tags: [] }, isCleared: false };
  return { clearance: clearanceOfHub(hub, place), isCleared: mayHubSee(hub, place, effect) };
}

async function whoDecided(reader: StoreReader, { approval, state }: Told): Promise<string> {
  const people: readonly UserId[] =
    state === 'denied'
      ? approval.votes.filter((vote) => vote.decision === 'deny').map((vote) => vote.person)
      : grantersOf(approval);
  if (people.length === 0) return '';
  const names: string[] = [];
  for (const id of people) names.push((await reader.get('identity_user', { id }))?.name ?? id);
  return ` ${state === 'denied' ? 'Said no' : 'Approved'}: ${names.join(', ')}.`;
}
