import type { Params } from './coerce.ts';
import { parseMarkup } from './markup.ts';
import { badRequest } from './refusal.ts';
import { cleanText, type FormattedText, isBlank, withFoundEntities } from './text.ts';
import type { TelegramEntity, TelegramMarkup, TelegramMessage } from './wire.ts';
import type { ChatRoom, World } from './world.ts';

export const MAX_TEXT = 4096;
export const MAX_CAPTION = 1024;
const MAX_CALLBACK_BYTES = 64;

/** Names of parameters that hold a text and its marks. */
export interface TextNames {
  readonly text: 'text' | 'caption';
  readonly entities: 'entities' | 'caption_entities';
}

export const TEXT: TextNames = { text: 'text', entities: 'entities' };
export const CAPTION: TextNames = { text: 'caption', entities: 'caption_entities' };

/**
 * The text of a call as it will be shown.
 * @throws Refusal 400 when its marks do not parse or it is too long
 */
export function formattedText(params: Params, names: TextNames): FormattedText {
  const source = String(params[names.text] ?? '');
  if (source === '' && names === TEXT) throw badRequest('message text is empty');
  const mode = params.parse_mode;
  const given = (params[names.entities] ?? []) as readonly TelegramEntity[]; // safe: checked against the spec
  const marked =
    typeof mode === 'string' && mode !== '' ? parseMarkup(source, mode) : { text: source, entities: given };
  const clean = withFoundEntities(cleanText(marked));
  const limit = names === TEXT ? MAX_TEXT : MAX_CAPTION;
  if (clean.text.length > limit) {
    throw badRequest(names === TEXT ? 'message is too long' : 'message caption is too long');
  }
  if (names === TEXT && isBlank(clean.text)) throw badRequest('text must be non-empty');
  return clean;
}

/** A text and its marks as members of a message; none of an empty text. */
export function textMembers({ text, entities }: FormattedText, names: TextNames): Partial<TelegramMessage> {
  if (text === '') return {};
  return { [names.text]: text, ...(entities.length > 0 ? { [names.entities]: entities } : {}) };
}

/** The keyboard of a call. @throws Refusal 400 for buttons without text or with wrong data */
export function keyboard(params: Params): { readonly reply_markup?: TelegramMarkup } {
  const markup = params.reply_markup as TelegramMarkup | undefined; // safe: checked against the spec
  // Only inline keyboards are part of a message; an empty one is none.
  const rows = (markup?.inline_keyboard ?? []).filter((row) => row.length > 0);
  if (rows.length === 0) return {};
  for (const { text, ...action } of rows.flat()) {
    if (text === '') throw badRequest('BUTTON_TEXT_INVALID');
    if (Object.keys(action).every((name) => name === 'style' || name === 'icon_custom_emoji_id')) {
      throw badRequest(
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
      );
    }
    if (action.callback_data !== undefined) checkCallbackData(action.callback_data);
  }
  return { reply_markup: { inline_keyboard: rows } };
}

function checkCallbackData(data: string): void {
  const size = Buffer.byteLength(data);
  if (size < 1 || size > MAX_CALLBACK_BYTES) throw badRequest('BUTTON_DATA_INVALID');
}

interface Reply {
  readonly message_id: number;
  readonly chat_id?: number | string;
  readonly allow_sending_without_reply?: boolean;
}

/** Where a message goes inside its chat: its topic, and what it answers. Answers to other chats show nothing here. */
export function placement(world: World, room: ChatRoom, params: Params): Partial<TelegramMessage> {
  const reply = params.reply_parameters as Reply | undefined; // safe: checked against the spec
  const found = reply === undefined ? undefined : repliedMessage(world, room, reply);
  const answered = found?.chat.id === room.chat.id ? found : undefined;
  const topic = params.message_thread_id ?? (room.chat.is_forum ? answered?.message_thread_id : undefined);
  return { ...topicMembers(room, topic), ...replyMembers(answered) };
}

/** @throws Refusal 400 for a topic that is not there */
export function topicMembers(room: ChatRoom, topic: unknown): Partial<TelegramMessage> {
  if (topic === undefined) return {};
  // The general topic has no id that may be sent to.
  if (typeof topic !== 'number' || !room.topics.has(topic)) throw badRequest('message thread not found');
  return { message_thread_id: topic, is_topic_message: true };
}

export function replyMembers(answered: TelegramMessage | undefined): Partial<TelegramMessage> {
  if (answered === undefined) return {};
  const { reply_to_message: _deeper, ...shown } = answered;
  return { reply_to_message: shown };
}

function repliedMessage(world: World, room: ChatRoom, reply: Reply): TelegramMessage | undefined {
  const place = reply.chat_id === undefined ? room : world.roomForBot(reply.chat_id);
  const found = world.find(place, reply.message_id)?.now;
  if (found === undefined && reply.allow_sending_without_reply !== true) {
    throw badRequest('message to be replied not found');
  }
  return found;
}
