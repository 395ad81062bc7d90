import { CAPTION, TEXT } from './outgoing.ts';
import { mayBotRead } from './privacy.ts';
import { type Saying, saidText, sayingMembers } from './saying.ts';
import type { UpdateQueue } from './updates.ts';
import {
  type ChatRef,
  chatIdOf,
  type MessageAddress,
  type TelegramChat,
  type TelegramEntity,
  type TelegramMember,
  type TelegramMessage,
  type TelegramStatus,
  type TelegramUpdate,
  type TelegramUser,
} from './wire.ts';
import { type ChatRoom, isAdmin, isIn, type World } from './world.ts';

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
    const answered = saying.replyTo === undefined ? undefined : this.#messageIn(room, saying.replyTo);
    const message = this.#world.add(room, sayingMembers(this.#world, room.chat, { saying, answered }));
    this.#tellMessage(room, message, false);
    return message;
  }

  /** Somebody changes what they wrote (the text, or the caption of a file). */
  edit(address: MessageAddress, { text, entities = [] }: Rewording): TelegramMessage {
    const room = this.#world.room(address.chat.id);
    const before = this.#messageIn(room, address);
    const names = before.text === undefined ? CAPTION : TEXT;
    const next = { ...before, ...saidText({ text, entities }, names), edit_date: this.#world.nowSeconds() };
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
    if (room.chat.type !== 'private' && !isAdmin(this.#world.statusOf(room, this.#world.bot.id)))
      return undefined;
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
    room.members.set(user.id, after);
    const change = {
      chat: room.chat,
      from: by ?? (isBot ? this.#anyoneIn(room).from : undefined) ?? user,
      date: this.#world.nowSeconds(),
      old_chat_member: before,
      new_chat_member: after,
    };
    if (isBot) this.#updates.push('my_chat_member', change);
    else if (isAdmin(this.#world.statusOf(room, this.#world.bot.id)))
      this.#updates.push('chat_member', change);
    this.#announceMember(room, change);
  }

  /**
   * A group becomes a supergroup: a new chat with a new id; the old one answers with 400 from now on.
   * @returns the new chat
   */
  migrate(chat: ChatRef, by?: TelegramUser): TelegramChat {
    const old = this.#world.room(chatIdOf(chat));
    const from = by === undefined ? this.#anyoneIn(old) : { from: by };
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

  #messageIn(room: ChatRoom, { message_id }: MessageAddress): TelegramMessage {
    const stored = room.messages.get(message_id);
    if (stored === undefined) throw new Error(`There is no message ${message_id} in chat ${room.chat.id}.`);
    return stored.now;
  }

  #tellMessage(room: ChatRoom, message: TelegramMessage, isEdit: boolean): void {
    if (!this.#isBotIn(room) || !mayBotRead(this.#world, room, message)) return;
    const noun = room.chat.type === 'channel' ? 'channel_post' : 'message';
    this.#updates.push(isEdit ? `edited_${noun}` : noun, message);
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
}
