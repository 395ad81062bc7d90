import {
  AppError,
  type AuditDraft,
  type Context,
  type Decision,
  decide,
  principalKey,
  publicLabel,
  type StoreReader,
  type StoreTx,
} from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import { policyRules, type Reply, replyEffect } from '../effect/index.ts';
import { isGateClosed } from '../gate/index.ts';
import { writeMirror } from '../hub/mirror.ts';
import { pairedAs } from './answer.ts';
import type { Answer } from './asker.ts';
import { type Claims, tellOfClaims } from './bind.ts';
import { writeOnce } from './once.ts';
import { HOW_TO_PAIR, type Tell } from './pair.ts';
import { auditOf, keepWords, markOf, messageId, type Place } from './place.ts';
import { isWanted, see, seenPlace, writeSeen } from './seen.ts';
import { labelOfMessage, splitSource, type Whereabouts } from './who.ts';

/** Why something starts nothing. */
export interface Refusal {
  readonly text: string;
  /** Code of the rule or limit. */
  readonly reason: string;
}

/** An answer that needs no model: filtered like every answer, through the outbox where the door is pushed to. */
export async function answerAtOnce(
  deps: EngineDeps,
  onReply: () => void,
  at: Place,
  answer: Answer,
): Promise<Accepted> {
  const { arrival } = at;
  const reply = wordsOf(deps, at, answer);
  const isQueued = await deps.store.commit(
    auditOf(at, 'ingest.command', answer.about ?? {}, arrival.event.text),
    async (tx) => {
      await mirrorCommand(deps, tx, at);
      if (isUnwelcome(at)) await isFirstNow(deps, tx, refusalKey(deps, at, ''));
      const isQueued = await queueAnswer(deps, tx, at.context, reply);
      await tx.insert(
        'ingest_event',
        markOf(deps, arrival, { outcome: 'command', reply: reply.text, isQueued }),
      );
      return isQueued;
    },
  );
  onReply();
  return { outcome: 'command', isRepeat: false, reply: reply.text, ...(isQueued ? { isQueued } : {}) };
}

/** The effect of words that need no model. */
function wordsOf(deps: EngineDeps, at: Place, answer: Answer): Reply {
  const { arrival, context } = at;
  return replyEffect(deps, {
    context,
    requester: { kind: 'service', context: context.id, owner: context.owner },
    draft: { text: answer.text, replyTo: messageId(arrival) },
    label: answer.label,
    trustedUrls: new Set(),
    kind: 'notice',
    door: arrival.door,
  });
}

/**
 * Under panic and behind a closed gate the door itself shows the words; nothing is kept for later.
 * @returns whether the words leave by themselves
 */
async function queueAnswer(
  deps: EngineDeps,
  tx: StoreTx,
  context: Context,
  { effect, text }: Reply,
): Promise<boolean> {
  if (await isHalted(deps, tx)) return false;
  await tx.insert('effect', effect);
  if (effect.state !== 'approved') return false;
  await writeMirror(deps, tx, context, { direction: 'out', text, label: effect.label });
  return true;
}

/** A command is no message of a conversation, but it was said. */
async function mirrorCommand(
  deps: EngineDeps,
  tx: StoreTx,
  { arrival, where, context }: Place,
): Promise<void> {
  if (arrival.door !== 'chat') return;
  const label = labelOfMessage(arrival, where.principal, context);
  await writeMirror(deps, tx, context, { direction: 'in', text: arrival.event.text, label });
}

/** Nothing is said to anybody now. */
export async function isHalted(deps: EngineDeps, reader: StoreReader = deps.store.read): Promise<boolean> {
  return deps.panic.isOn() || isGateClosed(reader);
}

const MINUTE_MS = 60_000;

/** A stranger in a place where strangers may not ask. */
function isUnwelcome({ where, rules }: Place): boolean {
  return where.principal.kind === 'guest' && rules.settings?.guests !== 'ask';
}

/** A paired person hears each reason once a minute, a stranger one. */
function refusalKey(deps: EngineDeps, { where, context }: Place, reason: string): string {
  const minute = Math.floor(deps.clock.nowMs() / MINUTE_MS);
  const why = where.principal.kind === 'guest' ? '' : `:${reason}`;
  return `refused:${context.id}:${principalKey(where.principal)}:${minute}${why}`;
}

async function isFirstNow(deps: EngineDeps, tx: StoreTx, key: string): Promise<boolean> {
  if ((await tx.get('notify_notice', { key })) !== undefined) return false;
  await tx.insert('notify_notice', { key, at: deps.clock.nowMs() });
  return true;
}

/** Whether this stranger was answered in this minute already, by whatever words: then no command of theirs is carried out or kept. */
export async function isSilenced(deps: EngineDeps, at: Place): Promise<boolean> {
  if (!isUnwelcome(at)) return false;
  return (await deps.store.read.get('notify_notice', { key: refusalKey(deps, at, '') })) !== undefined;
}

/** What leaves nothing: no row, no record, no words. */
export const SILENCE: Accepted = { outcome: 'refused', isRepeat: false };

/** A command above the limit of its sender: the first one of a minute is answered, the others leave nothing. */
export async function refuseCommand(
  deps: EngineDeps,
  onReply: () => void,
  at: Place,
  refusal: Refusal,
): Promise<Accepted> {
  const key = refusalKey(deps, at, refusal.reason);
  const wasSaid = (await deps.store.read.get('notify_notice', { key })) !== undefined;
  return wasSaid ? SILENCE : refuse(deps, onReply, at, refusal);
}

/**
 * What was said is logged and kept out of prompts, and the sender hears why it starts nothing: once per sender and minute, and so does the
 * audit name it. A paired person hears each reason; a stranger one, whatever they send.
 */
export async function refuse(
  deps: EngineDeps,
  onReply: () => void,
  at: Place,
  refusal: Refusal,
): Promise<Accepted> {
  const { arrival, context } = at;
  const { settings } = at.rules;
  const reply = wordsOf(deps, at, { text: refusal.text, label: publicLabel(2) });
  const key = refusalKey(deps, at, refusal.reason);
  const shown = await deps.store.commit(auditOf(at, 'ingest.log', {}, arrival.event.text), async (tx) => {
    const isFirst = await isFirstNow(deps, tx, key);
    if (settings !== undefined) await keepWords(deps, tx, at, { settings, isPromptable: false });
    let isQueued = false;
    if (isFirst) {
      tx.audit(auditOf(at, 'ingest.refuse', { reason: refusal.reason }, arrival.event.text));
      isQueued = await queueAnswer(deps, tx, context, reply);
    }
    const said = isFirst ? { reply: reply.text } : {};
    await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'refused', ...said, isQueued }));
    return isQueued ? { ...said, isQueued } : said;
  });
  onReply();
  return { outcome: 'refused', isRepeat: false, ...shown };
}

/**
 * An act that nobody of these may do, such as a stranger's press of a button: nothing is kept of it, the log names it once per sender and
 * minute, and a platform that waits for an answer gets the words.
 */
export async function refuseAct(
  deps: EngineDeps,
  arrival: Arrival,
  where: Whereabouts,
  decision: Decision,
): Promise<Accepted> {
  const sender = principalKey(where.principal);
  const { source, kind, channel } = arrival.event;
  const key = `refused:${kind}:${source}:${sender}:${Math.floor(deps.clock.nowMs() / MINUTE_MS)}`;
  await writeOnce(deps, key, {
    action: 'ingest.refuse',
    actor: sender,
    subject: source,
    workspace: where.context?.workspace,
    context: where.context?.id,
    data: { channel: channel.id, kind, reasons: decision.reasons.map((reason) => reason.code) },
  });
  const reply = decision.reasons.map((reason) => reason.text).join(' ');
  return { outcome: 'refused', isRepeat: false, reply };
}

/**
 * Strangers in unbound places leave one audit record per sender and minute, whatever they send. In a direct talk they hear as often what
 * to do; elsewhere nothing is said where nobody has bound anything.
 */
export async function refuseUnbound(
  deps: EngineDeps,
  hooks: { readonly tell: Tell; readonly onReply: () => void },
  said: {
    readonly arrival: Arrival;
    readonly where: Whereabouts;
    readonly isPairing: boolean;
    readonly claims?: Claims | undefined;
  },
): Promise<Accepted> {
  const { arrival, where, isPairing, claims } = said;
  const { source, channel, isAddressed } = arrival.event;
  const decision = decide(
    { action: 'task.create', principal: where.principal, door: arrival.door, isAddressed: true },
    await policyRules(deps, deps.store.read, undefined),
  );
  if (arrival.authenticated !== undefined) throw refusal(decision, UNBOUND);
  const isDirect = channel.kind === 'direct';
  const text = isDirect ? await directWords(deps, where, isPairing) : UNBOUND;
  const sender = principalKey(where.principal);
  const key = `refused:${source}:${sender}:${Math.floor(deps.clock.nowMs() / MINUTE_MS)}`;
  const notice = deps.ids.make('notice');
  const audit: AuditDraft = {
    action: 'ingest.refuse',
    actor: sender,
    subject: source,
    data: {
      channel: channel.id,
      reason: claims === undefined ? 'unbound' : 'claimed by several',
      ...(isDirect ? { notice } : {}),
    },
  };
  const [connector, account] = splitSource(source);
  const place = seenPlace(deps, arrival);
  const isFirst = await writeOnce(deps, key, audit, async (tx) => {
    if (place !== undefined) await writeSeen(tx, place, isWanted(arrival));
    if (claims !== undefined) await tellOfClaims(deps, tx, { connector, account }, claims);
  });
  if (isFirst) {
    if (claims !== undefined) hooks.onReply();
    if (isDirect) hooks.tell({ id: notice, connector, account, channel: channel.id, text });
  } else await see(deps, arrival);
  return {
    outcome: 'refused',
    isRepeat: false,
    ...(isAddressed && isFirst ? { reply: text } : {}),
  };
}

const UNBOUND = 'This channel is not bound to a workspace yet. An operator can bind it (`context bind`).';

async function directWords(deps: EngineDeps, where: Whereabouts, isPairing: boolean): Promise<string> {
  if (where.principal.kind === 'guest') return HOW_TO_PAIR;
  return isPairing && where.principal.kind === 'user'
    ? pairedAs(deps.store.read, where.principal.user)
    : UNBOUND;
}

/** Panic came between the decision and the commit; offered again, the message gets the words of the rule. */
export function halted(): AppError {
  return new AppError({
    code: 'ingest.halt.unavailable',
    kind: 'unavailable',
    message: 'Everything is stopped: panic is on.',
  });
}

export function refusal(decision: Decision, text: string): AppError {
  const code = decision.reasons[0]?.code;
  const isHalt = code === 'policy.panic' || code === 'policy.gate';
  return new AppError({
    code: isHalt ? 'ingest.halt.unavailable' : 'ingest.task.denied',
    kind: isHalt ? 'unavailable' : 'denied',
    message: text,
  });
}
