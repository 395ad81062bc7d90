import { EVERYDAY_PERMISSIONS } from './people.ts';
import { type Fields, MESSAGE_FLAGS, type Snowflake, type WireMessage } from './wire.ts';
import { type ChannelRecord, idOf, type MessageRecord, must, type Ref, type World } from './world.ts';

/** After so long without a first answer the user is told that the application did not respond. */
export const FIRST_ANSWER_MS = 3_000;
/** After so long the token is worth nothing. */
export const TOKEN_MS = 15 * 60_000;

export const INTERACTION_KINDS = { command: 2, component: 3, autocomplete: 4, modal: 5 } as const;
export type InteractionKind = keyof typeof INTERACTION_KINDS;

/** An answer to an interaction: its type (4 message, 5 deferred, 6 and 7 update, 8 suggestions, 9 modal) and data. */
export interface InteractionAnswer {
  readonly type: number;
  readonly data: Fields;
  /** Time since the interaction was made, ms of the emulator's clock. */
  readonly afterMs: number;
}

/** An interaction and what became of it. */
export interface InteractionRecord {
  readonly id: Snowflake;
  readonly token: string;
  readonly kind: InteractionKind;
  readonly channel: ChannelRecord;
  readonly userId: Snowflake;
  readonly createdAtMs: number;
  /** As it went to the gateway. */
  readonly wire: Fields;
  /** The first answer that was accepted. */
  answer?: InteractionAnswer;
  /** The message that `@original` means. */
  original?: MessageRecord;
  /** Deferred, and the message has not come yet. */
  isLoading: boolean;
  readonly followUps: MessageRecord[];
  /** The message whose button was pressed. */
  readonly message?: MessageRecord;
}

/** The interactions of a world, by id and by token. */
export interface InteractionBook {
  readonly list: readonly InteractionRecord[];
  byId(id: Snowflake): InteractionRecord | undefined;
  byToken(token: string): InteractionRecord | undefined;
  add(record: InteractionRecord): void;
}

export function interactionBook(): InteractionBook {
  const list: InteractionRecord[] = [];
  const ids = new Map<Snowflake, InteractionRecord>();
  const tokens = new Map<string, InteractionRecord>();
  return {
    list,
    byId: (id) => ids.get(id),
    byToken: (token) => tokens.get(token),
    add: (record) => {
      list.push(record);
      ids.set(record.id, record);
      tokens.set(record.token, record);
    },
  };
}

export interface NewInteraction {
  readonly kind: InteractionKind;
  readonly channel: Ref;
  readonly from: Ref;
  readonly data: Fields;
  readonly message?: MessageRecord | undefined;
}

/** Makes an interaction and tells the bot about it, whatever its intents. */
export function interact(world: World, book: InteractionBook, options: NewInteraction): InteractionRecord {
  const channel = must(world.channels, options.channel, 'channel');
  const id = world.nextId();
  const token = `token${id}`;
  const user = must(world.users, options.from, 'user');
  const guildId = channel.wire.guild_id;
  const wire: Fields = {
    id,
    application_id: world.applicationId,
    type: INTERACTION_KINDS[options.kind],
    data: options.data,
    token,
    version: 1,
    locale: 'en-US',
    channel_id: channel.wire.id,
    channel: { ...channel.wire, permissions: EVERYDAY_PERMISSIONS },
    ...(guildId === undefined ? { user } : guildSide(world, guildId, user.id)),
    ...(options.message === undefined ? {} : { message: options.message.wire }),
    app_permissions: EVERYDAY_PERMISSIONS,
    entitlements: [],
    authorizing_integration_owners: { 0: guildId ?? '0' },
    context: guildId === undefined ? 1 : 0,
    attachment_size_limit: 10 * 1024 * 1024,
  };
  const record: InteractionRecord = {
    id,
    token,
    kind: options.kind,
    channel,
    userId: idOf(options.from),
    createdAtMs: world.clock.nowMs(),
    wire,
    isLoading: false,
    followUps: [],
    ...(options.message === undefined ? {} : { message: options.message }),
  };
  book.add(record);
  world.emit({ t: 'INTERACTION_CREATE', d: wire, intent: 0 });
  return record;
}

function guildSide(world: World, guildId: Snowflake, userId: Snowflake): Fields {
  const guild = must(world.guilds, guildId, 'guild');
  const member = must(guild.members, userId, 'member');
  return {
    guild_id: guildId,
    guild: { id: guildId, locale: 'en-US', features: [] },
    guild_locale: 'en-US',
    member: { ...member, permissions: EVERYDAY_PERMISSIONS },
  };
}

/** @throws Error when the user could not press it: not there, disabled, gone, or shown to somebody else */
export function pressable(message: MessageRecord, customId: string, userId: Snowflake): Fields {
  if (message.deletedAtMs !== undefined) throw new Error(`Message ${message.wire.id} was deleted`);
  if (message.ephemeralFor !== undefined && message.ephemeralFor !== userId) {
    throw new Error(`Message ${message.wire.id} is shown to ${message.ephemeralFor} alone`);
  }
  const found = partsOf(message.wire).find((part) => part.custom_id === customId);
  if (found === undefined)
    throw new Error(`Message ${message.wire.id} has nothing with custom_id ${customId}`);
  if (found.disabled === true) throw new Error(`${customId} is disabled`);
  return found;
}

/** All components of a message, however deep. */
export function partsOf(wire: WireMessage): readonly Fields[] {
  const visit = (part: Fields): Fields[] => {
    const inner = [part.components, part.accessory]
      .flat()
      .filter((one) => typeof one === 'object' && one !== null);
    return [part, ...inner.flatMap((one) => visit(one as Fields))]; // safe: an object
  };
  return wire.components.flatMap(visit);
}

export function isEphemeral(flags: unknown): boolean {
  return (Number(flags ?? 0) & MESSAGE_FLAGS.ephemeral) !== 0;
}
