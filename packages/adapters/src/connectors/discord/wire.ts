import { z } from 'zod';

// What is read of Discord's JSON, no more. Everything else may change without anyone noticing here.

/** Half a character is none: what comes of it is shown as one that is unknown. */
const text = z
  .string()
  .transform((raw) => raw.toWellFormed())
  .nullish();

export const wireUser = z.object({
  id: z.string(),
  username: z.string(),
  global_name: text,
  bot: z.boolean().optional(),
});
export type WireUser = z.infer<typeof wireUser>;

const wireMember = z.object({ nick: text, user: wireUser.optional() });

const wireAttachment = z.object({
  id: z.string(),
  filename: text,
  content_type: text,
  size: z.number().nullish(),
  /** Bit 13: a voice message. */
  flags: z.number().nullish(),
  duration_secs: z.number().nullish(),
});
export type WireAttachment = z.infer<typeof wireAttachment>;

const wireSticker = z.object({ id: z.string(), name: text });

const wireSnapshot = z.object({
  message: z.object({
    content: text,
    attachments: z.array(wireAttachment).nullish(),
    sticker_items: z.array(wireSticker).nullish(),
  }),
});

export const wireMessage = z.object({
  id: z.string(),
  channel_id: z.string(),
  guild_id: z.string().nullish(),
  /** Absent on some updates that only unfurl a link. */
  author: wireUser.optional(),
  member: wireMember.nullish(),
  type: z.number().default(0),
  content: text,
  timestamp: text,
  edited_timestamp: text,
  webhook_id: z.string().nullish(),
  application_id: z.string().nullish(),
  nonce: z.union([z.string(), z.number()]).nullish(),
  mentions: z.array(wireUser.extend({ member: wireMember.nullish() })).nullish(),
  mention_roles: z.array(z.string()).nullish(),
  attachments: z.array(wireAttachment).nullish(),
  sticker_items: z.array(wireSticker).nullish(),
  embeds: z.array(z.object({ description: text, title: text })).nullish(),
  message_reference: z.object({ type: z.number().nullish(), message_id: z.string().nullish() }).nullish(),
  referenced_message: z.object({ id: z.string(), author: wireUser.nullish(), content: text }).nullish(),
  message_snapshots: z.array(wireSnapshot).nullish(),
});
export type WireMessage = z.infer<typeof wireMessage>;

export const wireReaction = z.object({
  user_id: z.string(),
  channel_id: z.string(),
  message_id: z.string(),
  guild_id: z.string().nullish(),
  member: wireMember.nullish(),
  emoji: z.object({ id: z.string().nullish(), name: text }),
  message_author_id: z.string().nullish(),
});
export type WireReaction = z.infer<typeof wireReaction>;

export const wireChannel = z.object({
  id: z.string(),
  type: z.number(),
  name: text,
  guild_id: z.string().nullish(),
  parent_id: z.string().nullish(),
  last_message_id: z.string().nullish(),
  thread_metadata: z.object({ archived: z.boolean().nullish() }).nullish(),
});
export type WireChannel = z.infer<typeof wireChannel>;

/** Who came into a thread and who left it; without the list of members, of the bot only. */
export const wireThreadMembers = z.object({
  id: z.string(),
  guild_id: z.string().nullish(),
  added_members: z.array(z.object({ user_id: z.string().optional(), join_timestamp: text })).nullish(),
  removed_member_ids: z.array(z.string()).nullish(),
});
export type WireThreadMembers = z.infer<typeof wireThreadMembers>;

export const wireGuild = z.object({
  id: z.string(),
  name: text,
  joined_at: text,
  unavailable: z.boolean().nullish(),
  channels: z.array(wireChannel).nullish(),
  threads: z.array(wireChannel).nullish(),
  roles: z
    .array(z.object({ id: z.string(), tags: z.object({ bot_id: z.string().nullish() }).nullish() }))
    .nullish(),
});
export type WireGuild = z.infer<typeof wireGuild>;

export interface WireOption {
  readonly name: string;
  readonly type: number;
  readonly value?: string | number | boolean | undefined;
  readonly focused?: boolean | undefined;
}

const wireOption = z.object({
  name: z.string(),
  type: z.number(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
  focused: z.boolean().optional(),
});

/** Rows of a form as it comes back: old rows of components, or labels with one component each. */
const wireField = z.object({ custom_id: z.string().optional(), value: z.string().optional() });
const wireRow = z.object({ components: z.array(wireField).optional(), component: wireField.optional() });

export const wireInteraction = z.object({
  id: z.string(),
  application_id: z.string(),
  /** 1 ping · 2 command · 3 component · 4 autocomplete · 5 form */
  type: z.number(),
  token: z.string(),
  guild_id: z.string().nullish(),
  channel_id: z.string().nullish(),
  channel: wireChannel.partial().nullish(),
  member: wireMember.nullish(),
  user: wireUser.nullish(),
  message: z.object({ id: z.string() }).nullish(),
  data: z
    .object({
      name: z.string().optional(),
      options: z.array(wireOption).optional(),
      custom_id: z.string().optional(),
      components: z.array(wireRow).optional(),
    })
    .nullish(),
});
export type WireInteraction = z.infer<typeof wireInteraction>;
