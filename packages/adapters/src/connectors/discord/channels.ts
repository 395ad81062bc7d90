import type { ContextKind, InboundChannel } from '@agent-runtime/domain';
import type { WireChannel, WireGuild } from './wire.ts';

const DIRECT = 1;
const GROUP = 3;
const THREADS: ReadonlySet<number> = new Set([10, 11, 12]);
const MAX_TITLE_CHARS = 200;

interface Place {
  readonly type: number;
  readonly name: string;
  readonly guild: string | undefined;
  readonly parent: string | undefined;
}

interface House {
  readonly name: string;
  /** Ends one membership from another: it names the event of leaving. */
  readonly joinedAt: string;
  /** The role that Discord made for this bot; mentioning it means the bot. */
  readonly ownRole: string | undefined;
}

/** What is known of servers and channels, from what the gateway tells. Small on purpose: the library's caches are off. */
export interface ChannelBook {
  learnGuild(guild: WireGuild, selfId: string): void;
  learn(channel: WireChannel, guild?: string | null): void;
  forget(channel: string): void;
  /** Its channels are forgotten too. @returns when the bot had come there */
  forgetGuild(guild: string): string | undefined;
  isKnown(channel: string): boolean;
  hasGuild(guild: string): boolean;
  ownRole(guild: string): string | undefined;
  nameOf(channel: string): string | undefined;
  /** @param guild of the event, which tells a direct message from a channel; undefined for a direct one */
  channel(id: string, guild: string | undefined, personName: string): InboundChannel;
}

export function channelBook(): ChannelBook {
  const places = new Map<string, Place>();
  const houses = new Map<string, House>();
  const learn = (channel: WireChannel, guild?: string | null): void => {
    // Before anyone speaks in it again Discord names it again; until then it would only be remembered for ever.
    if (channel.thread_metadata?.archived === true) return void places.delete(channel.id);
    places.set(channel.id, {
      type: channel.type,
      name: channel.name ?? '',
      guild: channel.guild_id ?? guild ?? undefined,
      parent: channel.parent_id ?? undefined,
    });
  };
  return {
    learn,
    learnGuild: (guild, selfId) => {
      houses.set(guild.id, {
        name: guild.name ?? '',
        joinedAt: guild.joined_at ?? houses.get(guild.id)?.joinedAt ?? '',
        ownRole:
          guild.roles?.find(({ tags }) => tags?.bot_id === selfId)?.id ?? houses.get(guild.id)?.ownRole,
      });
      for (const channel of [...(guild.channels ?? []), ...(guild.threads ?? [])]) learn(channel, guild.id);
    },
    forget: (channel) => void places.delete(channel),
    forgetGuild: (guild) => {
      const joinedAt = houses.get(guild)?.joinedAt;
      houses.delete(guild);
      for (const [id, place] of places) if (place.guild === guild) places.delete(id);
      return joinedAt;
    },
    isKnown: (channel) => places.has(channel),
    hasGuild: (guild) => houses.has(guild),
    ownRole: (guild) => houses.get(guild)?.ownRole,
    nameOf: (channel) => places.get(channel)?.name,
    channel: (id, guild, personName) => {
      const place = places.get(id);
      const group = guild ?? place?.guild;
      const kind = kindOf(place, group);
      const parent = kind === 'thread' ? place?.parent : undefined;
      return {
        id,
        kind,
        title: titleOf(place, houses.get(group ?? ''), parent && places.get(parent), personName || id),
        ...(group === undefined ? {} : { group }),
        ...(parent === undefined ? {} : { parent }),
      };
    },
  };
}

function kindOf(place: Place | undefined, guild: string | undefined): ContextKind {
  if (guild === undefined) return place?.type === GROUP ? 'group' : 'direct';
  if (place?.type === DIRECT) return 'direct';
  return THREADS.has(place?.type ?? -1) ? 'thread' : 'channel';
}

function titleOf(
  place: Place | undefined,
  house: House | undefined,
  parent: Place | '' | undefined,
  fallback: string,
): string {
  if (place === undefined || place.name === '') return fallback.slice(0, MAX_TITLE_CHARS);
  const path = parent ? `#${parent.name} / ${place.name}` : `#${place.name}`;
  return (house === undefined || house.name === '' ? path : `${house.name} ${path}`).slice(
    0,
    MAX_TITLE_CHARS,
  );
}
