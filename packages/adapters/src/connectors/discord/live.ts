import type { Clock, ConnectorMemory, Delivery, LiveFrame, LiveTalk, Logger } from '@agent-runtime/domain';
import { z } from 'zod';
import { type AnswerTokens, answerRoute } from './answers.ts';
import { frameBody } from './frame.ts';
import { readAnswerId } from './interaction.ts';
import { nameOf } from './lanes.ts';
import { lookFor } from './look.ts';
import type { DiscordPayload } from './payload.ts';
import { type Api, fault } from './rest.ts';
import type { SentLately } from './sent.ts';
import { nonceOf } from './snowflake.ts';
import { wireMessage } from './wire.ts';

export interface LiveDeps {
  readonly api: Api;
  readonly memory: ConnectorMemory;
  readonly tokens: AnswerTokens;
  readonly clock: Clock;
  readonly log: Logger;
  readonly account: string;
  readonly everyMs: number;
  readonly sent: SentLately;
}

/** Messages that are being written, found again after a restart. */
export interface LiveMessages {
  readonly talk: LiveTalk;
  /**
   * Ends the frames of what a payload completes, and says what it completes. A message that a late frame may still write over is taken
   * away instead.
   * @returns the same for the same effect always
   * @throws AppError when that cannot be found out at present
   */
  finish(payload: DiscordPayload, to: Delivery, signal: AbortSignal): Promise<Finished>;
  /** The message that this effect has completed, or was about to. */
  completedBy(payload: DiscordPayload, to: Delivery): Promise<string | undefined>;
}

export interface Finished {
  /** The message that the payload takes the place of; undefined when it is a new one. */
  readonly message?: string | undefined;
  /** "Is thinking" of a command is gone: its answer follows as a message of its own. */
  readonly isAnswerGone?: boolean | undefined;
}

/** `message` is missing between the wish for one and Discord's word; `answer` is an answer to a command, which has its own place. */
const stored = z.object({
  at: z.number(),
  message: z.string().optional(),
  answer: z.string().optional(),
  doneBy: z.string().optional(),
  /** A frame may still arrive there, so that it went. */
  isLost: z.boolean().optional(),
});
type Stored = z.infer<typeof stored>;

interface State {
  lastAt: number;
  work: Promise<void> | undefined;
  isOver: boolean;
  /** What came of its last frame is not known: it may still arrive. */
  isLost: boolean;
  message: string | undefined;
}

const KEPT_MS = 24 * 3_600_000;
const NONCE_WINDOW_MS = 2 * 60_000;
const MAX_STATES = 1_000;

export function liveMessages(deps: LiveDeps): LiveMessages {
  const { api, memory, clock, log } = deps;
  const states = new Map<string, State>();
  let prunedAt = Number.NEGATIVE_INFINITY;

  const stateOf = (key: string): State => {
    const known = states.get(key);
    if (known !== undefined) return known;
    const state: State = {
      lastAt: Number.NEGATIVE_INFINITY,
      work: undefined,
      isOver: false,
      isLost: false,
      message: undefined,
    };
    states.set(key, state);
    const [oldest] = states.keys();
    if (states.size > MAX_STATES && oldest !== undefined) states.delete(oldest);
    return state;
  };
  const read = async (key: string): Promise<Stored | undefined> => {
    const value = await memory.get(`live:${key}`);
    return value === undefined ? undefined : stored.parse(JSON.parse(value));
  };
  const write = (key: string, value: Stored): Promise<void> =>
    memory.set(`live:${key}`, JSON.stringify(value));

  const prune = async (): Promise<void> => {
    if (clock.monotonicMs() - prunedAt < KEPT_MS / 24) return;
    prunedAt = clock.monotonicMs();
    await memory.prune('live:', clock.nowMs() - KEPT_MS);
  };

  /** Makes the message of a key, or finds the one that was made before a crash: the nonce is the key's. */
  const make = async (key: string, channel: string, body: object, signal: AbortSignal): Promise<string> => {
    const said = await api.call({
      method: 'POST',
      route: `/channels/${channel}/messages`,
      body: { ...body, nonce: nonceOf(`live:${key}`, 0), enforce_nonce: true },
      signal,
    });
    const message = wireMessage.pick({ id: true }).safeParse(said);
    if (!message.success) throw fault('uncertain');
    return message.data.id;
  };

  const drawAnswer = async (frame: LiveFrame, answer: string, signal: AbortSignal): Promise<void> => {
    const address = readAnswerId(answer);
    const place = address && (await deps.tokens.find(address.interaction));
    if (place === undefined) return;
    if ((await read(frame.key)) === undefined) await write(frame.key, { at: clock.nowMs(), answer });
    const route = `${answerRoute(place)}/messages/@original` as const;
    await api.call({ method: 'PATCH', route, body: frameBody(frame, false), signal });
  };

  const draw = async (frame: LiveFrame, state: State, signal: AbortSignal): Promise<void> => {
    if (readAnswerId(frame.replyTo) !== undefined) return drawAnswer(frame, frame.replyTo ?? '', signal);
    const { key, address } = frame;
    if (state.message === undefined) {
      const known = await read(key);
      if (known?.doneBy !== undefined) return over(state);
      if (known?.message === undefined) {
        const at = clock.nowMs();
        if (known === undefined) await write(key, { at });
        state.message = await make(key, address, frameBody(frame, true), signal);
        await write(key, { at, message: state.message });
        return prune();
      }
      state.message = known.message;
    }
    const route = `/channels/${address}/messages/${state.message}` as const;
    await api.call({ method: 'PATCH', route, body: frameBody(frame, false), signal });
  };

  const show = async (frame: LiveFrame, signal: AbortSignal): Promise<void> => {
    const state = stateOf(frame.key);
    if (state.isOver || state.work !== undefined || clock.monotonicMs() - state.lastAt < deps.everyMs) return;
    state.lastAt = clock.monotonicMs();
    state.work = draw(frame, state, signal).catch((error: unknown) => giveWay(state, error, deps));
    await state.work;
    state.work = undefined;
  };

  const end = async (key: string): Promise<void> => {
    const state = stateOf(key);
    state.isOver = true;
    // A frame that is on its way must not come after the answer.
    await state.work;
  };

  const away = async (known: Stored, channel: string, signal: AbortSignal): Promise<void> => {
    const route = await routeOf(deps, known, channel);
    if (route !== undefined) await api.call({ method: 'DELETE', route, signal });
  };

  /** The message that was wished for before the process died, if Discord ever heard of it. */
  const recall = async (
    key: string,
    channel: string,
    at: number,
    signal: AbortSignal,
  ): Promise<string | undefined> => {
    const isFresh = clock.nowMs() - at < NONCE_WINDOW_MS;
    if (isFresh) return make(key, channel, frameBody({ address: channel, key, text: '' }, false), signal);
    const sought = { channel, nonce: nonceOf(`live:${key}`, 0), body: {}, createdAt: undefined };
    const seen = await lookFor(deps, sought, signal);
    return seen.kind === 'there' ? seen.message : undefined;
  };

  return {
    talk: {
      everyMs: deps.everyMs,
      typing: (address, signal) =>
        quietly(log, () => api.call({ method: 'POST', route: `/channels/${address}/typing`, signal })),
      show: (frame, signal) => quietly(log, () => show(frame, signal)),
      drop: (address, key, signal) =>
        quietly(log, async () => {
          await end(key);
          const known = await read(key);
          if (known !== undefined) await away(known, address, signal);
          await memory.remove(`live:${key}`);
        }),
    },
    finish: async (payload, to, signal) => {
      const key = payload.live;
      if (key === undefined) return {};
      await end(key);
      const known = await read(key);
      const effect = `${to.effectId}.${to.part}`;
      if (known === undefined) return {};
      if (known.doneBy !== undefined && known.doneBy !== effect) return {};
      const isKnown = known.message !== undefined || known.answer !== undefined;
      const isLost = known.isLost === true || (known.doneBy === undefined && isKnown && stateOf(key).isLost);
      if (isLost) {
        // Before it is done: whoever repeats this effect must do the same.
        await write(key, { ...known, doneBy: effect, isLost });
        await quietly(log, () => away(known, payload.channel, signal));
        return { isAnswerGone: known.answer !== undefined };
      }
      if (known.answer !== undefined) return {};
      if (known.doneBy !== undefined) return { message: known.message };
      const message = known.message ?? (await recall(key, payload.channel, known.at, signal));
      await write(key, { ...known, ...(message === undefined ? {} : { message }), doneBy: effect });
      return { message };
    },
    completedBy: async (payload, to) => {
      const known = payload.live === undefined ? undefined : await read(payload.live);
      const isOurs = known?.doneBy === `${to.effectId}.${to.part}` && known.isLost !== true;
      return isOurs ? known.message : undefined;
    },
  };
}

function over(state: State): void {
  state.isOver = true;
}

/** A frame is dropped, and after a lasting no there are no more of them: refused requests are counted at Discord. */
function giveWay(state: State, error: unknown, { clock, log }: LiveDeps): void {
  const { kind, retryAfterMs } = fieldsOf(error);
  if (kind === 'exhausted') state.lastAt = clock.monotonicMs() + (retryAfterMs ?? 0);
  if (kind === 'rejected' || kind === 'uncertain') over(state);
  // A message that is made twice is one, by its nonce; a change that is late undoes what came after it.
  if (kind === 'uncertain') state.isLost = true;
  log.debug({ room: 'discord', error: nameOf(error) }, 'A frame of an answer was dropped.');
}

function fieldsOf(error: unknown): { readonly kind?: unknown; readonly retryAfterMs?: number } {
  // safe: both are only compared or defaulted
  return typeof error === 'object' && error !== null
    ? (error as { kind?: unknown; retryAfterMs?: number })
    : {};
}

async function routeOf(deps: LiveDeps, known: Stored, channel: string): Promise<`/${string}` | undefined> {
  if (known.message !== undefined) return `/channels/${channel}/messages/${known.message}`;
  const address = readAnswerId(known.answer);
  const place = address && (await deps.tokens.find(address.interaction));
  return place === undefined ? undefined : `${answerRoute(place)}/messages/@original`;
}

async function quietly(log: Logger, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.debug({ room: 'discord', error: nameOf(error) }, 'A sign of life was dropped.');
  }
}
