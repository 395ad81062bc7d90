import { INTENTS } from '../gateway/intents.ts';
import type { Draft, NewFile } from './draft.ts';
import { pingedBy } from './mentions.ts';
import {
  channelOf,
  embedWire,
  emojiWire,
  guildOf,
  mentionsWire,
  numbered,
  reactionsWire,
  referenceWire,
  storeFile,
} from './message-wire.ts';
import { compareIds } from './snowflake.ts';
import type { Fields, Snowflake, WireChannel, WireMessage } from './wire.ts';
import { type ChannelRecord, isoNow, type MessageRecord, type Pinged, type World } from './world.ts';

/** Puts a message into its channel and tells the gateway, unless only one user may see it. */
export function addMessage(world: World, draft: Draft): MessageRecord {
  const { channel } = draft;
  const id = world.nextId();
  const pinged = pingsOf(world, draft);
  const wire: WireMessage = {
    id,
    channel_id: channel.wire.id,
    type: draft.type ?? (draft.repliesTo === undefined ? 0 : 19),
    author: draft.author,
    content: draft.content ?? '',
    timestamp: isoNow(world),
    edited_timestamp: null,
    tts: false,
    pinned: false,
    flags: draft.flags ?? 0,
    ...mentionsWire(world, pinged),
    attachments: (draft.files ?? []).map((file) => storeFile(world, channel.wire, file)),
    embeds: (draft.embeds ?? []).map(embedWire),
    components: numbered(draft.components ?? []),
    ...(draft.nonce === undefined ? {} : { nonce: draft.nonce }),
    ...(draft.webhookId === undefined ? {} : { webhook_id: draft.webhookId }),
    ...(draft.author.id === world.bot.id ? { application_id: world.applicationId } : {}),
    ...(draft.interaction === undefined ? {} : { interaction_metadata: draft.interaction }),
    ...referenceWire(world, draft),
  };
  const record: MessageRecord = {
    wire,
    createdAtMs: world.clock.nowMs(),
    pinged,
    allowedMentions: draft.allowedMentions,
    history: [],
    reactions: new Map(),
    ...(draft.ephemeralFor === undefined ? {} : { ephemeralFor: draft.ephemeralFor }),
  };
  channel.messages.set(id, record);
  noteLast(channel, id);
  emitMessage(world, channel, 'MESSAGE_CREATE', record);
  return record;
}

/** What an edit may change; members that are left out stay. */
export interface MessageChange {
  readonly content?: string;
  readonly embeds?: readonly Fields[];
  readonly components?: readonly Fields[];
  readonly flags?: number;
  readonly allowedMentions?: Fields | undefined;
  /** Ids of files that stay; undefined: all do. */
  readonly keptFiles?: readonly Snowflake[] | undefined;
  readonly newFiles?: readonly NewFile[];
  /** The platform changed it by itself (a link got its preview): no time of editing. */
  readonly isSilent?: boolean;
}

export function editMessage(world: World, record: MessageRecord, change: MessageChange): WireMessage {
  const channel = channelOf(world, record);
  const before = record.wire;
  if (change.allowedMentions !== undefined) record.allowedMentions = change.allowedMentions;
  const kept = before.attachments.filter(({ id }) => change.keptFiles?.includes(id) ?? true);
  record.history.push({ wire: before, untilMs: world.clock.nowMs() });
  record.wire = {
    ...before,
    ...(change.content === undefined ? {} : retold(world, record, change.content)),
    embeds: change.embeds?.map(embedWire) ?? before.embeds,
    components: change.components === undefined ? before.components : numbered(change.components),
    flags: change.flags ?? before.flags,
    attachments: [...kept, ...(change.newFiles ?? []).map((file) => storeFile(world, channel.wire, file))],
    edited_timestamp: change.isSilent === true ? before.edited_timestamp : isoNow(world),
  };
  emitMessage(world, channel, 'MESSAGE_UPDATE', record);
  return record.wire;
}

/** A new text and whom it names. An edit notifies nobody anew: `pinged` stays. */
function retold(world: World, record: MessageRecord, content: string): Partial<WireMessage> {
  const replied = record.wire.referenced_message?.author.id;
  const named = pingedBy(world, channelOf(world, record), content, record.allowedMentions, replied);
  return { content, ...mentionsWire(world, named) };
}

export function removeMessage(world: World, record: MessageRecord): void {
  const channel = channelOf(world, record);
  record.deletedAtMs = world.clock.nowMs();
  if (channel.isHidden || record.ephemeralFor !== undefined) return;
  const d = { id: record.wire.id, channel_id: channel.wire.id, ...guildOf(channel.wire) };
  world.emit({ t: 'MESSAGE_DELETE', d, intent: messageIntent(channel.wire) });
}

/** Adds or takes back a reaction. @param emoji the character itself, or `name:id` of a guild's own */
export function setReaction(
  world: World,
  record: MessageRecord,
  { userId, emoji, isOn }: { readonly userId: Snowflake; readonly emoji: string; readonly isOn: boolean },
): void {
  const channel = channelOf(world, record);
  const users = record.reactions.get(emoji) ?? new Set<Snowflake>();
  if (users.has(userId) === isOn) return;
  if (isOn) users.add(userId);
  else users.delete(userId);
  if (users.size === 0) record.reactions.delete(emoji);
  else record.reactions.set(emoji, users);
  record.wire = { ...record.wire, reactions: reactionsWire(world, record) };
  if (channel.isHidden) return;
  const member = memberOf(world, channel.wire, userId);
  const d = {
    user_id: userId,
    channel_id: channel.wire.id,
    message_id: record.wire.id,
    ...guildOf(channel.wire),
    emoji: emojiWire(emoji),
    burst: false,
    type: 0,
    ...(isOn
      ? { message_author_id: record.wire.author.id, ...(member === undefined ? {} : { member }) }
      : {}),
  };
  const intent =
    channel.wire.guild_id === undefined ? INTENTS.directMessageReactions : INTENTS.guildMessageReactions;
  world.emit({ t: isOn ? 'MESSAGE_REACTION_ADD' : 'MESSAGE_REACTION_REMOVE', d, intent });
}

/** Messages that are still there and not for one user alone, oldest first. */
export function visibleMessages(channel: ChannelRecord): MessageRecord[] {
  return [...channel.messages.values()]
    .filter((record) => record.deletedAtMs === undefined && record.ephemeralFor === undefined)
    .sort((left, right) => compareIds(left.wire.id, right.wire.id));
}

/** A member without its user, as events about messages carry it. */
export function memberOf(world: World, channel: WireChannel, userId: Snowflake): Fields | undefined {
  const member =
    channel.guild_id === undefined ? undefined : world.guilds.get(channel.guild_id)?.members.get(userId);
  return member === undefined ? undefined : { ...member };
}

function emitMessage(world: World, channel: ChannelRecord, t: string, record: MessageRecord): void {
  if (channel.isHidden || record.ephemeralFor !== undefined) return;
  const { wire } = record;
  const member = wire.webhook_id === undefined ? memberOf(world, channel.wire, wire.author.id) : undefined;
  const { user: _user, ...bare } = member ?? {};
  const d = {
    ...wire,
    channel_type: channel.wire.type,
    ...guildOf(channel.wire),
    ...(member === undefined ? {} : { member: bare }),
  };
  world.emit({ t, d, intent: messageIntent(channel.wire) });
}

function messageIntent(channel: WireChannel): number {
  return channel.guild_id === undefined ? INTENTS.directMessages : INTENTS.guildMessages;
}

function pingsOf(world: World, draft: Draft): Pinged {
  const replied = draft.repliesTo?.wire.author.id;
  const pinged = pingedBy(world, draft.channel, draft.content ?? '', draft.allowedMentions, replied);
  return { ...pinged, users: [...new Set([...pinged.users, ...(draft.alsoMentioned ?? [])])] };
}

function noteLast(channel: ChannelRecord, id: Snowflake): void {
  const { wire } = channel;
  const counts =
    wire.message_count === undefined
      ? {}
      : { message_count: wire.message_count + 1, total_message_sent: (wire.total_message_sent ?? 0) + 1 };
  channel.wire = { ...wire, last_message_id: id, ...counts };
}
