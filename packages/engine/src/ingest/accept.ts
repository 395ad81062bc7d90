import {
  AppError,
  type Conversation,
  type Decision,
  decide,
  type EffectiveSettings,
  type Intent,
  type PolicyRules,
  publicLabel,
  type StoreTx,
} from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import { policyRules } from '../effect/index.ts';
import { acknowledge, addTo, askIntent, confirmIntent, openIntentOf } from '../intent/index.ts';
import { answerCommand, type Orders } from './answer.ts';
import { arrivalDigest, checkArrival, isEcho, mayBeCommand } from './arrival.ts';
import { type ChatCommand, type ParsedText, parseCommand } from './command.ts';
import { openConversation } from './conversation.ts';
import { askToPair, type Tell, wantsPairing } from './pair.ts';
import { auditOf, keepWords, markOf, type Place, writeMessage } from './place.ts';
import { answerAtOnce, halted, isHalted, refusal, refuse, refuseUnbound } from './refuse.ts';
import { whereabouts } from './who.ts';
import { assertGuestHasRoom, assertQueueHasRoom, makeWork, queueRun } from './work.ts';

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

/**
 * The one door in. Whatever an arrival causes is written in one transaction with the mark that it was taken, and only then does it
 * resolve; a repeat gets the first answer again.
 */
export function makeIngest(deps: EngineDeps, hooks: IngestHooks): Ingest {
  const taking = new Map<string, Promise<unknown>>();
  return {
    accept: async (arrival) => {
      checkArrival(deps, arrival);
      // Deliveries of one event come one after the other: a command acts before its mark is written.
      const key = JSON.stringify([arrival.event.source, arrival.event.externalId]);
      const turn = (taking.get(key) ?? Promise.resolve()).then(
        () => takeOnce(deps, hooks, arrival),
        () => takeOnce(deps, hooks, arrival),
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

async function takeOnce(deps: EngineDeps, hooks: IngestHooks, arrival: Arrival): Promise<Accepted> {
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
  return { outcome: known.outcome, isRepeat: true, task: known.task, run: known.run, reply: known.reply };
}

async function takeIn(deps: EngineDeps, hooks: IngestHooks, arrival: Arrival): Promise<Accepted> {
  if (isEcho(arrival)) return { outcome: 'logged', isRepeat: false };
  const where = await whereabouts(deps.store.read, arrival);
  const { context } = where;
  // What bots say is kept for the log where a context is bound; it never starts, orders or answers anything.
  const { isBot } = arrival.event.sender;
  const isPairing = wantsPairing(deps, arrival);
  const isStranger = where.principal.kind === 'guest';
  if (isPairing && isStranger && arrival.event.channel.kind === 'direct' && !(await isHalted(deps)))
    return askToPair(deps, hooks.tell, arrival, where);
  if (context === undefined)
    return isBot
      ? { outcome: 'logged', isRepeat: false }
      : refuseUnbound(deps, hooks.tell, { arrival, where, isPairing });
  const parsed: ParsedText = isPairing
    ? { kind: 'command', command: { name: 'pair', rest: '' } }
    : mayBeCommand(arrival)
      ? parseCommand(arrival.event.text, deps.config.botName ?? '')
      : { kind: 'text' };
  const at: Place = { arrival, where, context };
  if (isBot) return logOnly(deps, at);
  if (arrival.event.kind === 'button') {
    const button = await deps.store.read.get('approval_button', { id: arrival.event.buttonId ?? '' });
    if (button?.act === 'confirm') return confirmIntent(deps, hooks, at, button);
  }
  switch (parsed.kind) {
    case 'foreign':
      return logOnly(deps, at);
    case 'unknown':
      // In a place with several bots it may be meant for another one; a stranger's is a text like any other.
      if (where.principal.kind === 'guest') return startOrLog(deps, hooks, at, undefined);
      return answerAtOnce(deps, hooks.onReply, at, {
        text: `I do not know /${parsed.name}. /help lists what I can do.`,
        label: publicLabel(2),
      });
    case 'command':
      return takeCommand(deps, hooks, at, parsed.command);
    case 'text':
      return arrival.event.kind === 'message' ? startOrLog(deps, hooks, at, undefined) : logOnly(deps, at);
    default: {
      const never: never = parsed;
      return never;
    }
  }
}

async function takeCommand(
  deps: EngineDeps,
  hooks: IngestHooks,
  at: Place,
  command: ChatCommand,
): Promise<Accepted> {
  if (command.name === 'task' && command.rest !== '') return startOrLog(deps, hooks, at, command.rest);
  const asker = {
    principal: at.where.principal,
    context: at.context,
    conversationKey: at.arrival.conversationKey,
  };
  return answerAtOnce(deps, hooks.onReply, at, await answerCommand(deps, hooks.orders, asker, command));
}

/** A message that asks for work starts a run, or is refused with words; one that asks for nothing is only logged. */
async function startOrLog(
  deps: EngineDeps,
  hooks: IngestHooks,
  at: Place,
  taskText: string | undefined,
): Promise<Accepted> {
  const { arrival, where, context } = at;
  const rules = await policyRules(deps, deps.store.read, context.id);
  const isAddressed = taskText !== undefined || arrival.event.isAddressed;
  const decision = decide(
    { action: 'task.create', principal: where.principal, door: arrival.door, isAddressed },
    rules,
  );
  if (decision.kind === 'permit') return startOrRefuse(deps, hooks, at, { rules, decision, taskText });
  const isUnaddressed = decision.reasons.some((reason) => reason.code === 'policy.unaddressed');
  if (isUnaddressed) return logOnly(deps, at);
  const text = decision.reasons.map((reason) => reason.text).join(' ');
  if (arrival.authenticated !== undefined) throw refusal(decision, text);
  return refuse(deps, hooks.onReply, at, text);
}

interface Granted {
  readonly rules: PolicyRules;
  readonly decision: Decision;
  readonly taskText: string | undefined;
}

/** In chat a full queue is an answer, not an error: thrown, the platform would offer the message again and again. */
async function startOrRefuse(
  deps: EngineDeps,
  hooks: IngestHooks,
  at: Place,
  granted: Granted,
): Promise<Accepted> {
  try {
    return await startRun(deps, hooks, at, granted);
  } catch (thrown) {
    const isFull = thrown instanceof AppError && FULL.has(thrown.code);
    if (!isFull || at.arrival.authenticated !== undefined) throw thrown;
    return refuse(deps, hooks.onReply, at, thrown.message);
  }
}

const FULL: ReadonlySet<string> = new Set([
  'ingest.queue.exhausted',
  'ingest.guest.exhausted',
  'intent.text.invalid',
  'intent.card.denied',
]);

async function startRun(
  deps: EngineDeps,
  hooks: IngestHooks,
  at: Place,
  granted: Granted,
): Promise<Accepted> {
  const { arrival, where, context } = at;
  const { settings } = granted.rules;
  if (settings === undefined) throw refusal(granted.decision, 'This place is not bound to a workspace.');
  const text = granted.taskText ?? arrival.event.text;
  const isTask = granted.taskText !== undefined;
  const isResearch = /^research\b/i.test(text) && isTask;
  const committed = deps.store.commit(
    auditOf(at, 'ingest.accept', { reasons: granted.decision.reasons.map((reason) => reason.code) }, text),
    async (tx) => {
      if (deps.panic.isOn()) throw halted();
      const conversation = await openConversation(deps, tx, {
        context,
        settings,
        key: arrival.conversationKey,
      });
      await assertQueueHasRoom(tx, conversation, settings);
      if (where.principal.kind === 'guest')
        await assertGuestHasRoom(tx, where.principal, context, deps.clock.nowMs());
      const old = await waitingWish(deps, tx, at, { settings, conversation });
      const isAdded = old !== undefined && !isTask;
      const message = await writeMessage(deps, tx, at, {
        conversation: conversation.id,
        text: isAdded ? addTo(old, text, deps.config.maxPromptChars) : text,
        isPromptable: where.principal.kind !== 'guest',
      });
      if (isAdded || (isTask && settings.acknowledge === 'confirm')) {
        const kind = isAdded ? old.kind : isResearch ? 'research' : 'chat';
        const requester = where.principal;
        const reply = await askIntent(deps, tx, { message, context, settings, requester, kind, old });
        const said = { outcome: 'command', ...(reply === undefined ? {} : { reply }) } as const;
        await tx.insert('ingest_event', markOf(deps, arrival, said));
        return { ...said, isQueued: true };
      }
      const { task, run } = makeWork(deps, {
        message,
        context,
        conversation,
        requester: where.principal,
        door: arrival.door,
        kind: isResearch ? 'research' : (arrival.taskKind ?? 'chat'),
      });
      await tx.insert('task', task);
      await queueRun(tx, run);
      if (isTask && settings.acknowledge === 'tasks') {
        const requester = where.principal;
        await acknowledge(deps, tx, { task, run, message, requester, settings });
      }
      await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'run', task: task.id, run: run.id }));
      return { outcome: 'run', task: task.id, run: run.id } as const;
    },
  );
  // Woken now, its claim stands in the queue right behind this commit and shares its transaction; the second look finds nothing then.
  hooks.onRun();
  const started = await committed;
  hooks.onRun();
  if (isTask || started.outcome === 'command') hooks.onReply();
  return { isRepeat: false, ...started };
}

/** What this person said before and has not said OK to: their own fresh words, addressed to us, are added to it. */
async function waitingWish(
  deps: EngineDeps,
  tx: StoreTx,
  at: Place,
  here: { readonly settings: EffectiveSettings; readonly conversation: Conversation },
): Promise<Intent | undefined> {
  if (here.settings.acknowledge !== 'confirm' || !mayBeCommand(at.arrival)) return undefined;
  return openIntentOf(tx, here.conversation.id, at.where.principal, deps.clock.nowMs());
}

/** Kept for the log, without a run. Words of strangers and edits stay out of prompts. */
async function logOnly(deps: EngineDeps, at: Place): Promise<Accepted> {
  const { arrival, where, context } = at;
  const rules = await policyRules(deps, deps.store.read, context.id);
  const { settings } = rules;
  if (settings === undefined || arrival.event.text.trim() === '')
    return { outcome: 'logged', isRepeat: false };
  const isPromptable =
    where.principal.kind !== 'guest' && !arrival.event.sender.isBot && arrival.event.kind === 'message';
  await deps.store.commit(auditOf(at, 'ingest.log', {}, arrival.event.text), async (tx) => {
    await keepWords(deps, tx, at, { settings, isPromptable });
    await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'logged' }));
  });
  return { outcome: 'logged', isRepeat: false };
}
