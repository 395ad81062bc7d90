import { cutText, type InboundEvent } from '@agent-runtime/domain';
import { toFault } from './fault.ts';
import type { Patience } from './patience.ts';

/** Tells people that their press was taken. */
export interface Answers {
  readonly onTaken: (event: InboundEvent, words: string | undefined) => void;
  /** Resolves when no answer is on its way any more. */
  settled(): Promise<void>;
}

const MOST_KNOWN = 1_000;
const MAX_WORDS_CHARS = 200;

/** Each press is answered once, as soon as it is durable; without an answer the button would seem to hang. Nobody waits for it. */
export function makeAnswers({ client, log, signal }: Pick<Patience, 'client' | 'log' | 'signal'>): Answers {
  const known = new Set<string>();
  const open = new Set<Promise<void>>();
  const answer = async (id: string, words: string | undefined): Promise<void> => {
    const text = cutText((words ?? '').toWellFormed(), MAX_WORDS_CHARS);
    const body = { callback_query_id: id, ...(text.trim() === '' ? {} : { text }) };
    await client
      .call({ scope: 'method answerCallbackQuery', signal }, (api, abort) =>
        api.raw.answerCallbackQuery(body, abort),
      )
      .catch((thrown: unknown) =>
        log.debug({ code: toFault(thrown).code }, 'A press could not be answered.'),
      );
  };
  return {
    onTaken: ({ kind, externalId }, words) => {
      if (kind !== 'button' || known.has(externalId)) return;
      known.add(externalId);
      const [oldest] = known;
      if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
      const answered = answer(externalId.slice('cb:'.length), words).finally(() => open.delete(answered));
      open.add(answered);
    },
    settled: async () => void (await Promise.all(open)),
  };
}
