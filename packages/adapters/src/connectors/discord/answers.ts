import type { Clock, ConnectorMemory } from '@agent-runtime/domain';
import { z } from 'zod';

/** Where an answer goes. */
export interface AnswerPlace {
  readonly token: string;
  /** Of very old bots it is not the id of the bot. */
  readonly application: string;
}

/** Where the answer to a command goes: Discord gives an address that is good for a quarter of an hour. */
export interface AnswerTokens {
  /** @param opened the first answer, before which the address is good for nothing. Resolves when the address is written down. */
  keep(interaction: string, place: AnswerPlace, opened: Promise<void>): Promise<void>;
  /** Waits for the first answer. @returns undefined when it is too late */
  find(interaction: string): Promise<AnswerPlace | undefined>;
}

const PREFIX = 'i:';
/** Discord takes it back after 15 minutes; an answer that is on its way needs some of it. */
const GOOD_FOR_MS = 14.5 * 60_000;
const MAX_OPENING = 1_000;

const stored = z.object({ token: z.string(), application: z.string(), at: z.number() });

interface Opening {
  readonly place: AnswerPlace;
  readonly opened: Promise<void>;
}

export function answerTokens(memory: ConnectorMemory, clock: Clock): AnswerTokens {
  const openings = new Map<string, Opening>();
  let prunedAt = Number.NEGATIVE_INFINITY;
  const write = async (interaction: string, place: AnswerPlace): Promise<void> => {
    const at = clock.nowMs();
    await memory.set(`${PREFIX}${interaction}`, JSON.stringify({ ...place, at }));
    if (clock.monotonicMs() - prunedAt < GOOD_FOR_MS) return;
    prunedAt = clock.monotonicMs();
    await memory.prune(PREFIX, at - GOOD_FOR_MS);
  };
  return {
    keep: (interaction, place, opened) => {
      openings.set(interaction, { place, opened });
      const [oldest] = openings.keys();
      if (openings.size > MAX_OPENING && oldest !== undefined) openings.delete(oldest);
      const written = write(interaction, place);
      void Promise.allSettled([written, opened]).then(() => openings.delete(interaction));
      return written;
    },
    find: async (interaction) => {
      const opening = openings.get(interaction);
      if (opening !== undefined) {
        await opening.opened;
        return opening.place;
      }
      const value = await memory.get(`${PREFIX}${interaction}`);
      if (value === undefined) return undefined;
      const { at, ...place } = stored.parse(JSON.parse(value));
      return clock.nowMs() - at < GOOD_FOR_MS ? place : undefined;
    },
  };
}

/** Route of the answers of one interaction. */
export function answerRoute({ application, token }: AnswerPlace): `/webhooks/${string}` {
  return `/webhooks/${application}/${token}`;
}
