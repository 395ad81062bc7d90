import type { Fields, Snowflake } from '../world/wire.ts';
import type { ChannelRecord, GuildRecord, MessageRecord, World } from '../world/world.ts';
import type { DiscordCall } from './call.ts';
import { refusals } from './refusal.ts';

/** The channel of a call. @throws Refusal when it is not there, or hidden from the bot */
export function channelFor(world: World, call: DiscordCall): ChannelRecord {
  const channel = world.channels.get(param(call, 'channel_id'));
  if (channel === undefined) throw refusals.unknownChannel();
  if (channel.isHidden) throw refusals.missingAccess();
  return channel;
}

/** The message of a call. @throws Refusal when it is not there any more */
export function messageFor(world: World, call: DiscordCall): MessageRecord {
  return liveMessage(channelFor(world, call), param(call, 'message_id'));
}

export function liveMessage(channel: ChannelRecord, id: Snowflake): MessageRecord {
  const found = channel.messages.get(id);
  if (found === undefined || found.deletedAtMs !== undefined || found.ephemeralFor !== undefined) {
    throw refusals.unknownMessage();
  }
  return found;
}

export function guildFor(world: World, call: DiscordCall): GuildRecord {
  const guild = world.guilds.get(param(call, 'guild_id'));
  if (guild === undefined) throw refusals.unknownGuild();
  return guild;
}

export function param(call: DiscordCall, name: string): string {
  return String(call.params[name] ?? '');
}

/** The body as an object; nothing at all counts as an empty one. */
export function bodyOf(call: DiscordCall): Fields {
  return typeof call.body === 'object' && call.body !== null ? (call.body as Fields) : {}; // safe: an object
}
