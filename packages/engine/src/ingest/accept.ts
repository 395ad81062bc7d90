import {
  AppError,
  type AuditDraft,
  type Context,
  type Decision,
  decide,
  type IngestedEvent,
  type Message,
  type PolicyRules,
  principalKey,
  publicLabel,
  type RunId,
  type StoreTx,
  type TaskId,
} from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import { policyRules, type Reply, replyEffect } from '../effect/index.ts';
import { isGateClosed } from '../gate/index.ts';
import { type Answer, answerCommand, type Orders } from './answer.ts';
import { arrivalDigest, checkArrival, mayBeCommand } from './arrival.ts';
import { type ChatCommand, type ParsedText, parseCommand } from './command.ts';
import { openConversation } from './conversation.ts';
import { labelOfMessage, type Whereabouts, whereabouts } from './who.ts';
import { assertGuestHasRoom, assertQueueHasRoom, makeWork, queueRun } from './work.ts';

export interface Ingest {
  accept(arrival: Arrival): Promise<Accepted>;
}

/** What accepting wakes: the durable engine for a new run, the outbox for an answer at once. */
export interface IngestHooks {
  readonly orders: Orders;
  readonly onRun: () => void;
  readonly onReply: () => void;
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
  const where = await whereabouts(deps.store.read, arrival);
  const { context } = where;
  // What bots say is kept for the log where a context is bound; it never starts, orders or answers anything.
  const { isBot } = arrival.event.sender;
  if (context === undefined)
    return isBot ? { outcome: 'logged', isRepeat: false } : refuseUnbound(deps, arrival, where);
  const parsed: ParsedText = mayBeCommand(arrival)
    ? parseCommand(arrival.event.text, deps.config.botName ?? '')
    : { kind: 'text' };
  const at: Place = { arrival, where, context };
  if (isBot) return logOnly(deps, at);
  switch (parsed.kind) {
    case 'foreign':
      return logOnly(deps, at);
    case 'unknown':
      // In a place with several bots it may be meant for another one; a stranger's is a text like any other.
      if (where.principal.kind === 'guest') return startOrLog(deps, hooks, at, undefined);
      return answerAtOnce(deps, hooks, at, {
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

interface Place {
  readonly arrival: Arrival;
  readonly where: Whereabouts;
  readonly context: Context;
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
  return answerAtOnce(deps, hooks, at, await answerCommand(deps, hooks.orders, asker, command));
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
  return refuse(deps, hooks, at, text);
}

function refuse(deps: EngineDeps, hooks: IngestHooks, at: Place, text: string): Promise<Accepted> {
  if (at.where.principal.kind === 'guest') return refuseStranger(deps, hooks, at, text);
  return answerAtOnce(deps, hooks, at, { text, label: publicLabel(2) }, 'refused');
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
    return refuse(deps, hooks, at, thrown.message);
  }
}

const FULL: ReadonlySet<string> = new Set(['ingest.queue.exhausted', 'ingest.guest.exhausted']);

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
  const isResearch = /^research\b/i.test(text) && granted.taskText !== undefined;
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
      const message = await writeMessage(deps, tx, at, {
        conversation: conversation.id,
        text,
        isPromptable: where.principal.kind !== 'guest',
      });
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
      await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'run', task: task.id, run: run.id }));
      return { task: task.id, run: run.id };
    },
  );
  // Woken now, its claim stands in the queue right behind this commit and shares its transaction; the second look finds nothing then.
  hooks.onRun();
  const started = await committed;
  hooks.onRun();
  return { outcome: 'run', isRepeat: false, ...started };
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
    const conversation = await openConversation(deps, tx, {
      context,
      settings,
      key: arrival.conversationKey,
    });
    await writeMessage(deps, tx, at, {
      conversation: conversation.id,
      text: arrival.event.text,
      isPromptable,
    });
    await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'logged' }));
  });
  return { outcome: 'logged', isRepeat: false };
}

/** An answer that needs no model: filtered like every answer, through the outbox where the door is pushed to. */
async function answerAtOnce(
  deps: EngineDeps,
  hooks: IngestHooks,
  at: Place,
  answer: Answer,
  outcome: 'command' | 'refused' = 'command',
): Promise<Accepted> {
  const { arrival } = at;
  const reply = wordsOf(deps, at, answer);
  await deps.store.commit(
    auditOf(at, outcome === 'command' ? 'ingest.command' : 'ingest.refuse', {}, arrival.event.text),
    async (tx) => {
      await queueAnswer(deps, tx, reply);
      await tx.insert('ingest_event', markOf(deps, arrival, { outcome, reply: reply.text }));
    },
  );
  hooks.onReply();
  return { outcome, isRepeat: false, reply: reply.text };
}

/** The effect of words that need no model. */
function wordsOf(deps: EngineDeps, at: Place, answer: Answer): Reply {
  const { arrival, context } = at;
  return replyEffect(deps, {
    context,
    requester: { kind: 'service', context: context.id, owner: context.owner },
    draft: { text: answer.text, replyTo: arrival.event.externalId },
    label: answer.label,
    trustedUrls: new Set(),
    kind: 'notice',
    door: arrival.door,
  });
}

/** Under panic and behind a closed gate the door itself shows the words; nothing is kept for later. */
async function queueAnswer(deps: EngineDeps, tx: StoreTx, reply: Reply): Promise<void> {
  if (deps.panic.isOn() || (await isGateClosed(tx))) return;
  await tx.insert('effect', reply.effect);
}

const MINUTE_MS = 60_000;

/**
 * A stranger in a bound place: what they said is logged and kept out of prompts, and they hear why it starts nothing. They hear it, and
 * the audit names the refusal, once per sender and minute, whatever they send.
 */
async function refuseStranger(
  deps: EngineDeps,
  hooks: IngestHooks,
  at: Place,
  text: string,
): Promise<Accepted> {
  const { arrival, where, context } = at;
  const { settings } = await policyRules(deps, deps.store.read, context.id);
  const reply = wordsOf(deps, at, { text, label: publicLabel(2) });
  const minute = Math.floor(deps.clock.nowMs() / MINUTE_MS);
  const key = `refused:${context.id}:${principalKey(where.principal)}:${minute}`;
  const shown = await deps.store.commit(auditOf(at, 'ingest.log', {}, arrival.event.text), async (tx) => {
    const isFirst = (await tx.get('notify_notice', { key })) === undefined;
    if (settings !== undefined) {
      const conversation = await openConversation(deps, tx, {
        context,
        settings,
        key: arrival.conversationKey,
      });
      await writeMessage(deps, tx, at, {
        conversation: conversation.id,
        text: arrival.event.text,
        isPromptable: false,
      });
    }
    if (isFirst) {
      await tx.insert('notify_notice', { key, at: deps.clock.nowMs() });
      tx.audit(auditOf(at, 'ingest.refuse', {}, arrival.event.text));
      await queueAnswer(deps, tx, reply);
    }
    const said = isFirst ? { reply: reply.text } : {};
    await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'refused', ...said }));
    return said;
  });
  hooks.onReply();
  return { outcome: 'refused', isRepeat: false, ...shown };
}

/** Strangers in unbound places leave one audit record per sender and minute, whatever they send. */
async function refuseUnbound(deps: EngineDeps, arrival: Arrival, where: Whereabouts): Promise<Accepted> {
  const text = 'This channel is not bound to a workspace yet. An operator can bind it (`context bind`).';
  const decision = decide(
    { action: 'task.create', principal: where.principal, door: arrival.door, isAddressed: true },
    await policyRules(deps, deps.store.read, undefined),
  );
  if (arrival.authenticated !== undefined) throw refusal(decision, text);
  const sender = principalKey(where.principal);
  const key = `refused:${arrival.event.source}:${sender}:${Math.floor(deps.clock.nowMs() / MINUTE_MS)}`;
  const isFirst = (await deps.store.read.get('notify_notice', { key })) === undefined;
  if (isFirst) {
    const audit: AuditDraft = {
      action: 'ingest.refuse',
      actor: sender,
      subject: arrival.event.source,
      data: { channel: arrival.event.channel.id, reason: 'unbound' },
    };
    await deps.store.commit(audit, (tx) => tx.insert('notify_notice', { key, at: deps.clock.nowMs() }));
  }
  return {
    outcome: 'refused',
    isRepeat: false,
    ...(arrival.event.isAddressed && isFirst ? { reply: text } : {}),
  };
}

async function writeMessage(
  deps: EngineDeps,
  tx: StoreTx,
  at: Place,
  what: {
    readonly conversation: Message['conversation'];
    readonly text: string;
    readonly isPromptable: boolean;
  },
): Promise<Message> {
  const { arrival, where, context } = at;
  const message: Message = {
    id: deps.ids.make('message'),
    seq: await tx.next('message'),
    conversation: what.conversation,
    workspace: context.workspace,
    context: context.id,
    direction: 'in',
    sender: principalKey(where.principal),
    senderName: arrival.event.sender.displayName,
    text: what.text,
    label: labelOfMessage(arrival, where.principal, context),
    isPromptable: what.isPromptable,
    externalId: arrival.event.externalId,
    at: deps.clock.nowMs(),
  };
  await tx.insert('context_message', message);
  return message;
}

function markOf(
  deps: EngineDeps,
  arrival: Arrival,
  came: {
    readonly outcome: IngestedEvent['outcome'];
    readonly task?: TaskId;
    readonly run?: RunId;
    readonly reply?: string;
  },
): IngestedEvent {
  const { source, externalId } = arrival.event;
  return { source, externalId, digest: arrivalDigest(arrival), at: deps.clock.nowMs(), ...came };
}

function auditOf(
  at: Place,
  action: 'ingest.accept' | 'ingest.log' | 'ingest.command' | 'ingest.refuse',
  data: NonNullable<AuditDraft['data']>,
  content: string,
): AuditDraft {
  const { arrival, where, context } = at;
  return {
    action,
    actor: principalKey(where.principal),
    subject: `${arrival.event.source}:${arrival.event.externalId}`,
    workspace: context.workspace,
    context: context.id,
    data: { door: arrival.door, ...data },
    content,
  };
}

/** Panic came between the decision and the commit; offered again, the message gets the words of the rule. */
function halted(): AppError {
  return new AppError({
    code: 'ingest.halt.unavailable',
    kind: 'unavailable',
    message: 'Everything is stopped: panic is on.',
  });
}

function refusal(decision: Decision, text: string): AppError {
  const code = decision.reasons[0]?.code;
  const isHalt = code === 'policy.panic' || code === 'policy.gate';
  return new AppError({
    code: isHalt ? 'ingest.halt.unavailable' : 'ingest.task.denied',
    kind: isHalt ? 'unavailable' : 'denied',
    message: text,
  });
}
