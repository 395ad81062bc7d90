import { z } from 'zod';

// Decoration that is not as expected is left out; what decides whose words these are must be right, or the update is none of ours.
const lenient = <T extends z.ZodType>(shape: T) => shape.optional().catch(undefined);

const userShape = z.object({
  id: z.int(),
  is_bot: z.boolean(),
  first_name: z.string(),
  last_name: lenient(z.string()),
  username: lenient(z.string()),
});

const chatShape = z.object({
  id: z.int(),
  type: z.string(),
  title: lenient(z.string()),
  username: lenient(z.string()),
  first_name: lenient(z.string()),
  last_name: lenient(z.string()),
});

const entityShape = z.object({
  type: z.string(),
  offset: z.int(),
  length: z.int(),
  user: lenient(z.object({ id: z.int() })),
});

const fileShape = z.object({
  file_id: z.string(),
  file_name: lenient(z.string()),
  mime_type: lenient(z.string()),
  file_size: lenient(z.number()),
  width: lenient(z.number()),
  height: lenient(z.number()),
});

const topicShape = z.object({ name: z.string() });

const repliedShape = z.object({
  message_id: z.int(),
  from: userShape.optional(),
  forum_topic_created: lenient(topicShape),
});

const messageShape = z.object({
  message_id: z.int(),
  date: z.number(),
  edit_date: lenient(z.number()),
  media_group_id: lenient(z.string()),
  chat: chatShape,
  from: userShape.optional(),
  sender_chat: chatShape.optional(),
  message_thread_id: z.int().optional(),
  is_topic_message: z.boolean().optional(),
  reply_to_message: lenient(repliedShape),
  forward_origin: z.unknown().optional(),
  via_bot: z.unknown().optional(),
  external_reply: z.unknown().optional(),
  reply_to_story: z.unknown().optional(),
  quote: z.unknown().optional(),
  is_automatic_forward: z.unknown().optional(),
  text: z.string().optional(),
  entities: lenient(z.array(entityShape)),
  caption: z.string().optional(),
  caption_entities: lenient(z.array(entityShape)),
  photo: lenient(z.array(fileShape)),
  voice: lenient(fileShape),
  audio: lenient(fileShape),
  video: lenient(fileShape),
  video_note: lenient(fileShape),
  animation: lenient(fileShape),
  document: lenient(fileShape),
  sticker: lenient(fileShape),
  new_chat_members: z.array(userShape).optional(),
  left_chat_member: userShape.optional(),
  migrate_to_chat_id: z.int().optional(),
  migrate_from_chat_id: z.int().optional(),
  forum_topic_created: lenient(topicShape),
  forum_topic_edited: lenient(topicShape),
});

const callbackShape = z.object({
  id: z.string(),
  from: userShape,
  data: z.string().optional(),
  // A message that is too old comes without its content, with date 0.
  message: messageShape.optional(),
});

const reactionShape = z.object({
  type: z.string(),
  emoji: z.string().optional(),
  custom_emoji_id: z.string().optional(),
});

const reactionUpdateShape = z.object({
  chat: chatShape,
  message_id: z.int(),
  message_thread_id: lenient(z.int()),
  user: userShape.optional(),
  actor_chat: chatShape.optional(),
  date: z.number(),
  old_reaction: z.array(reactionShape),
  new_reaction: z.array(reactionShape),
});

const memberShape = z.object({
  user: userShape,
  status: z.string(),
  is_member: z.boolean().optional(),
});

const memberUpdateShape = z.object({
  chat: chatShape,
  from: userShape,
  date: z.number(),
  old_chat_member: memberShape,
  new_chat_member: memberShape,
});

/** What we look at of an update; other kinds have none of these members. */
export const updateShape = z.object({
  update_id: z.int(),
  message: messageShape.optional(),
  edited_message: messageShape.optional(),
  callback_query: callbackShape.optional(),
  message_reaction: reactionUpdateShape.optional(),
  my_chat_member: memberUpdateShape.optional(),
  chat_member: memberUpdateShape.optional(),
});

/** The kinds that we ask for, always all of them by name: some come only to bots that name them. */
export const ALLOWED_UPDATES = [
  'message',
  'edited_message',
  'callback_query',
  'message_reaction',
  'my_chat_member',
  'chat_member',
] as const;

export type TelegramUpdate = z.infer<typeof updateShape>;
export type TelegramMessage = z.infer<typeof messageShape>;
export type TelegramUser = z.infer<typeof userShape>;
export type TelegramChat = z.infer<typeof chatShape>;
export type TelegramEntity = z.infer<typeof entityShape>;
export type TelegramFile = z.infer<typeof fileShape>;
export type TelegramCallback = z.infer<typeof callbackShape>;
export type TelegramReactions = z.infer<typeof reactionUpdateShape>;
export type TelegramMemberUpdate = z.infer<typeof memberUpdateShape>;
export type TelegramMember = z.infer<typeof memberShape>;
