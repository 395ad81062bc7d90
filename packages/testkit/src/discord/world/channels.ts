import { INTENTS } from '../gateway/intents.ts';
import { CHANNEL_KINDS, isThread, type Snowflake, type WireChannel, type WireOverwrite } from './wire.ts';
import { type ChannelRecord, idOf, isoNow, must, type Ref, type World } from './world.ts';

const VIEW_CHANNEL = String(1 << 10);

export interface NewChannel {
  readonly guild: Ref;
  readonly name: string;
  readonly kind?: 'text' | 'announcement' | 'forum' | 'voice' | 'category';
  readonly topic?: string;
  readonly parent?: Ref;
  /** Only these may see it; without the bot among them it is hidden from the bot. */
  readonly visibleTo?: readonly Ref[];
}

export function addChannel(world: World, options: NewChannel): WireChannel {
  const guild = must(world.guilds, options.guild, 'guild');
  const only = options.visibleTo?.map(idOf);
  const wire: WireChannel = {
    id: world.nextId(),
    type: CHANNEL_KINDS[options.kind ?? 'text'],
    flags: 0,
    last_message_id: null,
    guild_id: guild.id,
    name: options.name,
    topic: options.topic ?? null,
    position: world.channels.size,
    parent_id: options.parent === undefined ? null : idOf(options.parent),
    nsfw: false,
    permission_overwrites: only === undefined ? [] : overwrites(guild.id, only),
    ...(options.kind === 'forum' ? { available_tags: [] } : {}),
  };
  const record = keep(world, wire, only !== undefined && !only.includes(world.bot.id));
  if (!record.isHidden) world.emit({ t: 'CHANNEL_CREATE', d: { ...wire }, intent: INTENTS.guilds });
  return wire;
}

/** The direct line between the bot and a user; the same one each time. */
export function openDirectMessages(world: World, userRef: Ref): WireChannel {
  const user = must(world.users, userRef, 'user');
  for (const { wire } of world.channels.values()) {
    if (wire.type === CHANNEL_KINDS.dm && wire.recipients?.some(({ id }) => id === user.id)) return wire;
  }
  const wire: WireChannel = {
    id: world.nextId(),
    type: CHANNEL_KINDS.dm,
    flags: 0,
    last_message_id: null,
    recipients: [user],
  };
  return keep(world, wire, false).wire;
}

export interface NewThread {
  readonly channel: Ref;
  readonly from: Ref;
  readonly name: string;
  readonly isPrivate?: boolean;
  /** Members besides the author. A private thread is hidden from the bot unless the bot is one of them. */
  readonly members?: readonly Ref[];
  /** The message at which it begins; thread and message share their id. */
  readonly message?: Ref;
}

export function addThread(world: World, options: NewThread): WireChannel {
  const parent = must(world.channels, options.channel, 'channel');
  const members = new Set([idOf(options.from), ...(options.members ?? []).map(idOf)]);
  const wire: WireChannel = {
    id: options.message === undefined ? world.nextId() : idOf(options.message),
    type: threadType(parent.wire, options.isPrivate ?? false),
    flags: 0,
    last_message_id: null,
    guild_id: parent.wire.guild_id ?? '',
    name: options.name,
    parent_id: parent.wire.id,
    owner_id: idOf(options.from),
    thread_metadata: {
      archived: false,
      auto_archive_duration: 1440,
      archive_timestamp: isoNow(world),
      locked: false,
      create_timestamp: isoNow(world),
      ...(options.isPrivate === true ? { invitable: false } : {}),
    },
    message_count: 0,
    member_count: members.size,
    total_message_sent: 0,
    ...(parent.wire.type === CHANNEL_KINDS.forum ? { applied_tags: [] } : {}),
  };
  const isHidden = parent.isHidden || (options.isPrivate === true && !members.has(world.bot.id));
  const record = keep(world, wire, isHidden, members);
  if (!isHidden)
    world.emit({ t: 'THREAD_CREATE', d: { ...wire, newly_created: true }, intent: INTENTS.guilds });
  return record.wire;
}

/** Takes somebody into a thread. The bot sees a private one only from then on. */
export function joinThread(world: World, ref: Ref, userRef: Ref): void {
  const record = must(world.channels, ref, 'thread');
  const user = must(world.users, userRef, 'user');
  record.threadMembers.add(user.id);
  record.wire = { ...record.wire, member_count: record.threadMembers.size };
  if (user.id === world.bot.id && record.isHidden) {
    record.isHidden = false;
    const member = { id: record.wire.id, user_id: user.id, join_timestamp: isoNow(world), flags: 0 };
    world.emit({ t: 'THREAD_CREATE', d: { ...record.wire, member }, intent: INTENTS.guilds });
  }
}

/** Takes somebody out of a thread; a private one is hidden from the bot again when it was the bot. */
export function leaveThread(world: World, ref: Ref, userRef: Ref): void {
  const record = must(world.channels, ref, 'thread');
  record.threadMembers.delete(idOf(userRef));
  record.wire = { ...record.wire, member_count: record.threadMembers.size };
  if (idOf(userRef) !== world.bot.id || record.wire.type !== CHANNEL_KINDS['private-thread']) return;
  const { id, guild_id, parent_id, type } = record.wire;
  record.isHidden = true;
  world.emit({ t: 'THREAD_DELETE', d: { id, guild_id, parent_id, type }, intent: INTENTS.guilds });
}

function threadType(parent: WireChannel, isPrivate: boolean): number {
  if (isPrivate) return CHANNEL_KINDS['private-thread'];
  return parent.type === CHANNEL_KINDS.announcement
    ? CHANNEL_KINDS['announcement-thread']
    : CHANNEL_KINDS.thread;
}

export interface ChannelChange {
  readonly name?: string;
  readonly topic?: string;
  readonly isArchived?: boolean;
  readonly isLocked?: boolean;
}

export function updateChannel(world: World, ref: Ref, change: ChannelChange): WireChannel {
  const record = must(world.channels, ref, 'channel');
  const { wire } = record;
  record.wire = {
    ...wire,
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.topic === undefined ? {} : { topic: change.topic }),
    ...(wire.thread_metadata === undefined
      ? {}
      : {
          thread_metadata: {
            ...wire.thread_metadata,
            archived: change.isArchived ?? wire.thread_metadata.archived,
            locked: change.isLocked ?? wire.thread_metadata.locked,
          },
        }),
  };
  emitChannel(world, record, 'UPDATE');
  return record.wire;
}

export function removeChannel(world: World, ref: Ref): WireChannel {
  const record = must(world.channels, ref, 'channel');
  world.channels.delete(record.wire.id);
  emitChannel(world, record, 'DELETE');
  return record.wire;
}

function emitChannel(world: World, { wire, isHidden }: ChannelRecord, what: 'UPDATE' | 'DELETE'): void {
  if (isHidden) return;
  const t = `${isThread(wire) ? 'THREAD' : 'CHANNEL'}_${what}`;
  world.emit({ t, d: { ...wire }, intent: INTENTS.guilds });
}

function keep(
  world: World,
  wire: WireChannel,
  isHidden: boolean,
  threadMembers = new Set<Snowflake>(),
): ChannelRecord {
  const record: ChannelRecord = { wire, isHidden, threadMembers, messages: new Map() };
  world.channels.set(wire.id, record);
  return record;
}

function overwrites(guildId: Snowflake, only: readonly Snowflake[]): WireOverwrite[] {
  return [
    { id: guildId, type: 0, allow: '0', deny: VIEW_CHANNEL },
    ...only.map((id): WireOverwrite => ({ id, type: 1, allow: VIEW_CHANNEL, deny: '0' })),
  ];
}
