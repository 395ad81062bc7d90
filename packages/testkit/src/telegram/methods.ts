import { Upload } from './body.ts';
import { answerCallback } from './callbacks.ts';
import type { Params } from './coerce.ts';
import type { CommandBook } from './commands.ts';
import {
  CAPTION,
  formattedText,
  keyboard,
  placement,
  TEXT,
  type TextNames,
  textMembers,
  topicMembers,
} from './outgoing.ts';
import { badRequest } from './refusal.ts';
import type { UpdateQueue } from './updates.ts';
import type { Webhook } from './webhook.ts';
import type { TelegramFile, TelegramMember, TelegramMessage } from './wire.ts';
import { type ChatRoom, isAdmin, type StoredMessage, type World } from './world.ts';

/** What the methods of the Bot API work on. */
export interface Backend {
  readonly world: World;
  readonly updates: UpdateQueue;
  readonly webhook: Webhook;
  readonly commands: CommandBook;
  /** Ids of presses that were not answered. */
  readonly callbacks: Set<string>;
}

/** One method. @returns its result @throws Refusal */
export type Method = (backend: Backend, params: Params, signal: AbortSignal) => unknown;

const MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024;
const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;

const ACTIONS: ReadonlySet<unknown> = new Set([
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
]);

/** Every method that is played, by its name. */
export const methods: Readonly<Record<string, Method>> = {
  getMe: ({ world }) => world.bot,

  getUpdates: async ({ updates, webhook }, params, signal) => {
    webhook.refuseWhenSet();
    updates.allow(params.allowed_updates as readonly string[] | undefined); // safe: checked against the spec
    const limit = Math.trunc(numberOf(params.limit, 100));
    return updates.poll({
      offset: numberOf(params.offset, 0),
      limit: limit < 1 || limit > 100 ? 100 : limit,
      timeoutSeconds: Math.min(50, Math.max(0, numberOf(params.timeout, 0))),
      signal,
    });
  },

  setWebhook: ({ webhook }, params) => webhook.set(params),
  deleteWebhook: ({ webhook }, params) => webhook.delete(params.drop_pending_updates === true),
  getWebhookInfo: ({ webhook }) => webhook.info(),

  sendMessage: ({ world }, params) => {
    const room = writable(world, params.chat_id);
    const content = { ...textMembers(formattedText(params, TEXT), TEXT), ...keyboard(params) };
    return world.add(room, { ...author(world, room), ...placement(world, room, params), ...content }, true);
  },

  sendDocument: ({ world }, params) => {
    const room = writable(world, params.chat_id);
    const content = { ...textMembers(formattedText(params, CAPTION), CAPTION), ...keyboard(params) };
    const place = placement(world, room, params);
    const document = documentOf(world, params.document);
    return world.add(room, { ...author(world, room), ...place, document, ...content }, true);
  },

  editMessageText: ({ world }, params) => editText(world, params, TEXT),
  editMessageCaption: ({ world }, params) => editText(world, params, CAPTION),

  editMessageReplyMarkup: ({ world }, params) => {
    const { room, message } = editable(world, params);
    const { reply_markup: _before, ...rest } = message;
    return changed(world, room, message, { ...rest, ...keyboard(params) });
  },

  deleteMessage: ({ world }, params) => {
    const room = world.roomForBot(params.chat_id);
    const stored = world.find(room, params.message_id);
    if (stored === undefined) throw badRequest('message to delete not found');
    if (!mayDelete(world, room, stored)) throw badRequest("message can't be deleted");
    world.remove(room, stored.now.message_id);
    return true;
  },

  sendChatAction: ({ world }, params) => {
    const room = world.roomForBot(params.chat_id);
    if (!ACTIONS.has(params.action)) throw badRequest('wrong parameter action in request');
    const topic = topicMembers(room, params.message_thread_id).message_thread_id;
    world.addAction(room, String(params.action), topic);
    return true;
  },

  setMessageReaction: ({ world }, params) => {
    const room = world.roomForBot(params.chat_id);
    const stored = world.find(room, params.message_id);
    if (stored === undefined) throw badRequest('message to react not found');
    const reactions = (params.reaction ?? []) as readonly object[]; // safe: checked against the spec
    if (reactions.length > 1) throw badRequest('REACTIONS_TOO_MANY');
    world.setReactions(room, stored.now.message_id, world.bot.id, reactions);
    return true;
  },

  answerCallbackQuery: ({ callbacks }, params) => answerCallback(callbacks, params),

  setMyCommands: ({ commands }, params) => commands.set(params),
  getMyCommands: ({ commands }, params) => commands.get(params),
  deleteMyCommands: ({ commands }, params) => commands.delete(params),

  getChat: ({ world }, params) => ({
    ...world.roomForBot(params.chat_id).chat,
    accent_color_id: 0,
    max_reaction_count: 11,
    accepted_gift_types: {},
  }),

  getChatMember: ({ world }, params) => {
    const room = world.roomForBot(params.chat_id);
    const user = world.users.get(numberOf(params.user_id, 0));
    if (user === undefined) throw badRequest('user not found');
    return room.members.get(user.id) ?? ({ user, status: 'left' } satisfies TelegramMember);
  },

  getChatAdministrators: ({ world }, params) =>
    [...world.roomForBot(params.chat_id).members.values()].filter(({ status }) => isAdmin(status)),

  getFile: ({ world }, params) => {
    const content = world.files.get(String(params.file_id));
    if (content === undefined) throw badRequest('invalid file_id');
    const { file_id, file_unique_id, file_size } = content.file;
    if (file_size > MAX_DOWNLOAD_BYTES) throw badRequest('file is too big');
    return { file_id, file_unique_id, file_size, file_path: content.path };
  },
};

function numberOf(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

/** A chat the bot may write to. */
function writable(world: World, chatId: unknown): ChatRoom {
  const room = world.roomForBot(chatId);
  const status = world.statusOf(room, world.bot.id);
  if (room.chat.type === 'channel' && !isAdmin(status)) {
    throw badRequest('need administrator rights in the channel chat');
  }
  if (status === 'restricted') throw badRequest('not enough rights to send text messages to the chat');
  return room;
}

function author(world: World, room: ChatRoom): Partial<TelegramMessage> {
  if (room.chat.type === 'channel') return { sender_chat: room.chat };
  const { id, is_bot, first_name, username } = world.bot;
  return { from: { id, is_bot, first_name, username } };
}

function documentOf(world: World, value: unknown): TelegramFile {
  if (value instanceof Upload) {
    const { bytes, fileName } = value;
    if (bytes.length === 0) throw badRequest('file must be non-empty');
    if (bytes.length > MAX_UPLOAD_BYTES) throw badRequest('Request Entity Too Large');
    return world.addFile(bytes, { file_name: fileName });
  }
  const known = world.files.get(String(value));
  if (known === undefined) throw badRequest('wrong file identifier/HTTP URL specified');
  return known.file;
}

function editable(
  world: World,
  params: Params,
): { readonly room: ChatRoom; readonly message: TelegramMessage } {
  const room = world.roomForBot(params.chat_id);
  const stored = world.find(room, params.message_id);
  if (stored === undefined) throw badRequest('message to edit not found');
  if (!stored.isOwn) throw badRequest("message can't be edited");
  return { room, message: stored.now };
}

function editText(world: World, params: Params, names: TextNames): TelegramMessage {
  const { room, message } = editable(world, params);
  if (names === TEXT && message.text === undefined)
    throw badRequest('there is no text in the message to edit');
  if (names === CAPTION && message.document === undefined) {
    throw badRequest('there is no caption in the message to edit');
  }
  const { [names.text]: _text, [names.entities]: _entities, reply_markup: _markup, ...rest } = message;
  const content = { ...textMembers(formattedText(params, names), names), ...keyboard(params) };
  return changed(world, room, message, { ...rest, ...content });
}

function changed(
  world: World,
  room: ChatRoom,
  before: TelegramMessage,
  after: TelegramMessage,
): TelegramMessage {
  const { edit_date: _date, ...old } = before;
  const { edit_date: _other, ...next } = after;
  if (isSame(old, next)) {
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    );
  }
  return world.change(room, { ...next, edit_date: world.nowSeconds() });
}

/** Equal in everything an edit may change. */
function isSame(one: Omit<TelegramMessage, 'edit_date'>, other: Omit<TelegramMessage, 'edit_date'>): boolean {
  const shown = (message: Omit<TelegramMessage, 'edit_date'>): string =>
    JSON.stringify([
      message.text,
      message.entities,
      message.caption,
      message.caption_entities,
      message.reply_markup,
    ]);
  return shown(one) === shown(other);
}

function mayDelete(world: World, room: ChatRoom, { isOwn }: StoredMessage): boolean {
  if (isOwn || room.chat.type === 'private') return true;
  return isAdmin(world.statusOf(room, world.bot.id));
}
