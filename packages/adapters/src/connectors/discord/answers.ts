import type { Clock, ConnectorMemory } from '@agent-runtime/domain';
import { z } from 'zod';

/** Where the answer to a command goes: Discord gives an address that is good for a quarter of an hour. */
export interface AnswerTokens {
  keep(interaction: string, token: string): Promise<void>;
  /** @returns undefined when it is too late */
  find(interaction: string): Promise<string | undefined>;
}

const PREFIX = 'i:';
/** Discord takes it back after 15 minutes; an answer that is on its way needs some of it. */
const GOOD_FOR_MS = 14.5 * 60_000;

const stored = z.object({ token: z.string(), at: z.number() });

export function answerTokens(memory: ConnectorMemory, clock: Clock): AnswerTokens {
  let prunedAt = Number.NEGATIVE_INFINITY;
  return {
    keep: async (interaction, token) => {
      const at = clock.nowMs();
      await memory.set(`${PREFIX}${interaction}`, JSON.stringify({ token, at }));
      if (clock.monotonicMs() - prunedAt < GOOD_FOR_MS) return;
      prunedAt = clock.monotonicMs();
      await memory.prune(PREFIX, at - GOOD_FOR_MS);
    },
    find: async (interaction) => {
      const value = await memory.get(`${PREFIX}${interaction}`);
      if (value === undefined) return undefined;
      const { token, at } = stored.parse(JSON.parse(value));
      return clock.nowMs() - at < GOOD_FOR_MS ? token : undefined;
    },
  };
}
