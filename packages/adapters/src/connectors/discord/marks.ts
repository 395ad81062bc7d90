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
  /** Direct channels heard of lately, newest first: the gateway does not list them. */
  directs(): readonly string[];
  /** The gateway was heard just now: in channels without a mark nothing older is missing. */
  breathe(): void;
  /** Writes what changed. */
  flush(): Promise<void>;
}

const KEY = 'marks';
const MAX_CHANNELS = 1_000;
/** Clocks differ, and a dead line is noticed late: this much before the last sign of life is asked for as well. Repeats are dropped. */
const SLACK_MS = 120_000;

const stored = z.object({
  alive: z.string(),
  channels: z.array(z.tuple([z.string(), z.string(), z.boolean()])),
});

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
  let written = '';

  const floor = (): string => snowflakeAt(clock.nowMs() - maxAgeMs);
  const after = (channel: string): string => {
    const mark = channels.get(channel)?.last ?? alive;
    return isNewer(mark, floor()) ? mark : floor();
  };
  const write = async (): Promise<void> => {
    const value = JSON.stringify({
      alive,
      channels: [...channels].map(([id, { last, isDirect }]) => [id, last, isDirect]),
    });
    if (value === written) return;
    await memory.set(KEY, value);
    written = value;
  };

  return {
    load: async () => {
      const value = await memory.get(KEY);
      const read = stored.safeParse(value === undefined ? undefined : parse(value));
      if (read.success) {
        for (const [id, last, isDirect] of read.data.channels) channels.set(id, { last, isDirect });
        alive = read.data.alive;
      }
      if (isSnowflake(alive)) return;
      alive = snowflakeAt(clock.nowMs() - SLACK_MS);
      await write();
    },
    began: (work, id) => {
      if (isSnowflake(id)) open.set(work, id);
    },
    ended: (work) => void open.delete(work),
    passed: (channel, message, isDirect) => {
      if (!isSnowflake(message)) return;
      const last = channels.get(channel)?.last;
      // To the end of the map: what is heard of again is kept longest.
      channels.delete(channel);
      channels.set(channel, {
        last: last !== undefined && isNewer(last, message) ? last : message,
        isDirect,
      });
      const [oldest] = channels.keys();
      if (channels.size > MAX_CHANNELS && oldest !== undefined) channels.delete(oldest);
    },
    after,
    isBehind: (channel, last) =>
      isSnowflake(last ?? undefined) ? isNewer(String(last), after(channel)) : channels.has(channel),
    directs: () =>
      [...channels]
        .filter(([, { isDirect, last }]) => isDirect && isNewer(last, floor()))
        .map(([id]) => id)
        .reverse(),
    breathe: () => {
      let safe = snowflakeAt(clock.nowMs() - SLACK_MS);
      for (const id of open.values()) if (isNewer(safe, before(id))) safe = before(id);
      // A clock that was set back must not bring old days again.
      if (isNewer(safe, alive)) alive = safe;
    },
    flush: write,
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
