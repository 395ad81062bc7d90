import type { SpecFields, TelegramSpec } from './spec.ts';

const MARKUP = 'InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply';

const SENT: SpecFields = {
  chat_id: ['Integer|String', 1],
  message_thread_id: ['Integer', 0],
  disable_notification: ['Boolean', 0],
  protect_content: ['Boolean', 0],
  reply_parameters: ['ReplyParameters', 0],
  reply_markup: [MARKUP, 0],
};

const MARKED_TEXT: SpecFields = {
  text: ['String', 1],
  parse_mode: ['String', 0],
  entities: ['[]MessageEntity', 0],
  link_preview_options: ['LinkPreviewOptions', 0],
};

const CAPTION: SpecFields = {
  caption: ['String', 0],
  parse_mode: ['String', 0],
  caption_entities: ['[]MessageEntity', 0],
};

const EDITED: SpecFields = {
  chat_id: ['Integer|String', 0],
  message_id: ['Integer', 0],
  reply_markup: ['InlineKeyboardMarkup', 0],
};

const SCOPED: SpecFields = { scope: ['BotCommandScope', 0], language_code: ['String', 0] };

const CHAT: SpecFields = { chat_id: ['Integer|String', 1] };

/** What the emulator knows by itself: the methods it plays, and of types only those that bots often get wrong. */
export const basicSpec: TelegramSpec = {
  methods: {
    getMe: { f: {} },
    getUpdates: {
      f: {
        offset: ['Integer', 0],
        limit: ['Integer', 0],
        timeout: ['Integer', 0],
        allowed_updates: ['[]String', 0],
      },
    },
    setWebhook: {
      f: {
        url: ['String', 1],
        certificate: ['InputFile', 0],
        ip_address: ['String', 0],
        max_connections: ['Integer', 0],
        allowed_updates: ['[]String', 0],
        drop_pending_updates: ['Boolean', 0],
        secret_token: ['String', 0],
      },
    },
    deleteWebhook: { f: { drop_pending_updates: ['Boolean', 0] } },
    getWebhookInfo: { f: {} },
    sendMessage: { f: { ...SENT, ...MARKED_TEXT } },
    sendDocument: {
      f: {
        ...SENT,
        ...CAPTION,
        document: ['InputFile|String', 1],
        thumbnail: ['InputFile|String', 0],
        disable_content_type_detection: ['Boolean', 0],
      },
    },
    editMessageText: { f: { ...EDITED, ...MARKED_TEXT } },
    editMessageCaption: { f: { ...EDITED, ...CAPTION } },
    editMessageReplyMarkup: { f: EDITED },
    deleteMessage: { f: { ...CHAT, message_id: ['Integer', 1] } },
    sendChatAction: { f: { ...CHAT, message_thread_id: ['Integer', 0], action: ['String', 1] } },
    setMessageReaction: {
      f: {
        ...CHAT,
        message_id: ['Integer', 1],
        reaction: ['[]ReactionType', 0],
        is_big: ['Boolean', 0],
      },
    },
    answerCallbackQuery: {
      f: {
        callback_query_id: ['String', 1],
        text: ['String', 0],
        show_alert: ['Boolean', 0],
        url: ['String', 0],
        cache_time: ['Integer', 0],
      },
    },
    setMyCommands: { f: { commands: ['[]BotCommand', 1], ...SCOPED } },
    getMyCommands: { f: SCOPED },
    deleteMyCommands: { f: SCOPED },
    getChat: { f: CHAT },
    getChatMember: { f: { ...CHAT, user_id: ['Integer', 1] } },
    getChatAdministrators: { f: CHAT },
    getFile: { f: { file_id: ['String', 1] } },
  },
  types: {
    BotCommand: { f: { command: ['String', 1], description: ['String', 1] } },
    ReplyParameters: {
      f: {
        message_id: ['Integer', 1],
        chat_id: ['Integer|String', 0],
        allow_sending_without_reply: ['Boolean', 0],
        quote: ['String', 0],
        quote_parse_mode: ['String', 0],
        quote_entities: ['[]MessageEntity', 0],
        quote_position: ['Integer', 0],
      },
    },
  },
};
