/** What goes over the wire, as API version 10 names it. Only members that this emulator fills. */
export type Snowflake = string;

/** Members of a body that are passed on as they came. */
export type Fields = Readonly<Record<string, unknown>>;

export interface WireUser {
  readonly id: Snowflake;
  readonly username: string;
  readonly global_name: string | null;
  readonly discriminator: string;
  readonly avatar: string | null;
  readonly bot: boolean;
  readonly system: boolean;
  readonly public_flags: number;
  readonly flags: number;
  readonly primary_guild: null;
}

export interface WireMember {
  readonly user: WireUser;
  readonly nick: string | null;
  readonly roles: readonly Snowflake[];
  readonly joined_at: string;
  readonly avatar: null;
  readonly banner: null;
  readonly premium_since: null;
  readonly communication_disabled_until: null;
  readonly pending: boolean;
  readonly mute: boolean;
  readonly deaf: boolean;
  readonly flags: number;
}

export interface WireRole {
  readonly id: Snowflake;
  readonly name: string;
  readonly permissions: string;
  readonly position: number;
  readonly color: number;
  readonly colors: {
    readonly primary_color: number;
    readonly secondary_color: null;
    readonly tertiary_color: null;
  };
  readonly hoist: boolean;
  readonly managed: boolean;
  readonly mentionable: boolean;
  readonly icon: null;
  readonly unicode_emoji: null;
  readonly flags: number;
}

export interface WireOverwrite {
  readonly id: Snowflake;
  /** 0 a role, 1 a member. */
  readonly type: 0 | 1;
  readonly allow: string;
  readonly deny: string;
}

export interface WireThreadMetadata {
  readonly archived: boolean;
  readonly auto_archive_duration: number;
  readonly archive_timestamp: string;
  readonly locked: boolean;
  readonly create_timestamp: string;
  readonly invitable?: boolean;
}

export interface WireChannel {
  readonly id: Snowflake;
  readonly type: number;
  readonly flags: number;
  readonly last_message_id: Snowflake | null;
  readonly guild_id?: Snowflake;
  readonly name?: string;
  readonly topic?: string | null;
  readonly position?: number;
  readonly parent_id?: Snowflake | null;
  readonly nsfw?: boolean;
  readonly permission_overwrites?: readonly WireOverwrite[];
  readonly recipients?: readonly WireUser[];
  readonly owner_id?: Snowflake;
  readonly thread_metadata?: WireThreadMetadata;
  readonly message_count?: number;
  readonly member_count?: number;
  readonly total_message_sent?: number;
  readonly applied_tags?: readonly Snowflake[];
  readonly available_tags?: readonly Fields[];
}

export interface WireAttachment {
  readonly id: Snowflake;
  readonly filename: string;
  readonly size: number;
  readonly url: string;
  readonly proxy_url: string;
  readonly content_type?: string;
  readonly description?: string;
  readonly duration_secs?: number;
  readonly waveform?: string;
}

export interface WireReaction {
  readonly emoji: { readonly id: Snowflake | null; readonly name: string };
  readonly count: number;
  readonly count_details: { readonly burst: number; readonly normal: number };
  readonly burst_colors: readonly string[];
  readonly me: boolean;
  readonly me_burst: boolean;
}

export interface WireReference {
  /** 0 a reply, 1 a forward. */
  readonly type: 0 | 1;
  readonly channel_id: Snowflake;
  readonly message_id: Snowflake;
  readonly guild_id?: Snowflake;
}

export interface WireMessage {
  readonly id: Snowflake;
  readonly channel_id: Snowflake;
  readonly type: number;
  readonly author: WireUser;
  readonly content: string;
  readonly timestamp: string;
  readonly edited_timestamp: string | null;
  readonly tts: boolean;
  readonly pinned: boolean;
  readonly flags: number;
  readonly mention_everyone: boolean;
  readonly mentions: readonly WireUser[];
  readonly mention_roles: readonly Snowflake[];
  readonly attachments: readonly WireAttachment[];
  readonly embeds: readonly Fields[];
  readonly components: readonly Fields[];
  readonly reactions?: readonly WireReaction[];
  readonly nonce?: string | number;
  readonly webhook_id?: Snowflake;
  readonly application_id?: Snowflake;
  readonly message_reference?: WireReference;
  readonly referenced_message?: WireMessage | null;
  readonly message_snapshots?: readonly { readonly message: Fields }[];
  readonly interaction_metadata?: Fields;
}

export const CHANNEL_KINDS = {
  text: 0,
  dm: 1,
  voice: 2,
  category: 4,
  announcement: 5,
  'announcement-thread': 10,
  thread: 11,
  'private-thread': 12,
  forum: 15,
} as const;

export const MESSAGE_FLAGS = {
  suppressEmbeds: 1 << 2,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
  voice: 1 << 13,
  snapshot: 1 << 14,
  componentsV2: 1 << 15,
} as const;

/** Threads of all three sorts. */
export function isThread(channel: WireChannel): boolean {
  return (
    channel.type >= CHANNEL_KINDS['announcement-thread'] && channel.type <= CHANNEL_KINDS['private-thread']
  );
}
