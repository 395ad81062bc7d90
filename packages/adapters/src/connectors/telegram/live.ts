import type { Clock, ConnectorMemory, LiveFrame, LiveTalk, Logger } from '@agent-runtime/domain';
import { z } from 'zod';
import type { TelegramClient } from './client.ts';
import { toFault } from './fault.ts';
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
  readonly address: string;
  readonly message: number;
}

export interface TelegramLive extends LiveTalk {
  /**
   * Ends the frames of a key for good, because its words come now.
   * @returns the message that they shall take the place of, also one of an earlier process, also again after it got them
   */
  claim(address: string, key: string): Promise<Placeholder | undefined>;
  /** Takes a message away, as well as it goes. Never throws. */
  remove(placeholder: Placeholder, signal: AbortSignal): Promise<void>;
}

interface Talk {
  readonly flight: Promise<void>;
  readonly isInFlight: boolean;
  readonly shownAtMs: number;
  readonly text: string;
  /** A first frame whose fate nobody knows: another one would be a second message. */
  readonly isLost: boolean;
}

/** Telegram allows about 20 messages a minute in a group, edits too. */
const EVERY_MS = 3_000;
/** How long the words of an answer wait for a frame that is on its way. */
const FLIGHT_MS = 5_000;
const MOST_ENDED = 1_000;

/** Live messages. Their ids are kept, so that a crash leaves nothing behind that the final words do not take over. */
export function makeLive(parts: LiveParts): TelegramLive {
  const { client, memory, clock, log } = parts;
  const talks = new Map<string, Talk>();
  const ended = new Set<string>();

  const end = (key: string): void => {
    ended.add(key);
    for (const oldest of ended) {
      if (ended.size <= MOST_ENDED) break;
      ended.delete(oldest);
    }
  };
  const remove = async (placeholder: Placeholder, signal: AbortSignal): Promise<void> => {
    const chatId = parseAddress(placeholder.address)?.chatId;
    if (chatId === undefined) return;
    const body = { chat_id: chatId, message_id: placeholder.message };
    await client
      .call({ scope: `chat ${chatId}`, signal }, (api, abort) => api.raw.deleteMessage(body, abort))
      .catch((thrown: unknown) =>
        log.debug({ code: toFault(thrown).code }, 'A live message could not be removed.'),
      );
  };

  const showOnce = async (frame: LiveFrame, words: Words, signal: AbortSignal): Promise<boolean> => {
    const known = await recall(memory, frame.key);
    if (known !== undefined) {
      await sendEdit(client, known, words, signal);
      return true;
    }
    const sent = { address: frame.address, message: await sendFirst(client, frame, words, signal) };
    await memory.set(`live:${frame.key}`, JSON.stringify(sent));
    // The words came while this was on its way, and did not wait: nothing will take its place.
    if (ended.has(frame.key)) await remove(sent, signal);
    return true;
  };

  return {
    everyMs: EVERY_MS,
    remove,
    typing: async (address, signal) => {
      const chatId = parseAddress(address)?.chatId;
      if (chatId === undefined) return;
      const body = { ...targetOf(address), chat_id: chatId, action: 'typing' as const };
      await client
        .call({ scope: `chat ${chatId}`, signal, isPatient: false }, (api, abort) =>
          api.raw.sendChatAction(body, abort),
        )
        .catch(() => {});
    },
    show: async (frame, signal) => {
      const talk = talks.get(frame.key);
      const words = frameBody(frame).words;
      const text = JSON.stringify(words);
      const isTooSoon = talk !== undefined && clock.monotonicMs() - talk.shownAtMs < EVERY_MS;
      if (ended.has(frame.key) || talk?.isLost === true || talk?.isInFlight === true || isTooSoon) return;
      if (talk?.text === text) return;
      const about = { shownAtMs: clock.monotonicMs(), text };
      const flight = showOnce(frame, words, signal).then(
        () => void talks.set(frame.key, { ...about, flight, isInFlight: false, isLost: false }),
        (thrown: unknown) => {
          const { kind, code } = toFault(thrown);
          log.debug({ code }, 'A live frame was dropped.');
          const isLost = kind === 'uncertain' || kind === 'rejected';
          talks.set(frame.key, { ...about, text: '', flight, isInFlight: false, isLost });
        },
      );
      talks.set(frame.key, { ...about, flight, isInFlight: true, isLost: false });
      await flight;
    },
    claim: async (address, key) => {
      end(key);
      const talk = talks.get(key);
      if (talk?.isInFlight === true) await within(clock, talk.flight, FLIGHT_MS);
      talks.delete(key);
      const found = await recall(memory, key);
      return found?.address === address ? found : undefined;
    },
    drop: async (address, key, signal) => {
      try {
        end(key);
        const talk = talks.get(key);
        if (talk?.isInFlight === true) await within(clock, talk.flight, FLIGHT_MS);
        talks.delete(key);
        const found = await recall(memory, key);
        if (found?.address !== address) return;
        await remove(found, signal);
        await memory.remove(`live:${key}`);
      } catch (thrown) {
        log.debug({ code: toFault(thrown).code }, 'A live message could not be dropped.');
      }
    },
  };
}

type Words = ReturnType<typeof frameBody>['words'];

const sentMessage = z.object({ message_id: z.int() });

async function sendFirst(
  client: TelegramClient,
  frame: LiveFrame,
  words: Words,
  signal: AbortSignal,
): Promise<number> {
  const body = { ...frameBody(frame).target, ...words };
  const sent = await client.call(
    { scope: scopeOf(frame.address), signal, isPatient: false },
    (api, abort) => api.raw.sendMessage(body as never, abort), // safe: made by frameBody
  );
  return sentMessage.parse(sent).message_id;
}

async function sendEdit(
  client: TelegramClient,
  known: Placeholder,
  words: Words,
  signal: AbortSignal,
): Promise<void> {
  const body = { chat_id: parseAddress(known.address)?.chatId, message_id: known.message, ...words };
  await client.call(
    { scope: scopeOf(known.address), signal, isPatient: false },
    (api, abort) => api.raw.editMessageText(body as never, abort), // safe: made by frameBody
  );
}

function scopeOf(address: string): `chat ${number}` {
  return `chat ${parseAddress(address)?.chatId ?? 0}`;
}

const record = z.object({ address: z.string(), message: z.int() });

async function recall(memory: ConnectorMemory, key: string): Promise<Placeholder | undefined> {
  const kept = await memory.get(`live:${key}`);
  return kept === undefined ? undefined : record.parse(JSON.parse(kept));
}

async function within(clock: Clock, work: Promise<void>, ms: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, clock.sleep(ms, timer.signal)]);
  timer.abort();
}
