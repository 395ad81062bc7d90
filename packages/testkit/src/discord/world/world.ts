import type { Clock } from '@agent-runtime/domain';
import type { Fields, Snowflake, WireChannel, WireMember, WireMessage, WireRole, WireUser } from './wire.ts';

/** One event for the gateway, before it is decided who may hear it. */
export interface WorldEvent {
  readonly t: string;
  readonly d: Fields;
  /** Bit of the intent that it needs; 0: everyone hears it. */
  readonly intent: number;
}

export interface GuildRecord {
  readonly id: Snowflake;
  readonly name: string;
  readonly ownerId: Snowflake;
  readonly joinedAt: string;
  readonly members: Map<Snowflake, WireMember>;
  readonly roles: Map<Snowflake, WireRole>;
}

export interface ChannelRecord {
  wire: WireChannel;
  /** The bot may not see it: no events, 403 on every call. */
  isHidden: boolean;
  readonly threadMembers: Set<Snowflake>;
  readonly messages: Map<Snowflake, MessageRecord>;
}

/** Who a message really notified. */
export interface Pinged {
  readonly users: readonly Snowflake[];
  readonly roles: readonly Snowflake[];
  readonly everyone: boolean;
}

/** A message with what a test wants to know about it. */
export interface MessageRecord {
  /** As it is now, or was when it was deleted. */
  wire: WireMessage;
  readonly createdAtMs: number;
  pinged: Pinged;
  /** What the sender asked for; undefined: it said nothing, so everything pings. */
  allowedMentions: Fields | undefined;
  /** Older states, oldest first, with the time at which each ended. */
  readonly history: { readonly wire: WireMessage; readonly untilMs: number }[];
  deletedAtMs?: number;
  /** Only this user sees it. */
  readonly ephemeralFor?: Snowflake;
  /** Users by emoji. */
  readonly reactions: Map<string, Set<Snowflake>>;
}

/** Everything that exists on the emulated platform. */
export interface World {
  readonly clock: Clock;
  readonly nextId: () => Snowflake;
  readonly bot: WireUser;
  readonly applicationId: Snowflake;
  /** Where files of messages can be fetched. */
  readonly filesUrl: () => string;
  /** The application may read what is said to others (a switch in the developer portal). */
  readonly mayReadContent: boolean;
  readonly users: Map<Snowflake, WireUser>;
  readonly guilds: Map<Snowflake, GuildRecord>;
  readonly channels: Map<Snowflake, ChannelRecord>;
  /** Bytes by the path behind `filesUrl`. */
  readonly files: Map<string, { readonly bytes: Uint8Array; readonly contentType: string | undefined }>;
  /** Messages that were sent with `enforce_nonce`, by author and nonce. */
  readonly nonces: Map<string, MessageRecord>;
  /** When the bot last showed that it types, by channel. */
  readonly typing: { readonly channelId: Snowflake; readonly atMs: number }[];
  /** Tells the gateway. */
  readonly emit: (event: WorldEvent) => void;
}

/** A thing or its id. */
export type Ref = Snowflake | { readonly id: Snowflake };

export function idOf(ref: Ref): Snowflake {
  return typeof ref === 'string' ? ref : ref.id;
}

/** Looks something up for a test. @throws Error that names what is not there */
export function must<V>(map: ReadonlyMap<Snowflake, V>, ref: Ref, noun: string): V {
  const found = map.get(idOf(ref));
  if (found === undefined) throw new Error(`The emulated Discord has no ${noun} ${idOf(ref)}: make it first`);
  return found;
}

/** Wall time of the world as the wire writes it. */
export function isoNow(world: World): string {
  return new Date(world.clock.nowMs()).toISOString();
}
