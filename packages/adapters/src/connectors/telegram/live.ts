import type { Clock, ConnectorMemory, LiveFrame, LiveTalk, Logger } from '@agent-runtime/domain';
import { z } from 'zod';
import type { TelegramClient } from './client.ts';
import { toFault } from './fault.ts';
import { isOverWithin } from './patience.ts';
import { parseAddress } from './place.ts';
import { frameBody, targetOf } from './render.ts';

export interface LiveParts {
  readonly client: TelegramClient;
  readonly memory: ConnectorMemory;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A message of ours that waits for its words. */
export interface Placeholder {
  readonly key: string;
  readonly address: string;
  readonly message: number;
  /** False when a frame may still arrive there, and would write over the words. */
  readonly isSettled: boolean;
}

export interface TelegramLive extends LiveTalk {
  /**
   * Ends the frames of a key for good, because its words come now.
   * @returns the message whose place they may take, also one of an earlier process, also again after it got them
   */
  claim(address: string, key: string): Promise<Placeholder | undefined>;
  /** Takes a message away, as well as it goes. Never throws. */
  remove(placeholder: Placeholder, signal: AbortSignal): Promise<void>;
}

/** What happens to one live message. */
interface Talk {
  isInFlight: boolean;
  flight: Promise<void>;
  shownAtMs: number;
  text: string;
  /** The fate of a frame is not known, or it was refused: no other one follows. */
  isLost: boolean;
  /** The words did not wait for the frame on its way. */
  isAbandoned: boolean;
}

interface LiveState extends LiveParts {
  readonly talks: Map<string, Talk>;
  /** Keys whose words were sent or dropped: their frames are late. */
  readonly ended: Set<string>;
}

/** Telegram allows about 20 messages a minute in a group, edits too. */
const EVERY_MS = 3_000;
/** How long the words of an answer wait for a frame that is on its way. */
const FLIGHT_MS = 5_000;
const MOST_KEPT = 1_000;

/** Live messages. Their ids are kept, so that a crash leaves nothing behind that the final words do not take over. */
export function makeLive(parts: LiveParts): TelegramLive {
  const state: LiveState = { ...parts, talks: new Map(), ended: new Set() };
  return {
    everyMs: EVERY_MS,
    typing: (address, signal) => typing(state, address, signal),
    show: (frame, signal) => show(state, frame, signal),
    claim: (address, key) => claim(state, address, key),
    remove: (placeholder, signal) => remove(state, placeholder, signal),
    drop: async (address, key, signal) => {
      const found = await claim(state, address, key).catch(() => undefined);
      if (found !== undefined) await remove(state, found, signal);
    },
  };
}

async function typing({ client }: LiveState, address: string, signal: AbortSignal): Promise<void> {
  const chatId = parseAddress(address)?.chatId;
  if (chatId === undefined) return;
  const body = { ...targetOf(address), chat_id: chatId, action: 'typing' as const };
  await client
    .call({ scope: `chat ${chatId}`, signal, weight: 'sign' }, (api, abort) =>
      api.raw.sendChatAction(body, abort),
    )
    .catch(() => {});
}

async function show(state: LiveState, frame: LiveFrame, signal: AbortSignal): Promise<void> {
  const { talks, ended, clock } = state;
  const before = talks.get(frame.key);
  if (ended.has(frame.key) || before?.isLost === true || before?.isInFlight === true) return;
  if (before !== undefined && clock.monotonicMs() - before.shownAtMs < EVERY_MS) return;
  const body = frameBody(frame);
  const text = JSON.stringify(body.words);
  if (before?.text === text) return;
  const talk: Talk = {
    isInFlight: true,
    flight: Promise.resolve(),
    shownAtMs: clock.monotonicMs(),
    text,
    isLost: false,
    isAbandoned: false,
  };
  bounded(talks, MOST_KEPT).set(frame.key, talk);
  talk.flight = fly(state, { frame, body, talk, signal });
  await talk.flight;
}

interface Flight {
  readonly frame: LiveFrame;
  readonly body: ReturnType<typeof frameBody>;
  readonly talk: Talk;
  readonly signal: AbortSignal;
}

async function fly(state: LiveState, flight: Flight): Promise<void> {
  const { talk } = flight;
  try {
    await showOnce(state, flight);
  } catch (thrown) {
    const { kind, code } = toFault(thrown);
    state.log.debug({ code }, 'A live frame was dropped.');
    talk.isLost = kind === 'uncertain' || kind === 'rejected';
    talk.text = '';
  }
  talk.isInFlight = false;
}

async function showOnce(state: LiveState, { frame, body, talk, signal }: Flight): Promise<void> {
  const { client, memory } = state;
  const known = await recall(memory, frame.key);
  if (known !== undefined) return sendEdit(client, known, body.words, signal);
  const message = await sendFirst(client, frame.address, { ...body.target, ...body.words }, signal);
  const sent = { address: frame.address, message };
  // Nothing will take its place.
  if (talk.isAbandoned) return remove(state, { ...sent, key: frame.key, isSettled: true }, signal);
  await memory.set(keyOf(frame.key), JSON.stringify(sent));
}

async function claim(state: LiveState, address: string, key: string): Promise<Placeholder | undefined> {
  bounded(state.ended, MOST_KEPT).add(key);
  const talk = state.talks.get(key);
  if (talk?.isInFlight === true)
    talk.isAbandoned = !(await isOverWithin(state.clock, talk.flight, FLIGHT_MS));
  state.talks.delete(key);
  const found = await recall(state.memory, key);
  if (found?.address !== address) return undefined;
  return { ...found, key, isSettled: talk === undefined || !(talk.isAbandoned || talk.isLost) };
}

async function remove(
  state: LiveState,
  { key, address, message }: Placeholder,
  signal: AbortSignal,
): Promise<void> {
  const chatId = parseAddress(address)?.chatId ?? 0;
  const body = { chat_id: chatId, message_id: message };
  try {
    await state.client.call({ scope: `chat ${chatId}`, signal, weight: 'other' }, (api, abort) =>
      api.raw.deleteMessage(body, abort),
    );
    await state.memory.remove(keyOf(key));
  } catch (thrown) {
    state.log.debug({ code: toFault(thrown).code }, 'A live message could not be removed.');
  }
}

type Words = ReturnType<typeof frameBody>['words'];

const sentMessage = z.object({ message_id: z.int() });

async function sendFirst(
  client: TelegramClient,
  address: string,
  body: Words,
  signal: AbortSignal,
): Promise<number> {
  const sent = await client.call(
    { scope: scopeOf(address), signal, weight: 'frame' },
    (api, abort) => api.raw.sendMessage(body as never, abort), // safe: made by frameBody
  );
  return sentMessage.parse(sent).message_id;
}

async function sendEdit(
  client: TelegramClient,
  known: Kept,
  words: Words,
  signal: AbortSignal,
): Promise<void> {
  const body = { chat_id: parseAddress(known.address)?.chatId, message_id: known.message, ...words };
  await client.call(
    { scope: scopeOf(known.address), signal, weight: 'frame' },
    (api, abort) => api.raw.editMessageText(body as never, abort), // safe: made by frameBody
  );
}

function scopeOf(address: string): `chat ${number}` {
  return `chat ${parseAddress(address)?.chatId ?? 0}`;
}

const kept = z.object({ address: z.string(), message: z.int() });
type Kept = z.infer<typeof kept>;

function keyOf(key: string): string {
  return `live:${key}`;
}

async function recall(memory: ConnectorMemory, key: string): Promise<Kept | undefined> {
  const found = await memory.get(keyOf(key));
  return found === undefined ? undefined : kept.parse(JSON.parse(found));
}

/** The same collection with room for one more: its oldest goes. */
function bounded<T extends { readonly size: number; keys(): Iterable<string>; delete(key: string): boolean }>(
  collection: T,
  most: number,
): T {
  const [oldest] = collection.keys();
  if (collection.size >= most && oldest !== undefined) collection.delete(oldest);
  return collection;
}
