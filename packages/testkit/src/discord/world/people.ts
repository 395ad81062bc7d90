import { INTENTS } from '../gateway/intents.ts';
import { guildWire } from './guild-wire.ts';
import type { Snowflake, WireMember, WireRole, WireUser } from './wire.ts';
import { type GuildRecord, idOf, isoNow, must, type Ref, type World } from './world.ts';

/** View, send, embed, attach, history, react, threads and slash commands. */
export const EVERYDAY_PERMISSIONS = '412317248576';

/** @returns a user as the wire has it; a bot keeps a discriminator of four digits */
export function userWire(
  id: Snowflake,
  options: { readonly username: string; readonly displayName?: string; readonly isBot?: boolean },
): WireUser {
  const isBot = options.isBot ?? false;
  return {
    id,
    username: options.username,
    global_name: options.displayName ?? null,
    discriminator: isBot ? '0001' : '0',
    avatar: null,
    bot: isBot,
    system: false,
    public_flags: 0,
    flags: 0,
    primary_guild: null,
  };
}

export function addUser(world: World, options: Parameters<typeof userWire>[1]): WireUser {
  const user = userWire(world.nextId(), options);
  world.users.set(user.id, user);
  return user;
}

/** A guild with the bot, its owner and the role of everyone in it. */
export function addGuild(world: World, options: { readonly name: string; readonly owner: Ref }): GuildRecord {
  const id = world.nextId();
  const guild: GuildRecord = {
    id,
    name: options.name,
    ownerId: idOf(options.owner),
    joinedAt: isoNow(world),
    members: new Map(),
    roles: new Map([[id, roleWire(id, '@everyone')]]),
  };
  world.guilds.set(id, guild);
  for (const user of [world.bot, must(world.users, options.owner, 'user')]) {
    guild.members.set(user.id, memberWire(world, user, {}));
  }
  world.emit({ t: 'GUILD_CREATE', d: guildWire(world, guild), intent: INTENTS.guilds });
  return guild;
}

/** The bot was thrown out, or (`isUnavailable`) the guild has an outage. */
export function removeGuild(world: World, ref: Ref, isUnavailable = false): void {
  const guild = must(world.guilds, ref, 'guild');
  if (!isUnavailable) {
    world.guilds.delete(guild.id);
    for (const [id, { wire }] of world.channels) if (wire.guild_id === guild.id) world.channels.delete(id);
  }
  const d = { id: guild.id, ...(isUnavailable ? { unavailable: true } : {}) };
  world.emit({ t: 'GUILD_DELETE', d, intent: INTENTS.guilds });
}

/** An outage is over. */
export function restoreGuild(world: World, ref: Ref): void {
  const guild = must(world.guilds, ref, 'guild');
  world.emit({ t: 'GUILD_CREATE', d: guildWire(world, guild), intent: INTENTS.guilds });
}

export function addRole(world: World, guildRef: Ref, name: string): WireRole {
  const guild = must(world.guilds, guildRef, 'guild');
  const role = roleWire(world.nextId(), name, guild.roles.size);
  guild.roles.set(role.id, role);
  world.emit({ t: 'GUILD_ROLE_CREATE', d: { guild_id: guild.id, role }, intent: INTENTS.guilds });
  return role;
}

export interface MemberOptions {
  readonly nick?: string;
  readonly roles?: readonly Ref[];
}

export function joinGuild(world: World, guildRef: Ref, user: Ref, options: MemberOptions = {}): WireMember {
  const guild = must(world.guilds, guildRef, 'guild');
  const member = memberWire(world, must(world.users, user, 'user'), options);
  guild.members.set(member.user.id, member);
  world.emit({ t: 'GUILD_MEMBER_ADD', d: { ...member, guild_id: guild.id }, intent: INTENTS.guildMembers });
  return member;
}

export function updateMember(world: World, guildRef: Ref, user: Ref, options: MemberOptions): WireMember {
  const guild = must(world.guilds, guildRef, 'guild');
  const before = must(guild.members, user, 'member');
  const member: WireMember = {
    ...before,
    nick: options.nick ?? before.nick,
    roles: options.roles?.map(idOf) ?? before.roles,
  };
  guild.members.set(member.user.id, member);
  // News of the bot's own roles come without the intent.
  const intent = member.user.id === world.bot.id ? 0 : INTENTS.guildMembers;
  world.emit({ t: 'GUILD_MEMBER_UPDATE', d: { ...member, guild_id: guild.id }, intent });
  return member;
}

export function leaveGuild(world: World, guildRef: Ref, user: Ref): void {
  const guild = must(world.guilds, guildRef, 'guild');
  const { user: gone } = must(guild.members, user, 'member');
  guild.members.delete(gone.id);
  world.emit({
    t: 'GUILD_MEMBER_REMOVE',
    d: { guild_id: guild.id, user: gone },
    intent: INTENTS.guildMembers,
  });
}

/** Changes the names a user shows. The gateway tells only through what the user does next, as with a real one. */
export function renameUser(
  world: World,
  ref: Ref,
  names: { readonly username?: string; readonly displayName?: string },
): WireUser {
  const before = must(world.users, ref, 'user');
  const user: WireUser = {
    ...before,
    username: names.username ?? before.username,
    global_name: names.displayName ?? before.global_name,
  };
  world.users.set(user.id, user);
  for (const guild of world.guilds.values()) {
    const member = guild.members.get(user.id);
    if (member !== undefined) guild.members.set(user.id, { ...member, user });
  }
  return user;
}

function memberWire(world: World, user: WireUser, options: MemberOptions): WireMember {
  return {
    user,
    nick: options.nick ?? null,
    roles: options.roles?.map(idOf) ?? [],
    joined_at: isoNow(world),
    avatar: null,
    banner: null,
    premium_since: null,
    communication_disabled_until: null,
    pending: false,
    mute: false,
    deaf: false,
    flags: 0,
  };
}

function roleWire(id: Snowflake, name: string, position = 0): WireRole {
  return {
    id,
    name,
    permissions: EVERYDAY_PERMISSIONS,
    position,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    managed: false,
    mentionable: true,
    icon: null,
    unicode_emoji: null,
    flags: 0,
  };
}
