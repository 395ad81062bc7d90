import { type Fields, isThread } from './wire.ts';
import type { GuildRecord, World } from './world.ts';

/** The guild itself, as REST has it. */
export function guildBasics(guild: GuildRecord): Fields {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    splash: null,
    discovery_splash: null,
    description: null,
    banner: null,
    home_header: null,
    owner_id: guild.ownerId,
    application_id: null,
    region: 'emulated',
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: null,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: 0,
    default_message_notifications: 0,
    explicit_content_filter: 0,
    mfa_level: 0,
    nsfw: false,
    nsfw_level: 0,
    premium_tier: 0,
    premium_subscription_count: 0,
    premium_progress_bar_enabled: false,
    preferred_locale: 'en-US',
    vanity_url_code: null,
    max_presences: null,
    max_members: 500_000,
    max_video_channel_users: 25,
    max_stage_video_channel_users: 50,
    features: [],
    emojis: [],
    stickers: [],
    roles: [...guild.roles.values()],
  };
}

/** What GUILD_CREATE carries: the guild with its members, its channels and those threads that the bot sees. */
export function guildWire(world: World, guild: GuildRecord): Fields {
  const channels = [...world.channels.values()].filter(
    ({ wire, isHidden }) => wire.guild_id === guild.id && !isHidden,
  );
  return {
    ...guildBasics(guild),
    joined_at: guild.joinedAt,
    large: false,
    unavailable: false,
    member_count: guild.members.size,
    members: [...guild.members.values()],
    channels: channels.filter(({ wire }) => !isThread(wire)).map(({ wire }) => wire),
    threads: channels
      .filter(({ wire }) => isThread(wire) && wire.thread_metadata?.archived !== true)
      .map(({ wire }) => wire),
    presences: [],
    voice_states: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}
