import {
  AppError,
  type Conversation,
  type Decision,
  decide,
  type EffectiveSettings,
  type Intent,
  join,
  type PolicyRules,
  type StoreTx,
} from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import { acknowledge, addTo, askIntent, openIntentOf } from '../intent/index.ts';
import { mayBeCommand } from './arrival.ts';
import { openConversation } from './conversation.ts';
import { assertQueueHasRoom, assertSenderHasRoom, requireShort } from './limits.ts';
import { auditOf, type Joined, keepWords, markOf, type Place, writeMessage } from './place.ts';
import { halted, refusal, refuse } from './refuse.ts';
import { labelOfMessage } from './who.ts';
import { makeWork, queueRun } from './work.ts';

/** What a start wakes. */
export interface StartHooks {
  readonly onRun: () => void;
  readonly onReply: () => void;
}

/** A message that asks for work starts a run, or is refused with words; one that asks for nothing is only logged. */
export async function startOrLog(
  deps: EngineDeps,
  hooks: StartHooks,
  at: Place,
  taskText: string | undefined,
): Promise<Accepted> {
  const { arrival, where, rules } = at;
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
  return refuse(deps, hooks.onReply, at, { text, reason: decision.reasons[0]?.code ?? '' });
}

interface Granted {
  readonly rules: PolicyRules;
  readonly decision: Decision;
  readonly taskText: string | undefined;
}

/** In chat a limit is an answer, not an error: thrown, the platform would offer the message again and again. */
async function startOrRefuse(
  deps: EngineDeps,
  hooks: StartHooks,
  at: Place,
  granted: Granted,
): Promise<Accepted> {
  try {
    return await startRun(deps, hooks, at, granted);
  } catch (thrown) {
    const isFull = thrown instanceof AppError && FULL.has(thrown.code);
    if (!isFull || at.arrival.authenticated !== undefined) throw thrown;
    return refuse(deps, hooks.onReply, at, { text: thrown.message, reason: thrown.code });
  }
}

const FULL: ReadonlySet<string> = new Set([
  'ingest.queue.exhausted',
  'ingest.guest.exhausted',
  'ingest.sender.exhausted',
  'ingest.prompt.invalid',
  'intent.text.invalid',
  'intent.card.denied',
]);

async function startRun(deps: EngineDeps, hooks: StartHooks, at: Place, granted: Granted): Promise<Accepted> {
  const { arrival, where, context } = at;
  const { settings } = granted.rules;
  if (settings === undefined) throw refusal(granted.decision, 'This place is not bound to a workspace.');
  const text = granted.taskText ?? arrival.event.text;
  requireShort(text, settings);
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
      await assertSenderHasRoom(
        tx,
        { principal: where.principal, context, settings, door: arrival.door },
        deps.clock.nowMs(),
      );
      const old = await waitingWish(deps, tx, at, { settings, conversation });
      const isAdded = old !== undefined && !isTask;
      const said = {
        conversation: conversation.id,
        text,
        isPromptable: where.principal.kind !== 'guest',
        of: isAdded ? await joined(tx, at, old, addTo(old, text, limitOf(deps, settings))) : undefined,
      };
      const message = await writeMessage(deps, tx, at, said);
      if (isAdded || (isTask && settings.acknowledge === 'confirm')) {
        const kind = isAdded ? old.kind : isResearch ? 'research' : 'chat';
        const requester = where.principal;
        const reply = await askIntent(deps, tx, { message, context, settings, requester, kind, old });
        const said = { outcome: 'command', ...(reply === undefined ? {} : { reply }) } as const;
        await tx.insert('ingest_event', markOf(deps, arrival, { ...said, isQueued: true }));
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

/** The place's own limit, where it has one, is the limit of a whole wish. */
function limitOf(deps: EngineDeps, { maxPromptChars }: EffectiveSettings): number {
  return Math.min(maxPromptChars ?? deps.config.maxPromptChars, deps.config.maxPromptChars);
}

/** A wish and what is added to it, as one message that takes the place of the older one in prompts. */
async function joined(tx: StoreTx, at: Place, old: Intent, text: string): Promise<Joined> {
  const before = await tx.get('context_message', { id: old.message });
  await tx.update('context_message', { id: old.message }, { isPromptable: false });
  const { event } = at.arrival;
  const attachments = [...(before?.attachments ?? []), ...(event.attachments ?? [])];
  return {
    text,
    label: join(old.label, labelOfMessage(at.arrival, at.where.principal, at.context)),
    attachments: attachments.length === 0 ? undefined : attachments,
  };
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

/** No words and nothing that came with them. */
function isEmpty({ event }: Arrival): boolean {
  return event.text.trim() === '' && (event.attachments ?? []).length === 0;
}

/** Kept for the log, without a run. Words of strangers and edits stay out of prompts. */
export async function logOnly(deps: EngineDeps, at: Place): Promise<Accepted> {
  const { arrival, where } = at;
  const { settings } = at.rules;
  if (settings === undefined || isEmpty(arrival)) return { outcome: 'logged', isRepeat: false };
  const isPromptable =
    where.principal.kind !== 'guest' && !arrival.event.sender.isBot && arrival.event.kind === 'message';
  await deps.store.commit(auditOf(at, 'ingest.log', {}, arrival.event.text), async (tx) => {
    await keepWords(deps, tx, at, { settings, isPromptable });
    await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'logged' }));
  });
  return { outcome: 'logged', isRepeat: false };
}
