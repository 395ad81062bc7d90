import type { Clock } from '@agent-runtime/domain';
import { badRequest, Refusal } from './refusal.ts';
import type {
  TelegramBot,
  TelegramChat,
  TelegramFile,
  TelegramMember,
  TelegramMessage,
  TelegramStatus,
  TelegramUser,
} from './wire.ts';

/** A message in its chat: as it is now, and as it was. */
export interface StoredMessage {
  readonly now: TelegramMessage;
  /** Earlier versions, oldest first. */
  readonly history: readonly TelegramMessage[];
  readonly isDeleted: boolean;
  /** Sent by the bot, also where it speaks in the name of a channel. */
  readonly isOwn: boolean;
  /** Reactions by user id. */
  readonly reactions: ReadonlyMap<number, readonly object[]>;
}

interface MutableMessage extends StoredMessage {
  now: TelegramMessage;
  readonly history: TelegramMessage[];
  isDeleted: boolean;
  readonly reactions: Map<number, readonly object[]>;
}

/** A chat with everything in it. */
export interface ChatRoom {
  chat: TelegramChat;
  readonly members: Map<number, TelegramMember>;
  readonly messages: Map<number, MutableMessage>;
  /** Ids of forum topics. */
  readonly topics: Map<number, string>;
  readonly actions: { readonly action: string; readonly topic: number | undefined; readonly atMs: number }[];
  lastMessageId: number;
  migratedTo: number | undefined;
}

export interface FileContent {
  readonly file: TelegramFile;
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface WorldLimits {
  /** Messages kept per chat; older ones are forgotten as if deleted. */
  readonly messagesPerChat: number;
}

/** Whether somebody with this standing is in the chat. */
export function isIn(status: TelegramStatus): boolean {
  return status !== 'left' && status !== 'kicked';
}

export function isAdmin(status: TelegramStatus): boolean {
  return status === 'administrator' || status === 'creator';
}

/** A message without what its chat gives it. */
export type MessageContent = Omit<TelegramMessage, 'message_id' | 'date' | 'chat'>;

/** Who and what there is: users, chats, members, messages, files. */
export class World {
  readonly bot: TelegramBot;
  readonly users = new Map<number, TelegramUser>();
  readonly rooms = new Map<number, ChatRoom>();
  readonly files = new Map<string, FileContent>();
  readonly #clock: Clock;
  readonly #limits: WorldLimits;
  #lastId = 1000;
  #lastFile = 0;

  constructor(bot: TelegramBot, clock: Clock, limits: WorldLimits) {
    this.bot = bot;
    this.#clock = clock;
    this.#limits = limits;
    this.users.set(bot.id, bot);
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  nowSeconds(): number {
    return Math.floor(this.#clock.nowMs() / 1000);
  }

  addRoom(chat: TelegramChat, members: readonly TelegramMember[]): ChatRoom {
    const room: ChatRoom = {
      chat,
      members: new Map(members.map((member) => [member.user.id, member])),
      messages: new Map(),
      topics: new Map(),
      actions: [],
      lastMessageId: 0,
      migratedTo: undefined,
    };
    this.rooms.set(chat.id, room);
    return room;
  }

  /** @throws Error for a chat that the test did not make */
  room(chatId: number): ChatRoom {
    const room = this.rooms.get(chatId);
    if (room === undefined) throw new Error(`There is no chat ${chatId}; make it first.`);
    return room;
  }

  /** Status of a user in a chat. */
  statusOf(room: ChatRoom, userId: number): TelegramStatus {
    return room.members.get(userId)?.status ?? 'left';
  }

  /**
   * The chat a bot names, if it may act there.
   * @throws Refusal 400 when there is none or it moved, 403 when the bot is not (or no more) in it
   */
  roomForBot(chatId: unknown): ChatRoom {
    const room = this.#find(chatId);
    if (room === undefined) throw badRequest('chat not found');
    if (room.migratedTo !== undefined) {
      throw badRequest('group chat was upgraded to a supergroup chat', {
        migrate_to_chat_id: room.migratedTo,
      });
    }
    const status = this.statusOf(room, this.bot.id);
    const { type } = room.chat;
    if (status === 'kicked') {
      const how = type === 'private' ? 'blocked by the user' : `kicked from the ${type} chat`;
      throw new Refusal(403, `Forbidden: bot was ${how}`);
    }
    if (status === 'left') {
      const how =
        type === 'private'
          ? "bot can't initiate conversation with a user"
          : `bot is not a member of the ${type} chat`;
      throw new Refusal(403, `Forbidden: ${how}`);
    }
    return room;
  }

  /** Puts a message into a chat under the next id. */
  add(room: ChatRoom, content: MessageContent, isOwn = false): TelegramMessage {
    room.lastMessageId += 1;
    const message: TelegramMessage = {
      message_id: room.lastMessageId,
      date: this.nowSeconds(),
      chat: room.chat,
      ...content,
    };
    room.messages.set(message.message_id, {
      now: message,
      history: [],
      isDeleted: false,
      isOwn,
      reactions: new Map(),
    });
    this.#forgetOld(room);
    return message;
  }

  /** Replaces a message by a new version. */
  change(room: ChatRoom, message: TelegramMessage): TelegramMessage {
    const stored = room.messages.get(message.message_id);
    if (stored === undefined) throw new Error(`There is no message ${message.message_id} to change.`);
    stored.history.push(stored.now);
    stored.now = message;
    return message;
  }

  /** @returns undefined when it was never there, or is deleted */
  find(room: ChatRoom, messageId: unknown): StoredMessage | undefined {
    const stored = typeof messageId === 'number' ? room.messages.get(messageId) : undefined;
    return stored === undefined || stored.isDeleted ? undefined : stored;
  }

  remove(room: ChatRoom, messageId: number): void {
    const stored = room.messages.get(messageId);
    if (stored !== undefined) stored.isDeleted = true;
  }

  /** Reactions of one user to a message, replacing those before. @returns those before */
  setReactions(
    room: ChatRoom,
    messageId: number,
    userId: number,
    reactions: readonly object[],
  ): readonly object[] {
    const stored = room.messages.get(messageId);
    const before = stored?.reactions.get(userId) ?? [];
    stored?.reactions.set(userId, reactions);
    return before;
  }

  /** The bot shows that it is busy. */
  addAction(room: ChatRoom, action: string, topic: number | undefined): void {
    room.actions.push({ action, topic, atMs: this.#clock.nowMs() });
    if (room.actions.length > this.#limits.messagesPerChat) room.actions.shift();
  }

  /** Stores bytes and makes an id for them. @param about what messages say of the file besides its size */
  addFile(bytes: Uint8Array, about: Readonly<Record<string, unknown>>): TelegramFile {
    this.#lastFile += 1;
    const file = {
      file_id: `file-${this.#lastFile}`,
      file_unique_id: `unique-${this.#lastFile}`,
      file_size: bytes.length,
      ...about,
    };
    this.files.set(file.file_id, { file, path: `documents/file_${this.#lastFile}`, bytes });
    return file;
  }

  fileAt(path: string): FileContent | undefined {
    for (const content of this.files.values()) if (content.path === path) return content;
    return undefined;
  }

  #find(chatId: unknown): ChatRoom | undefined {
    if (typeof chatId === 'number') return this.rooms.get(chatId);
    if (typeof chatId !== 'string') return undefined;
    if (/^-?\d+$/.test(chatId)) return this.rooms.get(Number(chatId));
    for (const room of this.rooms.values()) {
      // Only public groups and channels have a name that bots may use.
      const { type, username } = room.chat;
      if (type !== 'private' && username !== undefined && `@${username}` === chatId) return room;
    }
    return undefined;
  }

  #forgetOld(room: ChatRoom): void {
    if (room.messages.size <= this.#limits.messagesPerChat) return;
    const oldest = room.messages.keys().next().value;
    if (oldest !== undefined) room.messages.delete(oldest);
  }
}
