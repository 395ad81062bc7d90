import type { Clock, Delivery, JsonObject, Receipt, Reconciled } from '@agent-runtime/domain';
import { type AnswerTokens, answerRoute } from './answers.ts';
import type { LiveMessages } from './live.ts';
import { isSameBody, lookFor, soughtOf } from './look.ts';
import { type DiscordPayload, editBody, readPayload } from './payload.ts';
import { isGone, isLateAnswer } from './refusal.ts';
import { type Api, fault } from './rest.ts';
import type { SentLately } from './sent.ts';
import { isSnowflake, nonceOf } from './snowflake.ts';
import { type WireMessage, wireMessage } from './wire.ts';

export interface DeliverDeps {
  readonly api: Api;
  readonly tokens: AnswerTokens;
  readonly live: LiveMessages;
  readonly clock: Clock;
  /** Id of the bot's user. */
  readonly account: string;
  readonly sent: SentLately;
}

/** Discord drops repeats of a nonce for "a few minutes"; these are the ones that can be relied on, ms. */
const NONCE_WINDOW_MS = 2 * 60_000;
/** A request that was cut off may still be worked on at the other side for this long, ms. */
const LINGER_MS = 30_000;

/** Sends one payload as it is. @throws AppError as the port says */
export async function deliverDiscord(
  deps: DeliverDeps,
  payload: JsonObject,
  to: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  if (signal.aborted) throw fault('unavailable', 'Stopped before anything was sent.');
  const read = readPayload(payload);
  if (read === undefined) throw fault('rejected', 'This was not made for Discord.');
  switch (read.method) {
    case 'message.create':
      return create(deps, read, to, signal);
    case 'message.edit':
      return receiptOf(await edit(deps, read, read.message, signal), read);
    case 'answer.edit':
    case 'answer.follow':
      return answer(deps, read, to, signal);
    default: {
      const never: never = read;
      return never;
    }
  }
}

async function create(
  deps: DeliverDeps,
  payload: DiscordPayload,
  to: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  const { message: begun } = await deps.live.finish(payload, to, signal);
  if (begun !== undefined) {
    try {
      return receiptOf(await edit(deps, payload, begun, signal), payload);
    } catch (error) {
      // Somebody took the beginning away: the answer is still owed.
      if (!isGone(error)) throw error;
    }
  }
  return (await leftBefore(deps, payload, to, signal)) ?? post(deps, payload, to, signal);
}

/** A try of long ago may have left the message: after the window of the nonce only looking helps. */
async function leftBefore(
  deps: DeliverDeps,
  payload: DiscordPayload,
  to: Delivery,
  signal: AbortSignal,
  windowMs = NONCE_WINDOW_MS,
): Promise<Receipt | undefined> {
  if ((to.attempt ?? 1) <= 1) return undefined;
  if (to.createdAt !== undefined && deps.clock.nowMs() - to.createdAt < windowMs) return undefined;
  const seen = await lookFor(deps, soughtOf(payload, to), signal).catch(() => undefined);
  if (seen?.kind === 'there') return { externalId: seen.message, channel: payload.channel };
  if (seen?.kind === 'absent') return undefined;
  throw fault(
    'uncertain',
    'An earlier try may have left this message, and the channel cannot be read to find out.',
  );
}

async function post(
  deps: DeliverDeps,
  payload: DiscordPayload,
  to: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  const { channel, file } = payload;
  const nonce = nonceOf(to.effectId, to.part);
  deps.sent.began(nonce);
  const said = await deps.api.call({
    method: 'POST',
    route: `/channels/${channel}/messages`,
    body: { ...payload.body, nonce, enforce_nonce: true },
    file,
    signal,
  });
  const receipt = receiptOf(said, payload);
  deps.sent.made(nonce, receipt.externalId);
  return receipt;
}

function edit(
  deps: DeliverDeps,
  payload: DiscordPayload,
  message: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (!isSnowflake(message)) throw fault('rejected', 'There is no message of ours to change.');
  return deps.api.call({
    method: 'PATCH',
    route: `/channels/${payload.channel}/messages/${message}`,
    body: editBody(payload.body),
    file: payload.file,
    signal,
  });
}

type Answer = Extract<DiscordPayload, { method: 'answer.edit' | 'answer.follow' }>;

async function answer(
  deps: DeliverDeps,
  payload: Answer,
  to: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  const { isAnswerGone } = await deps.live.finish(payload, to, signal);
  const place = await deps.tokens.find(payload.interaction);
  if (place === undefined) return answerLate(deps, payload, to, signal);
  const base = answerRoute(place);
  const isFirst = payload.method === 'answer.edit' && isAnswerGone !== true;
  // Changing the same words into the same words is no repeat; what follows has no nonce, so that only looking helps.
  const left = isFirst ? undefined : await leftBefore(deps, payload, to, signal, 0);
  if (left !== undefined) return left;
  try {
    const said = await deps.api.call({
      method: isFirst ? 'PATCH' : 'POST',
      route: isFirst ? `${base}/messages/@original` : base,
      body: isFirst ? payload.body : { ...payload.body, flags: flagsOf(payload) },
      query: isFirst ? undefined : new URLSearchParams({ wait: 'true' }),
      file: payload.file,
      signal,
    });
    return receiptOf(said, payload);
  } catch (error) {
    if (!isLateAnswer(error)) throw error;
    return answerLate(deps, payload, to, signal);
  }
}

const EPHEMERAL = 64;

function flagsOf(payload: Answer): number {
  return Number(payload.body.flags ?? 0) | (payload.isPrivate ? EPHEMERAL : 0);
}

/** The quarter of an hour is over. What only the asker may see must not become a message for everyone. */
async function answerLate(
  deps: DeliverDeps,
  payload: Answer,
  to: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  if (payload.isPrivate)
    throw fault('rejected', 'Discord takes private answers for 15 minutes only. Ask again.');
  return (await leftBefore(deps, payload, to, signal)) ?? post(deps, payload, to, signal);
}

/** Discord said yes, and then not which message: it is there. */
function receiptOf(said: unknown, { channel }: DiscordPayload): Receipt {
  const message = wireMessage.pick({ id: true }).safeParse(said);
  if (!message.success) throw fault('uncertain');
  return { externalId: message.data.id, channel };
}

/** Looks for a payload whose outcome was lost. `not-sent` only when the history is whole and nothing can be on its way any more. */
export async function reconcileDiscord(
  deps: DeliverDeps,
  payload: JsonObject,
  to: Delivery,
  signal: AbortSignal,
): Promise<Reconciled> {
  const read = readPayload(payload);
  if (read === undefined) return { kind: 'not-sent' };
  try {
    return read.method === 'message.create' || read.method === 'answer.follow'
      ? await reconcileNew(deps, read, to, signal)
      : await reconcileEdit(deps, read, signal);
  } catch {
    return { kind: 'unknown' };
  }
}

async function reconcileNew(
  deps: DeliverDeps,
  payload: DiscordPayload,
  to: Delivery,
  signal: AbortSignal,
): Promise<Reconciled> {
  const begun = await deps.live.completedBy(payload, to);
  if (begun !== undefined) return compare(deps, payload, begun, signal);
  const sought = soughtOf(payload, to);
  const seen = await lookFor(deps, sought, signal);
  if (seen.kind === 'there') {
    return { kind: 'sent', receipt: { externalId: seen.message, channel: payload.channel } };
  }
  const isQuiet = deps.clock.nowMs() - deps.sent.triedAt(sought.nonce) >= LINGER_MS;
  // A private follow-up is in no history.
  const isVisible = payload.method !== 'answer.follow' || !payload.isPrivate;
  return seen.kind === 'absent' && isQuiet && isVisible ? { kind: 'not-sent' } : { kind: 'unknown' };
}

async function reconcileEdit(
  deps: DeliverDeps,
  payload: DiscordPayload,
  signal: AbortSignal,
): Promise<Reconciled> {
  if (payload.method === 'message.edit') return compare(deps, payload, payload.message, signal);
  if (payload.method !== 'answer.edit') return { kind: 'unknown' };
  const place = await deps.tokens.find(payload.interaction);
  if (place === undefined) return { kind: 'unknown' };
  const route = `${answerRoute(place)}/messages/@original` as const;
  return compared(await deps.api.call({ method: 'GET', route, signal }), payload);
}

/** Does the message say this by now? That it does not may mean "not yet". */
async function compare(
  deps: DeliverDeps,
  payload: DiscordPayload,
  message: string,
  signal: AbortSignal,
): Promise<Reconciled> {
  const route = `/channels/${payload.channel}/messages/${message}` as const;
  return compared(await deps.api.call({ method: 'GET', route, signal }), payload);
}

function compared(said: unknown, payload: DiscordPayload): Reconciled {
  const message: WireMessage | undefined = wireMessage.safeParse(said).data;
  if (message === undefined || !isSameBody(message, payload.body)) return { kind: 'unknown' };
  return { kind: 'sent', receipt: { externalId: message.id, channel: payload.channel } };
}
