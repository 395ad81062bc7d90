import { cutText, type InboundChannel, type InboundSender } from '@agent-runtime/domain';
import type { TelegramChat, TelegramMessage, TelegramUser } from './update.ts';

/** Who we are, and what is known of topics: they are named only when they are opened. */
export interface TelegramSelf {
  /** Id of the bot's account. */
  readonly id: string;
  /** Without the `@`. */
  readonly username: string;
  readonly topicName?: ((chatId: number, topicId: number) => string | undefined) | undefined;
}

const MAX_NAME_CHARS = 200;

/** Accounts of the platform itself: forwards of linked channels, anonymous admins, posts in the name of a channel. */
const SERVICE_ACCOUNTS: ReadonlySet<number> = new Set([777_000, 1_087_968_824, 136_817_688]);

/** A name as it may stand in a record: whole characters, bounded. */
export function cleanName(name: string): string {
  return cutText(name.toWellFormed(), MAX_NAME_CHARS);
}

export function personOf(user: TelegramUser): InboundSender {
  return {
    id: String(user.id),
    displayName: nameOf([user.first_name, user.last_name], user.id),
    isBot: user.is_bot || SERVICE_ACCOUNTS.has(user.id),
  };
}

function nameOf(parts: readonly (string | undefined)[], id: number): string {
  const name = parts.filter((part) => part !== undefined && part.trim() !== '').join(' ');
  return cleanName(name === '' ? String(id) : name);
}

/** A chat that speaks is no person: nothing it says is anybody's. */
export function chatAsSender(chat: TelegramChat): InboundSender {
  return { id: String(chat.id), displayName: titleOf(chat), isBot: true };
}

export function titleOf(chat: TelegramChat): string {
  return nameOf(chat.title === undefined ? [chat.first_name, chat.last_name] : [chat.title], chat.id);
}

/**
 * The topic of a forum that a message stands in. A thread of answers in an ordinary group, or in the general topic of a forum, has a thread
 * id as well, and is none.
 */
export function topicOf(
  message: Pick<TelegramMessage, 'is_topic_message' | 'chat' | 'message_thread_id'>,
): number | undefined {
  return message.is_topic_message === true && message.chat.type === 'supergroup'
    ? message.message_thread_id
    : undefined;
}

/** @returns undefined for channels, where nobody can be told apart */
export function channelOf(
  chat: TelegramChat,
  self: TelegramSelf,
  topic?: { readonly id: number; readonly name: string | undefined } | undefined,
): InboundChannel | undefined {
  const id = String(chat.id);
  switch (chat.type) {
    case 'private':
      return { id, kind: 'direct', title: titleOf(chat) };
    case 'group':
    case 'supergroup':
      if (topic === undefined) return { id, kind: 'group', title: titleOf(chat), group: id };
      return {
        id: `${id}/${topic.id}`,
        kind: 'thread',
        title: nameOf(
          [topic.name ?? self.topicName?.(chat.id, topic.id) ?? `${titleOf(chat)} #${topic.id}`],
          topic.id,
        ),
        group: id,
        parent: id,
      };
    default:
      return undefined;
  }
}

/** What a message says about the name of its topic, if anything. */
export function topicNameIn(message: TelegramMessage): string | undefined {
  return (
    message.forum_topic_edited?.name ??
    message.forum_topic_created?.name ??
    message.reply_to_message?.forum_topic_created?.name
  );
}

/** Chat and topic of an address, as `channelOf` wrote it. @returns undefined for an address of another kind */
export function parseAddress(
  address: string,
): { readonly chatId: number; readonly topicId: number | undefined } | undefined {
  const match = /^(-?\d{1,16})(?:\/(\d{1,16}))?$/.exec(address);
  if (match === null) return undefined;
  const chatId = Number(match[1]);
  const topicId = match[2] === undefined ? undefined : Number(match[2]);
  return Number.isSafeInteger(chatId) ? { chatId, topicId } : undefined;
}
