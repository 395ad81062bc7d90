import type { Clock, ConnectorMemory } from '@agent-runtime/domain';
import { z } from 'zod';
import { isNewer, isSnowflake, snowflakeAt } from './snowflake.ts';

/** How far each channel was accepted, so that what was said while nobody listened can be asked for. */
export interface Marks {
  /** @throws whatever the memory throws */
  load(): Promise<void>;
  /** Something that arrived, or a look back from this id, is under way: until `ended` the marks do not pass it. */
  began(work: string, id: string): void;
  ended(work: string): void;
  /** Everything in this channel up to this message was accepted, or refused for good, or is nobody's business. */
  passed(channel: string, message: string, isDirect: boolean): void;
  /** Ask for what came after this id. */
  after(channel: string): string;
  /** Can there be anything new? @param last newest id that Discord names for the channel, if it does */
  isBehind(channel: string, last: string | null | undefined): boolean;
  /** Something is under way in a direct channel that nobody heard of before: after a crash it has to be asked for. */
  opened(channel: string, message: string): void;
  /** Direct channels, heard of last first and not all too many: the gateway does not list them. */
  directs(): readonly string[];
  /** The gateway was heard just now: in channels without a mark nothing older is missing. */
  breathe(): void;
  /** Writes what changed; the sign of life now and then. @param isLast it is the last time, so that also */
  flush(isLast?: boolean): Promise<void>;
}

const KEY = 'marks';
const ALIVE_KEY = 'alive';
/** The sign of life is written this often, ms: it changes all the time, and what is asked for twice is dropped as a repeat. */
const ALIVE_EVERY_MS = 60_000;
/** Channels of servers must have their share of what is read back. */
const MAX_DIRECTS = 100;
const MAX_CHANNELS = 1_000;
/** Clocks differ, and a dead line is noticed late: this much before the last sign of life is asked for as well. Repeats are dropped. */
const SLACK_MS = 120_000;

const stored = z.object({ channels: z.array(z.tuple([z.string(), z.string(), z.boolean()])) });

interface Mark {
  readonly last: string;
  readonly isDirect: boolean;
}

/** @param options.maxAgeMs older than this is not asked for: nobody waits for an answer any more */
export function marksOf(
  memory: ConnectorMemory,
  options: { readonly clock: Clock; readonly maxAgeMs: number },
): Marks {
  const { clock, maxAgeMs } = options;
  const channels = new Map<string, Mark>();
  const open = new Map<string, string>();
  let alive = '';
  let isChanged = false;
  let aliveWritten = '';
  let aliveAt = Number.NEGATIVE_INFINITY;

  const floor = (): string => snowflakeAt(clock.nowMs() - maxAgeMs);
  const after = (channel: string): string => {
    const mark = channels.get(channel)?.last ?? alive;
    return isNewer(mark, floor()) ? mark : floor();
  };
  const writeAlive = async (): Promise<void> => {
    if (alive === aliveWritten) return;
    const value = alive;
    await memory.set(ALIVE_KEY, value);
    aliveWritten = value;
    aliveAt = clock.monotonicMs();
  };
  const writeChannels = async (): Promise<void> => {
    if (!isChanged) return;
    isChanged = false;
    try {
      const list = [...channels].map(([id, { last, isDirect }]) => [id, last, isDirect]);
      await memory.set(KEY, JSON.stringify({ channels: list }));
    } catch (error) {
      isChanged = true;
      throw error;
    }
  };
  const note = (channel: string, mark: Mark): void => {
    isChanged = true;
    // To the end of the map: what is heard of again is kept longest.
    channels.delete(channel);
    channels.set(channel, mark);
    const [oldest] = channels.keys();
    if (channels.size > MAX_CHANNELS && oldest !== undefined) channels.delete(oldest);
  };

  return {
    load: async () => {
      const value = await memory.get(KEY);
      const read = stored.safeParse(value === undefined ? undefined : parse(value));
      if (read.success) {
        for (const [id, last, isDirect] of read.data.channels) channels.set(id, { last, isDirect });
      }
      alive = (await memory.get(ALIVE_KEY)) ?? '';
      if (isSnowflake(alive)) return;
      alive = snowflakeAt(clock.nowMs() - SLACK_MS);
      await writeAlive();
    },
    began: (work, id) => {
      if (isSnowflake(id)) open.set(work, id);
    },
    ended: (work) => void open.delete(work),
    passed: (channel, message, isDirect) => {
      if (!isSnowflake(message)) return;
      const last = channels.get(channel)?.last;
      note(channel, { last: last !== undefined && isNewer(last, message) ? last : message, isDirect });
    },
    opened: (channel, message) => {
      if (channels.has(channel) || !isSnowflake(message)) return;
      note(channel, { last: before(message), isDirect: true });
    },
    after,
    isBehind: (channel, last) =>
      isSnowflake(last ?? undefined) ? isNewer(String(last), after(channel)) : channels.has(channel),
    directs: () =>
      [...channels]
        .filter(([, { isDirect }]) => isDirect)
        .map(([id]) => id)
        .reverse()
        .slice(0, MAX_DIRECTS),
    breathe: () => {
      let safe = snowflakeAt(clock.nowMs() - SLACK_MS);
      for (const id of open.values()) if (isNewer(safe, before(id))) safe = before(id);
      // A clock that was set back must not bring old days again.
      if (isNewer(safe, alive)) alive = safe;
    },
    flush: async (isLast = false) => {
      await writeChannels();
      if (isLast || clock.monotonicMs() - aliveAt >= ALIVE_EVERY_MS) await writeAlive();
    },
  };
}

function before(id: string): string {
  return (BigInt(id) - 1n).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
