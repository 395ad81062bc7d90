/** A person or a bot, as the Bot API shows it. */
export interface TelegramUser {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly last_name?: string;
  readonly username?: string;
  readonly language_code?: string;
}

/** The bot itself, as `getMe` shows it. */
export interface TelegramBot extends TelegramUser {
  readonly username: string;
  readonly can_join_groups: boolean;
  readonly can_read_all_group_messages: boolean;
  readonly supports_inline_queries: boolean;
}

export interface TelegramChat {
  readonly id: number;
  readonly type: 'private' | 'group' | 'supergroup' | 'channel';
  readonly title?: string;
  readonly username?: string;
  readonly first_name?: string;
  readonly last_name?: string;
  readonly is_forum?: true;
}

/** Offsets and lengths count UTF-16 units. */
export interface TelegramEntity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly user?: TelegramUser;
  readonly language?: string;
  readonly custom_emoji_id?: string;
}

export interface TelegramButton {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
  readonly [member: string]: unknown;
}

export interface TelegramMarkup {
  readonly inline_keyboard?: readonly (readonly TelegramButton[])[];
  readonly [member: string]: unknown;
}

/** What a message says of a file. */
export interface TelegramFile {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size: number;
  readonly file_name?: string;
  readonly mime_type?: string;
  readonly [member: string]: unknown;
}

/** A message; what tests rarely look at is there under its name on the wire. */
export interface TelegramMessage {
  readonly message_id: number;
  /** Seconds since the epoch. */
  readonly date: number;
  readonly chat: TelegramChat;
  readonly from?: TelegramUser;
  readonly sender_chat?: TelegramChat;
  readonly edit_date?: number;
  readonly message_thread_id?: number;
  readonly is_topic_message?: true;
  readonly reply_to_message?: TelegramMessage;
  readonly via_bot?: TelegramUser;
  readonly text?: string;
  readonly entities?: readonly TelegramEntity[];
  readonly caption?: string;
  readonly caption_entities?: readonly TelegramEntity[];
  readonly photo?: readonly TelegramFile[];
  readonly document?: TelegramFile;
  readonly voice?: TelegramFile;
  readonly reply_markup?: TelegramMarkup;
  readonly migrate_to_chat_id?: number;
  readonly migrate_from_chat_id?: number;
  readonly new_chat_members?: readonly TelegramUser[];
  readonly left_chat_member?: TelegramUser;
  readonly [member: string]: unknown;
}

export type TelegramStatus = 'creator' | 'administrator' | 'member' | 'restricted' | 'left' | 'kicked';

export interface TelegramMember {
  readonly user: TelegramUser;
  readonly status: TelegramStatus;
  readonly [member: string]: unknown;
}

/** One update: its id and one more member, named after its kind. */
export interface TelegramUpdate {
  readonly update_id: number;
  readonly [kind: string]: unknown;
}

/** A message by its address; every `TelegramMessage` is one. */
export interface MessageAddress {
  readonly message_id: number;
  readonly chat: { readonly id: number };
}

/** A chat by itself or by its id. */
export type ChatRef = number | { readonly id: number };

export function chatIdOf(chat: ChatRef): number {
  return typeof chat === 'number' ? chat : chat.id;
}
