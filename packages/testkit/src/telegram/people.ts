import { CAPTION, replyMembers, TEXT, type TextNames } from './outgoing.ts';
import { cleanText, type FormattedText, withFoundEntities } from './text.ts';
import type { UpdateQueue } from './updates.ts';
import {
  type ChatRef,
  chatIdOf,
  type MessageAddress,
  type TelegramChat,
  type TelegramEntity,
  type TelegramFile,
  type TelegramMember,
  type TelegramMessage,
  type TelegramStatus,
  type TelegramUpdate,
  type TelegramUser,
} from './wire.ts';
import type { ChatRoom, World } from './world.ts';

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
  /** Left out in channels, and for an anonymous admin (then the chat itself speaks). */
  readonly from?: TelegramUser;
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

export interface Rewording {
  readonly text: string;
  readonly entities?: readonly TelegramEntity[];
}

export interface MembershipChange {
  readonly chat: ChatRef;
  readonly user: TelegramUser;
  readonly status: TelegramStatus;
  /** Who did it. Default: the user, and when it is the bot: somebody else of the chat. */
  readonly by?: TelegramUser;
}

/** As updates about members tell it. */
interface MemberChange {
  readonly from: TelegramUser;
  readonly old_chat_member: TelegramMember;
  readonly new_chat_member: TelegramMember;
}

const FILE_KINDS = [
  'photo',
  'document',
  'voice',
  'audio',
  'video',
  'video_note',
  'animation',
  'sticker',
] as const satisfies readonly (keyof Attachments)[];

/** Everything that people do in a world; what the bot may see becomes an update. */
export class People {
  readonly #world: World;
  readonly #updates: UpdateQueue;
  readonly #callbacks: Set<string>;
  #lastCallback = 0;

  constructor(world: World, updates: UpdateQueue, callbacks: Set<string>) {
    this.#world = world;
    this.#updates = updates;
    this.#callbacks = callbacks;
  }

  /** Somebody writes. @returns the message as it is in the chat, also when the bot does not get it */
  say(saying: Saying): TelegramMessage {
    const room = this.#world.room(chatIdOf(saying.chat));
    if (saying.from !== undefined) this.#join(room, saying.from);
    const message = this.#world.add(room, { ...this.#content(room, saying), ...saying.more });
    this.#tellMessage(room, message, false);
    return message;
  }

  /** Somebody changes what they wrote (the text, or the caption of a file). */
  edit(address: MessageAddress, { text, entities = [] }: Rewording): TelegramMessage {
    const room = this.#world.room(address.chat.id);
    const before = this.#messageIn(room, address);
    const names = before.text === undefined ? CAPTION : TEXT;
    const next = { ...before, ...texts({ text, entities }, names), edit_date: this.#world.nowSeconds() };
    this.#world.change(room, next);
    this.#tellMessage(room, next, true);
    return next;
  }

  /** Somebody deletes a message; bots are not told. */
  remove(address: MessageAddress): void {
    this.#world.remove(this.#world.room(address.chat.id), address.message_id);
  }

  /**
   * Somebody presses a button, also one that was never there.
   * @returns the id of the query
   */
  press(address: MessageAddress, data: string, from: TelegramUser): string {
    const room = this.#world.room(address.chat.id);
    const stored = this.#world.find(room, address.message_id);
    this.#lastCallback += 1;
    const id = `press-${this.#lastCallback}`;
    this.#callbacks.add(id);
    // A message that is gone comes without its content.
    const message = stored?.now ?? { chat: room.chat, message_id: address.message_id, date: 0 };
    this.#updates.push('callback_query', { id, from, message, chat_instance: String(-room.chat.id), data });
    return id;
  }

  /**
   * Somebody sets their reactions to a message.
   * @returns undefined when the bot does not get it: it is no admin of the group, or did not ask for this kind
   */
  react(address: MessageAddress, emoji: readonly string[], from: TelegramUser): TelegramUpdate | undefined {
    const room = this.#world.room(address.chat.id);
    const next = emoji.map((one) => ({ type: 'emoji', emoji: one }));
    const before = this.#world.setReactions(room, address.message_id, from.id, next);
    if (room.chat.type !== 'private' && !this.#isBotAdmin(room)) return undefined;
    return this.#updates.push('message_reaction', {
      chat: room.chat,
      message_id: address.message_id,
      user: from,
      date: this.#world.nowSeconds(),
      old_reaction: before,
      new_reaction: next,
    });
  }

  /** The standing of somebody (or of the bot) in a chat changes. In a private chat, `kicked` is: the bot is blocked. */
  member({ chat, user, status, by }: MembershipChange): void {
    const room = this.#world.room(chatIdOf(chat));
    const before = room.members.get(user.id) ?? { user, status: 'left' };
    const after: TelegramMember = { user, status };
    const isBot = user.id === this.#world.bot.id;
    // A bot that was thrown out is told of that, and of nothing after it.
    const isHeard = isBot || this.#isBotIn(room);
    room.members.set(user.id, after);
    const change = {
      chat: room.chat,
      from: by ?? (isBot ? this.#anyoneIn(room).from : undefined) ?? user,
      date: this.#world.nowSeconds(),
      old_chat_member: before,
      new_chat_member: after,
    };
    if (isBot) this.#updates.push('my_chat_member', change);
    else if (isHeard && this.#isBotAdmin(room)) this.#updates.push('chat_member', change);
    this.#announceMember(room, change);
  }

  /**
   * A group becomes a supergroup: a new chat with a new id; the old one answers with 400 from now on.
   * @returns the new chat
   */
  migrate(chat: ChatRef, by?: TelegramUser): TelegramChat {
    const old = this.#world.room(chatIdOf(chat));
    const from = by ?? this.#anyoneIn(old);
    const supergroup: TelegramChat = {
      ...old.chat,
      id: -1_000_000_000_000 - this.#world.nextId(),
      type: 'supergroup',
    };
    const room = this.#world.addRoom(supergroup, [...old.members.values()]);
    const leaving = this.#world.add(old, { ...from, migrate_to_chat_id: supergroup.id });
    this.#tellMessage(old, leaving, false);
    old.migratedTo = supergroup.id;
    const arriving = this.#world.add(room, { ...from, migrate_from_chat_id: old.chat.id });
    this.#tellMessage(room, arriving, false);
    return supergroup;
  }

  /** Somebody opens a topic in a forum. @returns its id, to be given as `topic` */
  openTopic(chat: ChatRef, name: string, from: TelegramUser): number {
    const room = this.#world.room(chatIdOf(chat));
    if (room.chat.is_forum !== true) throw new Error(`Chat ${room.chat.id} is no forum; make it one.`);
    const topic = room.lastMessageId + 1;
    room.topics.set(topic, name);
    const message = this.#world.add(room, {
      from,
      message_thread_id: topic,
      is_topic_message: true,
      forum_topic_created: { name, icon_color: 7322096 },
    });
    this.#tellMessage(room, message, false);
    return topic;
  }

  /** Somebody deletes a topic: the bot is not told, and cannot write there any more. */
  removeTopic(chat: ChatRef, topic: number): void {
    this.#world.room(chatIdOf(chat)).topics.delete(topic);
  }

  #content(room: ChatRoom, saying: Saying): Partial<TelegramMessage> {
    const { from, topic, replyTo, forwardOrigin, viaBot, text = '', entities = [] } = saying;
    const files = this.#files(saying);
    const names = Object.keys(files).length > 0 ? CAPTION : TEXT;
    const answered = replyTo === undefined ? undefined : this.#messageIn(room, replyTo);
    return {
      ...(from === undefined ? { sender_chat: room.chat } : { from }),
      ...(topic === undefined ? {} : { message_thread_id: topic, is_topic_message: true as const }),
      ...replyMembers(answered),
      ...(forwardOrigin === undefined ? {} : { forward_origin: forwardOrigin }),
      ...(viaBot === undefined ? {} : { via_bot: viaBot }),
      ...files,
      ...(text === '' ? {} : texts({ text, entities }, names)),
    };
  }

  #files(attachments: Attachments): Readonly<Record<string, unknown>> {
    const members: Record<string, unknown> = {};
    for (const kind of FILE_KINDS) {
      const sent = attachments[kind];
      if (sent === undefined) continue;
      const { bytes, ...about } = sent;
      const file = this.#world.addFile(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, about);
      members[kind] = kind === 'photo' ? photoSizes(file) : file;
    }
    return members;
  }

  #messageIn(room: ChatRoom, { message_id }: MessageAddress): TelegramMessage {
    const stored = room.messages.get(message_id);
    if (stored === undefined) throw new Error(`There is no message ${message_id} in chat ${room.chat.id}.`);
    return stored.now;
  }

  #tellMessage(room: ChatRoom, message: TelegramMessage, isEdit: boolean): void {
    if (!this.#isBotIn(room) || !this.#mayBotRead(room, message)) return;
    const noun = room.chat.type === 'channel' ? 'channel_post' : 'message';
    this.#updates.push(isEdit ? `edited_${noun}` : noun, message);
  }

  /** Bots in privacy mode get what is meant for them alone. */
  #mayBotRead(room: ChatRoom, message: TelegramMessage): boolean {
    const { bot } = this.#world;
    const isGroup = room.chat.type === 'group' || room.chat.type === 'supergroup';
    if (!isGroup || bot.can_read_all_group_messages || this.#isBotAdmin(room)) return true;
    const isService =
      message.text === undefined && message.caption === undefined && message.via_bot === undefined;
    if (isService || message.reply_to_message?.from?.id === bot.id || message.via_bot?.id === bot.id)
      return true;
    const text = message.text ?? message.caption ?? '';
    return (message.entities ?? message.caption_entities ?? []).some(({ type, offset, length }) => {
      const part = text.slice(offset, offset + length).toLowerCase();
      const name = `@${bot.username.toLowerCase()}`;
      if (type === 'mention') return part === name;
      return type === 'bot_command' && (!part.includes('@') || part.endsWith(name));
    });
  }

  #announceMember(room: ChatRoom, change: MemberChange): void {
    if (room.chat.type !== 'group' && room.chat.type !== 'supergroup') return;
    const { user } = change.new_chat_member;
    const wasIn = isIn(change.old_chat_member.status);
    const isNowIn = isIn(change.new_chat_member.status);
    if (wasIn === isNowIn) return;
    const content = isNowIn ? { new_chat_members: [user] } : { left_chat_member: user };
    const message = this.#world.add(room, { from: change.from, ...content });
    this.#tellMessage(room, message, false);
  }

  /** Who writes is in the chat, whether the test said so or not. */
  #join(room: ChatRoom, user: TelegramUser): void {
    this.#world.users.set(user.id, user);
    if (room.chat.type === 'channel') return;
    if (!room.members.has(user.id)) room.members.set(user.id, { user, status: 'member' });
    // Whoever writes to the bot has started it, and blocks it no longer.
    if (room.chat.type === 'private' && !this.#isBotIn(room)) this.#unblock(room, user);
  }

  #unblock(room: ChatRoom, user: TelegramUser): void {
    const { bot } = this.#world;
    if (this.#world.statusOf(room, bot.id) === 'left')
      room.members.set(bot.id, { user: bot, status: 'member' });
    else this.member({ chat: room.chat, user: bot, status: 'member', by: user });
  }

  #anyoneIn(room: ChatRoom): { readonly from?: TelegramUser } {
    const person = [...room.members.values()].find(({ user }) => !user.is_bot);
    return person === undefined ? {} : { from: person.user };
  }

  #isBotIn(room: ChatRoom): boolean {
    return isIn(this.#world.statusOf(room, this.#world.bot.id));
  }

  #isBotAdmin(room: ChatRoom): boolean {
    const status = this.#world.statusOf(room, this.#world.bot.id);
    return status === 'administrator' || status === 'creator';
  }
}

function isIn(status: TelegramStatus): boolean {
  return status !== 'left' && status !== 'kicked';
}

function texts(formatted: FormattedText, names: TextNames): Partial<TelegramMessage> {
  const { text, entities } = withFoundEntities(cleanText(formatted));
  return { [names.text]: text, [names.entities]: entities.length > 0 ? entities : undefined };
}

/** A photo comes in several sizes, the largest last. */
function photoSizes(file: TelegramFile): readonly TelegramFile[] {
  const small = { ...file, file_id: `${file.file_id}-small`, file_unique_id: `${file.file_unique_id}-small` };
  return [
    { ...small, width: 90, height: 90 },
    { width: 1280, height: 1280, ...file },
  ];
}
