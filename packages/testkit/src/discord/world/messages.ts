import { INTENTS } from '../gateway/intents.ts';
import { pingedBy } from './mentions.ts';
import { compareIds } from './snowflake.ts';
import type {
  Fields,
  Snowflake,
  WireAttachment,
  WireChannel,
  WireMessage,
  WireReaction,
  WireReference,
  WireUser,
} from './wire.ts';
import { type ChannelRecord, isoNow, type MessageRecord, type Pinged, type World } from './world.ts';

/** A file that comes with a message. */
export interface NewFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly contentType?: string | undefined;
  readonly description?: string | undefined;
  /** Of a voice message, seconds. */
  readonly durationSecs?: number | undefined;
  /** Size to be claimed instead of that of the bytes. */
  readonly sizeBytes?: number | undefined;
}

/** Everything a new message is made of. */
export interface Draft {
  readonly channel: ChannelRecord;
  readonly author: WireUser;
  readonly content?: string;
  readonly type?: number;
  readonly flags?: number;
  readonly embeds?: readonly Fields[];
  readonly components?: readonly Fields[];
  readonly files?: readonly NewFile[];
  readonly allowedMentions?: Fields | undefined;
  /** Notified besides those whom the text names. */
  readonly alsoMentioned?: readonly Snowflake[];
  readonly repliesTo?: MessageRecord | undefined;
  readonly forwards?: MessageRecord | undefined;
  readonly nonce?: string | number | undefined;
  readonly webhookId?: Snowflake | undefined;
  readonly interaction?: Fields | undefined;
  readonly ephemeralFor?: Snowflake | undefined;
}

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
  const content = change.content ?? before.content;
  if (change.allowedMentions !== undefined) record.allowedMentions = change.allowedMentions;
  // An edit notifies nobody anew, but what the message says it mentions follows the text.
  const named = pingedBy(
    world,
    channel,
    content,
    record.allowedMentions,
    before.referenced_message?.author.id,
  );
  const kept = before.attachments.filter(({ id }) => change.keptFiles?.includes(id) ?? true);
  record.history.push({ wire: before, untilMs: world.clock.nowMs() });
  record.wire = {
    ...before,
    content,
    ...mentionsWire(world, named),
    embeds: change.embeds?.map(embedWire) ?? before.embeds,
    components: change.components === undefined ? before.components : numbered(change.components),
    flags: change.flags ?? before.flags,
    attachments: [...kept, ...(change.newFiles ?? []).map((file) => storeFile(world, channel.wire, file))],
    edited_timestamp: change.isSilent === true ? before.edited_timestamp : isoNow(world),
  };
  emitMessage(world, channel, 'MESSAGE_UPDATE', record);
  return record.wire;
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

export function channelOf(world: World, record: MessageRecord): ChannelRecord {
  const channel = world.channels.get(record.wire.channel_id);
  if (channel === undefined) throw new Error(`The channel of message ${record.wire.id} was deleted`);
  return channel;
}

/** A member without its user, as events about messages carry it. */
export function memberOf(world: World, channel: WireChannel, userId: Snowflake): Fields | undefined {
  const member =
    channel.guild_id === undefined ? undefined : world.guilds.get(channel.guild_id)?.members.get(userId);
  return member === undefined ? undefined : { ...member };
}

export function guildOf(channel: WireChannel): Fields {
  return channel.guild_id === undefined ? {} : { guild_id: channel.guild_id };
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

type MentionsWire = Pick<WireMessage, 'mentions' | 'mention_roles' | 'mention_everyone'>;

function mentionsWire(world: World, pinged: Pinged): MentionsWire {
  return {
    mentions: pinged.users.flatMap((id) => world.users.get(id) ?? []),
    mention_roles: pinged.roles,
    mention_everyone: pinged.everyone,
  };
}

function referenceWire(world: World, { repliesTo, forwards }: Draft): Partial<WireMessage> {
  const target = repliesTo ?? forwards;
  if (target === undefined) return {};
  const reference: WireReference = {
    type: repliesTo === undefined ? 1 : 0,
    channel_id: target.wire.channel_id,
    message_id: target.wire.id,
    ...guildOf(channelOf(world, target).wire),
  };
  if (repliesTo === undefined) {
    return { message_reference: reference, message_snapshots: [{ message: snapshotWire(target.wire) }] };
  }
  // Only one level deep: what the answered message answers is not repeated.
  const { referenced_message: _deeper, ...answered } = repliesTo.wire;
  return {
    message_reference: reference,
    referenced_message: repliesTo.deletedAtMs === undefined ? answered : null,
  };
}

function snapshotWire(wire: WireMessage): Fields {
  const {
    type,
    content,
    embeds,
    attachments,
    timestamp,
    edited_timestamp,
    flags,
    mentions,
    mention_roles,
    components,
  } = wire;
  return {
    type,
    content,
    embeds,
    attachments,
    timestamp,
    edited_timestamp,
    flags,
    mentions,
    mention_roles,
    components,
  };
}

function storeFile(world: World, channel: WireChannel, file: NewFile): WireAttachment {
  const id = world.nextId();
  const path = `/${channel.id}/${id}/${encodeURIComponent(file.name)}`;
  world.files.set(path, { bytes: file.bytes, contentType: file.contentType });
  const url = `${world.filesUrl()}${path}`;
  return {
    id,
    filename: file.name,
    size: file.sizeBytes ?? file.bytes.byteLength,
    url,
    proxy_url: url,
    ...(file.contentType === undefined ? {} : { content_type: file.contentType }),
    ...(file.description === undefined ? {} : { description: file.description }),
    ...(file.durationSecs === undefined ? {} : { duration_secs: file.durationSecs, waveform: 'AAAA' }),
  };
}

function embedWire(embed: Fields): Fields {
  return { type: 'rich', ...embed };
}

/** Components get a number each, in the order in which they stand. */
function numbered(components: readonly Fields[]): readonly Fields[] {
  let last = 0;
  const visit = (component: Fields): Fields => {
    last += 1;
    const id = component.id ?? last;
    const inner = component.components;
    return Array.isArray(inner)
      ? { ...component, id, components: inner.map((one) => visit(one as Fields)) } // safe: bodies were checked before
      : { ...component, id };
  };
  return components.map(visit);
}

function reactionsWire(world: World, record: MessageRecord): readonly WireReaction[] {
  return [...record.reactions].map(([emoji, users]) => ({
    emoji: emojiWire(emoji),
    count: users.size,
    count_details: { burst: 0, normal: users.size },
    burst_colors: [],
    me: users.has(world.bot.id),
    me_burst: false,
  }));
}

function emojiWire(emoji: string): { readonly id: Snowflake | null; readonly name: string } {
  const [name = '', id] = emoji.split(':');
  return { id: id ?? null, name };
}

function noteLast(channel: ChannelRecord, id: Snowflake): void {
  const { wire } = channel;
  const counts =
    wire.message_count === undefined
      ? {}
      : { message_count: wire.message_count + 1, total_message_sent: (wire.total_message_sent ?? 0) + 1 };
  channel.wire = { ...wire, last_message_id: id, ...counts };
}
