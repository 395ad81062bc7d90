import { CAPTION, replyMembers, TEXT, type TextNames } from './outgoing.ts';
import { cleanText, type FormattedText, withFoundEntities } from './text.ts';
import type {
  ChatRef,
  MessageAddress,
  TelegramChat,
  TelegramEntity,
  TelegramMessage,
  TelegramUser,
} from './wire.ts';
import type { World } from './world.ts';

/** Bytes that somebody sends, and what the message says of them (`file_name`, `mime_type`, `duration`, `width`). */
export interface SentFile {
  readonly bytes: Uint8Array | string;
  readonly [member: string]: unknown;
}

/** Kinds of files a message may carry. */
export interface Attachments {
  readonly photo?: SentFile;
  readonly document?: SentFile;
  readonly voice?: SentFile;
  readonly audio?: SentFile;
  readonly video?: SentFile;
  readonly video_note?: SentFile;
  readonly animation?: SentFile;
  readonly sticker?: SentFile;
}

export interface Saying extends Attachments {
  readonly chat: ChatRef;
  /** Left out in channels, and where a chat speaks: then it is in the name of `senderChat`. */
  readonly from?: TelegramUser;
  /** Who speaks instead of a person. Default: the chat itself, as anonymous admins do. */
  readonly senderChat?: TelegramChat;
  /** The caption when there is a file. */
  readonly text?: string;
  /** Chosen by the sender; what the server finds by itself is added. */
  readonly entities?: readonly TelegramEntity[];
  readonly topic?: number;
  readonly replyTo?: MessageAddress;
  /** As on the wire, e.g. `{type: 'hidden_user', sender_user_name, date}`. */
  readonly forwardOrigin?: object;
  readonly viaBot?: TelegramUser;
  /** Any other member of a message, as on the wire. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Members of a message that hold a file. */
export const FILE_KINDS = [
  'photo',
  'document',
  'voice',
  'audio',
  'video',
  'video_note',
  'animation',
  'sticker',
] as const satisfies readonly (keyof Attachments)[];

/** What somebody says, as members of a message. @param answered what it replies to */
export function sayingMembers(
  world: World,
  chat: TelegramChat,
  { saying, answered }: { readonly saying: Saying; readonly answered: TelegramMessage | undefined },
): Partial<TelegramMessage> {
  const { topic, forwardOrigin, viaBot, text = '', entities = [] } = saying;
  const files = fileMembers(world, saying);
  const names = Object.keys(files).length > 0 ? CAPTION : TEXT;
  return {
    ...speaker(chat, saying),
    ...(topic === undefined ? {} : { message_thread_id: topic, is_topic_message: true as const }),
    ...replyMembers(answered),
    ...(forwardOrigin === undefined ? {} : { forward_origin: forwardOrigin }),
    ...(viaBot === undefined ? {} : { via_bot: viaBot }),
    ...files,
    ...(text === '' ? {} : saidText({ text, entities }, names)),
    ...saying.more,
  };
}

const SMALL = { width: 90, height: 90 };
const LARGE = { width: 1280, height: 1280 };

function fileMembers(world: World, attachments: Attachments): Readonly<Record<string, unknown>> {
  const members: Record<string, unknown> = {};
  for (const kind of FILE_KINDS) {
    const sent = attachments[kind];
    if (sent === undefined) continue;
    const { bytes, ...about } = sent;
    const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    // A photo comes in several sizes, the largest last.
    members[kind] =
      kind === 'photo'
        ? [SMALL, LARGE].map((size) => world.addFile(content, { ...size, ...about }))
        : world.addFile(content, about);
  }
  return members;
}

/** Users under whose names the real server shows what no person says. */
const GROUP_BOT: TelegramUser = {
  id: 1087968824,
  is_bot: true,
  first_name: 'Group',
  username: 'GroupAnonymousBot',
};
const CHANNEL_BOT: TelegramUser = {
  id: 136817688,
  is_bot: true,
  first_name: 'Channel',
  username: 'Channel_Bot',
};

function speaker(chat: TelegramChat, { from, senderChat = chat }: Saying): Partial<TelegramMessage> {
  if (from !== undefined) return { from };
  if (chat.type === 'channel') return { sender_chat: senderChat };
  return { from: senderChat.id === chat.id ? GROUP_BOT : CHANNEL_BOT, sender_chat: senderChat };
}

/** A text of a person with all its marks; without any it takes older ones away. */
export function saidText(said: FormattedText, names: TextNames): Partial<TelegramMessage> {
  // No client can send half a surrogate pair.
  const whole = { text: said.text.toWellFormed(), entities: said.entities };
  const { text, entities } = withFoundEntities(cleanText(whole));
  return { [names.text]: text, [names.entities]: entities.length > 0 ? entities : undefined };
}
