import {
  type Approval,
  type Button,
  clearanceOf,
  filterReply,
  principalKey,
  publicLabel,
} from '@agent-runtime/domain';
import type { Accepted, Actor, Arrival, EngineDeps } from '../api.ts';
import { areWordsWhole, maySayYes } from '../effect/card.ts';
import type { Orders } from './answer.ts';
import { findButton, messageHere, openQuestion } from './button.ts';
import { sightHere } from './find-approval.ts';
import { writeOnce } from './once.ts';
import { isWords } from './passing.ts';
import { auditOf, markOf, type Place } from './place.ts';
import { isHalted } from './refuse.ts';
import type { Whereabouts } from './who.ts';
import { ANSWER_IT, type Prompt, promptFor, writePrompt } from './words.ts';

/** What a press may set going. */
export interface PressHooks {
  readonly orders: Pick<Orders, 'approve' | 'deny' | 'edit'>;
  readonly onReply: () => void;
  /** Carries out the OK to a wish, and marks its button as used in the commit of that. Absent: no such button is valid. */
  readonly confirm?: ((at: Place, button: Button) => Promise<Accepted>) | undefined;
}

/** Said of every button that is not there, not here, not theirs, not open or not what its card showed: a guess learns nothing. */
export const NOT_VALID = 'This button is not valid any more.';

/** A press that answers an open question. */
interface Press {
  readonly at: Place;
  readonly button: Button;
  readonly approval: Approval;
}

/**
 * A button was pressed. It acts only where it stands: on the message of its card, in its context, before its end, for who may use it. What
 * it asks for is then decided as the command of the same name is, by the same orders. Everything else hears one fixed sentence.
 */
export async function takePress(deps: EngineDeps, hooks: PressHooks, at: Place): Promise<Accepted> {
  const { arrival, where } = at;
  const { event, door } = arrival;
  const again = await answeredBefore(deps, at);
  if (again !== undefined) return say(deps, again, `${ANSWERED[again.decision]} ${again.approval.id}.`);
  const found = door === 'chat' && !event.isRelayed && (await findButton(deps, event.buttonId, where));
  if (!found || event.message === undefined) return refusePress(deps, arrival, where);
  const { button } = found;
  if ((await messageHere(deps.store.read, button, event)) !== event.message)
    return refusePress(deps, arrival, where);
  if (button.act === 'confirm' && !(await isOwnWish(deps, at, button)))
    return refusePress(deps, arrival, where);
  if (button.act === 'confirm')
    return button.intent === undefined || hooks.confirm === undefined
      ? refusePress(deps, arrival, where)
      : hooks.confirm(at, button);
  const approval = await openQuestion(deps, button);
  if (approval === undefined || found.person === undefined) return refusePress(deps, arrival, where);
  if (!(await mayPressHere(deps, at, button, approval))) return refusePress(deps, arrival, where);
  return answerPress(deps, hooks, { at, button, approval }, found.person);
}

const DECISIONS = { approve: 'grant', deny: 'deny' } as const;
const ANSWERED = { grant: 'Approved', deny: 'Denied' } as const;

/**
 * The answer of a press is durable before the mark of its event. Offered again after a crash between the two, it hears what it came to: the
 * question holds this person's own vote from chat, on what the card showed.
 */
async function answeredBefore(
  deps: EngineDeps,
  at: Place,
): Promise<(Press & { readonly decision: keyof typeof ANSWERED }) | undefined> {
  const { event, door } = at.arrival;
  const { principal } = at.where;
  if (door !== 'chat' || event.isRelayed || event.buttonId === undefined || principal.kind !== 'user')
    return undefined;
  const { read } = deps.store;
  const button = await read.get('approval_button', { id: event.buttonId, context: at.context.id });
  if (button?.approval === undefined || (button.act !== 'approve' && button.act !== 'deny')) return undefined;
  if (event.message === undefined || (await messageHere(read, button, event)) !== event.message)
    return undefined;
  const decision = DECISIONS[button.act];
  const approval = await read.get('approval', { id: button.approval });
  const isTheirs = approval?.votes.some(
    (vote) =>
      vote.person === principal.user &&
      vote.via === 'chat' &&
      vote.digest === button.digest &&
      vote.decision === decision,
  );
  return approval !== undefined && isTheirs ? { at, button, approval, decision } : undefined;
}

/** Compared before anything is written: else every member's press of a stranger's button would leave its own record. */
async function isOwnWish(deps: EngineDeps, at: Place, button: Button): Promise<boolean> {
  const intent = button.intent && (await deps.store.read.get('task_intent', { id: button.intent }));
  return !intent || principalKey(intent.requester) === principalKey(at.where.principal);
}

/** A place may have ceased to be the hub, or to be cleared for the words, since its card was put there. */
async function mayPressHere(
  deps: EngineDeps,
  { context }: Place,
  { act }: Button,
  approval: Approval,
): Promise<boolean> {
  const sight = await sightHere(deps.store.read, context, approval);
  if (sight === undefined) return false;
  // A no is welcome from a bare card too.
  if (act === 'deny') return true;
  return act === 'approve'
    ? maySayYes(sight.effect, approval.tier, sight.isCleared)
    : areWordsWhole(sight.effect, sight.isCleared);
}

/** Refusals of policy are answers, in words that say who can allow it. */
async function answerPress(
  deps: EngineDeps,
  hooks: PressHooks,
  press: Press,
  person: Prompt['person'],
): Promise<Accepted> {
  try {
    return await carryOut(deps, hooks, press, person);
  } catch (thrown) {
    if (!isWords(thrown)) throw thrown;
    return say(deps, press, thrown.message, 'refused');
  }
}

async function carryOut(
  deps: EngineDeps,
  hooks: PressHooks,
  press: Press,
  person: Prompt['person'],
): Promise<Accepted> {
  const { at, button, approval } = press;
  const { id } = approval;
  const actor: Actor = { principal: at.where.principal, via: 'chat' };
  const typed = at.arrival.event.text.trim();
  switch (button.act) {
    case 'approve':
      // INVARIANT: a yes is about the digest that the card showed.
      await hooks.orders.approve(id, button.digest ?? approval.digest, actor);
      return say(deps, press, `Approved ${id}.`);
    case 'deny':
      await hooks.orders.deny(id, typed, actor);
      return say(deps, press, `Denied ${id}.`);
    case 'edit':
      if (typed === '') return askForWords(deps, hooks, press, { person, actor });
      return say(deps, press, `${await hooks.orders.edit(id, typed, actor)} asks for the new words.`);
    case 'words':
    case 'confirm':
      return refusePress(deps, at.arrival, at.where);
    default: {
      const never: never = button.act;
      return never;
    }
  }
}

/** Chats without forms: a message asks for the new words. */
async function askForWords(
  deps: EngineDeps,
  hooks: PressHooks,
  press: Press,
  by: { readonly person: Prompt['person']; readonly actor: Actor },
): Promise<Accepted> {
  const { at, button, approval } = press;
  if (await isHalted(deps)) return say(deps, press, STOPPED, 'refused');
  const prompt = await promptFor(deps, { at, approval, ...by });
  const audit = auditOf(at, 'ingest.press', dataOf(button), '');
  await deps.store.commit(audit, async (tx) => {
    await tx.insert('ingest_event', markOf(deps, at.arrival, { outcome: 'command', reply: ANSWER_IT }));
    await writePrompt(deps, tx, prompt);
  });
  hooks.onReply();
  return { outcome: 'command', isRepeat: false, reply: ANSWER_IT };
}

const STOPPED = 'Everything is stopped: nothing is asked now.';

/** The words go back to whoever pressed and to nobody else; nothing is kept for later. */
async function say(
  deps: EngineDeps,
  { at, button }: Press,
  text: string,
  outcome: 'command' | 'refused' = 'command',
): Promise<Accepted> {
  const reply = filterReply({
    text,
    label: publicLabel(2),
    clearance: clearanceOf(at.context),
    trustedUrls: new Set(),
  }).text;
  const audit = auditOf(at, 'ingest.press', dataOf(button, outcome), at.arrival.event.text);
  await deps.store.commit(audit, (tx) =>
    tx.insert('ingest_event', markOf(deps, at.arrival, { outcome, reply })),
  );
  return { outcome, isRepeat: false, reply };
}

function dataOf({ act, approval, card }: Button, outcome = 'command') {
  return { act, approval: approval ?? null, card, outcome };
}

const MINUTE_MS = 60_000;

/**
 * The fixed sentence, for presses that are not valid or not in a bound place. They leave one record per sender and minute, whatever
 * they press, and no mark: a repeat is refused again.
 */
export async function refusePress(deps: EngineDeps, arrival: Arrival, where: Whereabouts): Promise<Accepted> {
  const { source, channel, sender } = arrival.event;
  const key = `press:${source}:${sender.id}:${Math.floor(deps.clock.nowMs() / MINUTE_MS)}`;
  await writeOnce(deps, key, {
    action: 'ingest.refuse',
    actor: principalKey(where.principal),
    subject: source,
    workspace: where.context?.workspace,
    context: where.context?.id,
    data: { channel: channel.id, reason: 'button' },
  });
  return { outcome: 'refused', isRepeat: false, reply: NOT_VALID };
}
