import {
  AppError,
  type Decision,
  decide,
  type PolicyRequest,
  publicLabel,
  takenAs,
} from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import { policyRules } from '../effect/index.ts';
import { confirmIntent } from '../intent/index.ts';
import { answerCommand, type Orders } from './answer.ts';
import { arrivalDigest, checkArrival, isEcho } from './arrival.ts';
import type { Answer } from './asker.ts';
import { bindByRule, claimsOf, mayBind } from './bind.ts';
import { type ChatCommand, type ParsedText, parseCommand } from './command.ts';
import { type CommandCounts, makeCommandCounts } from './flood.ts';
import { moveSeen, takeMove } from './move.ts';
import { askToPair, type Tell, wantsPairing } from './pair.ts';
import { isPanicOrder, panicAnywhere } from './panic-anywhere.ts';
import type { Place } from './place.ts';
import { refusePress, takePress } from './press.ts';
import {
  answerAtOnce,
  isHalted,
  isSilenced,
  refuseAct,
  refuseCommand,
  refuseUnbound,
  SILENCE,
} from './refuse.ts';
import { see } from './seen.ts';
import { logOnly, startOrLog } from './start.ts';
import { type Whereabouts, whereabouts } from './who.ts';
import { promptAnswered, takeWords } from './words.ts';

export interface Ingest {
  accept(arrival: Arrival): Promise<Accepted>;
}

/** What accepting wakes: the durable engine for a new run, the outbox for an answer at once. */
export interface IngestHooks {
  readonly orders: Orders;
  readonly onRun: () => void;
  readonly onReply: () => void;
  /** Words to a direct talk that is bound to nothing, said after the commit and kept nowhere. */
  readonly tell: Tell;
}

/** The same, and what one process counts. */
interface Taking extends IngestHooks {
  readonly commands: CommandCounts;
}

/**
 * The one door in. What an arrival says and starts is written in one transaction with the mark that it was taken; an order (a command, a
 * press, new words) is carried out in a commit of its own before that. Only then does it resolve, and a repeat gets the first answer again.
 * Offered again after a crash between the two, an order acts once: it finds what it did.
 */
export function makeIngest(deps: EngineDeps, hooks: IngestHooks): Ingest {
  const taking = new Map<string, Promise<unknown>>();
  const inside: Taking = { ...hooks, commands: makeCommandCounts(deps.clock) };
  return {
    accept: async (arrival) => {
      checkArrival(deps, arrival);
      // Deliveries of one event come one after the other: a command acts before its mark is written.
      const key = JSON.stringify([arrival.event.source, arrival.event.externalId]);
      const turn = (taking.get(key) ?? Promise.resolve()).then(
        () => takeOnce(deps, inside, arrival),
        () => takeOnce(deps, inside, arrival),
      );
      taking.set(key, turn);
      try {
        return await turn;
      } finally {
        if (taking.get(key) === turn) taking.delete(key);
      }
    },
  };
}

async function takeOnce(deps: EngineDeps, hooks: Taking, arrival: Arrival): Promise<Accepted> {
  return (await earlier(deps, arrival)) ?? (await takeIn(deps, hooks, arrival));
}

/** What the first delivery of this event came to. @throws AppError ingest.key.conflict for the same key with other content */
async function earlier(deps: EngineDeps, arrival: Arrival): Promise<Accepted | undefined> {
  const { source, externalId } = arrival.event;
  const known = await deps.store.read.get('ingest_event', { source, externalId });
  if (known === undefined) return undefined;
  if (known.digest !== arrivalDigest(arrival)) {
    throw new AppError({
      code: 'ingest.key.conflict',
      kind: 'conflict',
      message: 'This key was used before for another message. Use a new one.',
    });
  }
  const { outcome, task, run, reply, isQueued } = known;
  return { outcome, isRepeat: true, task, run, reply, ...(isQueued === true ? { isQueued } : {}) };
}

/**
 * Every event passes here, whatever its kind: who and where (`whereabouts`), the rules of that place, and one decision about the most
 * that it may come to. What it then asks for is decided by the rule of that act.
 */
async function takeIn(deps: EngineDeps, hooks: Taking, arrival: Arrival): Promise<Accepted> {
  if (isEcho(arrival)) return { outcome: 'logged', isRepeat: false };
  const where = await whereabouts(deps.store.read, arrival);
  const rules = await policyRules(deps, deps.store.read, where.context?.id);
  const decision = decide(questionOf(arrival, where), rules);
  const isPairing = wantsPairing(deps, arrival);
  const isStranger = where.principal.kind === 'guest';
  if (isPairing && isStranger && arrival.event.channel.kind === 'direct' && !(await isHalted(deps)))
    return askToPair(deps, hooks.tell, arrival, where);
  const { context } = where;
  if (context === undefined) return takeUnbound(deps, hooks, { arrival, where, isPairing, decision });
  const at: Place = { arrival, where, context, rules };
  const taken = takenAs(decision);
  switch (taken) {
    case 'order':
      return takeOrder(deps, hooks, at, isPairing);
    case 'ask':
      return startOrLog(deps, hooks, at, undefined);
    case 'words':
      return logOnly(deps, at);
    case 'fact':
      return arrival.event.kind === 'moved' ? takeMove(deps, hooks.onReply, at) : NOTHING;
    case 'press':
      return takePress(deps, { ...hooks, confirm: (place, ok) => confirmIntent(deps, hooks, place, ok) }, at);
    case undefined:
      // One sentence for every press that does nothing: a guess learns nothing, a stranger's neither.
      return arrival.event.kind === 'button'
        ? refusePress(deps, arrival, where)
        : refuseAct(deps, arrival, where, decision);
    default: {
      const never: never = taken;
      return never;
    }
  }
}

/** Nothing starts, nothing is kept, nothing is said. */
const NOTHING: Accepted = { outcome: 'logged', isRepeat: false };

function questionOf(
  { event, door }: Arrival,
  { principal }: Whereabouts,
): Extract<PolicyRequest, { action: 'ingest.take' }> {
  const { kind, isRelayed, sender } = event;
  return { action: 'ingest.take', kind, principal, door, isBot: sender.isBot, isRelayed };
}

/** A place that is bound to nothing: a rule may bind it now; else staff find it in the list, and a sender hears what to do. */
async function takeUnbound(
  deps: EngineDeps,
  hooks: Taking,
  said: {
    readonly arrival: Arrival;
    readonly where: Whereabouts;
    readonly isPairing: boolean;
    readonly decision: Decision;
  },
): Promise<Accepted> {
  const { arrival } = said;
  const { kind, member, sender } = arrival.event;
  if (kind === 'moved') return moveSeen(deps, arrival);
  const stopped = await panicAnywhere(deps, hooks.orders, arrival, said.where.principal);
  if (stopped !== undefined) return stopped;
  const hasLeft = member?.isSelf === true && member.change === 'left';
  const claims = hasLeft || (await isHalted(deps)) ? undefined : await claimsOf(deps.store.read, arrival);
  if (claims !== undefined && mayBind(arrival) && (await bindByRule(deps, arrival, claims))) {
    hooks.onReply();
    return takeIn(deps, hooks, arrival);
  }
  const isSaid = (kind === 'message' || kind === 'command') && !sender.isBot;
  const several = claims !== undefined && claims.workspaces.length > 1 ? claims : undefined;
  if (isSaid) return refuseUnbound(deps, hooks, { ...said, claims: several });
  await see(deps, arrival);
  return kind === 'button' ? refusePress(deps, arrival, said.where) : NOTHING;
}

/** Fresh words of a sender: a command, or a text like any other. */
async function takeOrder(deps: EngineDeps, hooks: Taking, at: Place, isPairing: boolean): Promise<Accepted> {
  const { arrival, where } = at;
  const parsed: ParsedText = isPairing
    ? { kind: 'command', command: { name: 'pair', rest: '' } }
    : parseCommand(arrival.event.text, deps.config.botName ?? '');
  // A command stays one, whatever it answers: somebody may have to stop everything.
  const prompt = parsed.kind === 'command' ? undefined : await promptAnswered(deps, at);
  if (prompt !== undefined) return takeWords(deps, hooks, at, prompt);
  switch (parsed.kind) {
    case 'foreign':
      return logOnly(deps, at);
    case 'unknown':
      // In a place with several bots it may be meant for another one; a stranger's is a text like any other.
      if (where.principal.kind === 'guest') return startOrLog(deps, hooks, at, undefined);
      return limited(deps, hooks, at, async () => ({
        text: `I do not know /${parsed.name}. /help lists what I can do.`,
        label: publicLabel(2),
      }));
    case 'command':
      return takeCommand(deps, hooks, at, parsed.command);
    case 'text':
      return startOrLog(deps, hooks, at, undefined);
    default: {
      const never: never = parsed;
      return never;
    }
  }
}

async function takeCommand(
  deps: EngineDeps,
  hooks: Taking,
  at: Place,
  command: ChatCommand,
): Promise<Accepted> {
  if (command.name === 'task' && command.rest !== '') return startOrLog(deps, hooks, at, command.rest);
  const asker = {
    principal: at.where.principal,
    context: at.context,
    conversationKey: at.arrival.conversationKey,
    event: at.arrival.event.externalId,
  };
  const answer = () => answerCommand(deps, hooks.orders, asker, command);
  return limited(deps, hooks, at, answer, isPanicOrder(command, at.where.principal));
}

/** Carries out a command and answers it, unless this sender gave too many in this minute. */
async function limited(
  deps: EngineDeps,
  hooks: Taking,
  at: Place,
  carryOut: () => Promise<Answer>,
  isExempt = false,
): Promise<Accepted> {
  if (await isSilenced(deps, at)) return SILENCE;
  try {
    if (!isExempt) hooks.commands.take(at);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind !== 'exhausted') throw thrown;
    return refuseCommand(deps, hooks.onReply, at, { text: thrown.message, reason: thrown.code });
  }
  const answer = await carryOut();
  if (answer.task !== undefined) return startOrLog(deps, hooks, at, answer.task);
  return answerAtOnce(deps, hooks.onReply, { ...at, context: answer.place ?? at.context }, answer);
}
