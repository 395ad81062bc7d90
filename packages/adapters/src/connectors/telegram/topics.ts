import { topicNameIn, topicOf } from './place.ts';
import type { TelegramUpdate } from './update.ts';

/** Names of forum topics, as far as this process has heard them. */
export interface Topics {
  learn(update: TelegramUpdate): void;
  readonly nameOf: (chatId: number, topicId: number) => string | undefined;
}

const MOST_TOPICS = 1_000;

export function makeTopics(): Topics {
  const names = new Map<string, string>();
  return {
    learn: ({ message }) => {
      const topic = message === undefined ? undefined : topicOf(message);
      const name = message === undefined ? undefined : topicNameIn(message);
      if (message === undefined || topic === undefined || name === undefined) return;
      names.set(`${message.chat.id}/${topic}`, name);
      const [oldest] = names.keys();
      if (names.size > MOST_TOPICS && oldest !== undefined) names.delete(oldest);
    },
    nameOf: (chatId, topicId) => names.get(`${chatId}/${topicId}`),
  };
}
