import type { Draft, NewFile } from './draft.ts';
import type {
  Fields,
  Snowflake,
  WireAttachment,
  WireChannel,
  WireMessage,
  WireReaction,
  WireReference,
} from './wire.ts';
import type { ChannelRecord, MessageRecord, Pinged, World } from './world.ts';

type MentionsWire = Pick<WireMessage, 'mentions' | 'mention_roles' | 'mention_everyone'>;

/** Who is mentioned, as a message says it. */
export function mentionsWire(world: World, pinged: Pinged): MentionsWire {
  return {
    mentions: pinged.users.flatMap((id) => world.users.get(id) ?? []),
    mention_roles: pinged.roles,
    mention_everyone: pinged.everyone,
  };
}

/** What a message answers or passes on. */
export function referenceWire(world: World, { repliesTo, forwards }: Draft): Partial<WireMessage> {
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

/** Keeps the bytes of a file where they can be fetched. */
export function storeFile(world: World, channel: WireChannel, file: NewFile): WireAttachment {
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

/** An embed as it is read back. */
export function embedWire(embed: Fields): Fields {
  const fields: readonly Fields[] = Array.isArray(embed.fields) ? embed.fields : [];
  return {
    type: 'rich',
    ...embed,
    ...(fields.length === 0
      ? {}
      : { fields: fields.map((field) => ({ ...field, inline: field.inline ?? false })) }),
  };
}

/** Components get a number each, in the order in which they stand. */
export function numbered(components: readonly Fields[]): readonly Fields[] {
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

/** Reactions counted by emoji. */
export function reactionsWire(world: World, record: MessageRecord): readonly WireReaction[] {
  return [...record.reactions].map(([emoji, users]) => ({
    emoji: emojiWire(emoji),
    count: users.size,
    count_details: { burst: 0, normal: users.size },
    burst_colors: [],
    me: users.has(world.bot.id),
    me_burst: false,
  }));
}

/** @param emoji the character itself, or `name:id` of a guild's own */
export function emojiWire(emoji: string): { readonly id: Snowflake | null; readonly name: string } {
  const [name = '', id] = emoji.split(':');
  return { id: id ?? null, name };
}

/** The guild of a channel as events name it; nothing for direct messages. */
export function guildOf(channel: WireChannel): Fields {
  return channel.guild_id === undefined ? {} : { guild_id: channel.guild_id };
}

/** @throws Error when the channel was deleted meanwhile */
export function channelOf(world: World, record: MessageRecord): ChannelRecord {
  const channel = world.channels.get(record.wire.channel_id);
  if (channel === undefined) throw new Error(`The channel of message ${record.wire.id} was deleted`);
  return channel;
}
