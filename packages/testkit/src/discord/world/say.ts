import type { Draft, NewFile } from './draft.ts';
import { addMessage } from './messages.ts';
import { userWire } from './people.ts';
import { type Fields, MESSAGE_FLAGS, type Snowflake, type WireMessage, type WireUser } from './wire.ts';
import { type ChannelRecord, idOf, type MessageRecord, must, type Ref, type World } from './world.ts';

/** A file as a test describes it. */
export interface SaidFile {
  readonly name: string;
  readonly bytes?: Uint8Array | string;
  readonly contentType?: string;
  readonly description?: string;
  /** Makes it a voice message. */
  readonly durationSecs?: number;
  /** Size to be claimed instead of that of the bytes. */
  readonly sizeBytes?: number;
}

/** What somebody says. */
export interface Say {
  readonly channel: Ref;
  /** Left out when a webhook speaks. */
  readonly from?: Ref;
  /** Mentions are read from it: `<@id>`, `<@&id>`, `@everyone`. */
  readonly content?: string;
  /** Mentioned besides those in the text. */
  readonly mentions?: readonly Ref[];
  readonly replyTo?: Ref;
  /** Default true: who is answered is notified. */
  readonly pingsReplied?: boolean;
  /** A message that is passed on: its content comes as a snapshot, `content` stays empty. */
  readonly forwards?: Ref;
  readonly attachments?: readonly SaidFile[];
  readonly embeds?: readonly Fields[];
  readonly webhook?: { readonly id?: Snowflake; readonly name: string };
  /** E.g. 7: joined the guild, 18: a thread was made. */
  readonly type?: number;
}

/** Somebody speaks. @returns the message as it stands in its channel */
export function say(world: World, said: Say): WireMessage {
  const channel = must(world.channels, said.channel, 'channel');
  const isVoice = said.attachments?.some(({ durationSecs }) => durationSecs !== undefined) ?? false;
  const replied = said.replyTo === undefined ? undefined : findMessage(world, said.replyTo);
  const draft: Draft = {
    channel,
    author: speaker(world, channel, said),
    content: said.content ?? '',
    ...(said.type === undefined ? {} : { type: said.type }),
    flags: (isVoice ? MESSAGE_FLAGS.voice : 0) | (said.forwards === undefined ? 0 : MESSAGE_FLAGS.snapshot),
    embeds: said.embeds ?? [],
    files: (said.attachments ?? []).map(fileOf),
    allowedMentions: {
      parse: ['users', 'roles', 'everyone'],
      replied_user: said.pingsReplied ?? true,
    },
    alsoMentioned: (said.mentions ?? []).map(idOf),
    repliesTo: replied,
    forwards: said.forwards === undefined ? undefined : findMessage(world, said.forwards),
    webhookId: said.webhook === undefined ? undefined : webhookIdOf(channel, said.webhook),
  };
  return addMessage(world, draft).wire;
}

/** Finds a message in any channel. @throws Error when there is none */
export function findMessage(world: World, ref: Ref): MessageRecord {
  const id = idOf(ref);
  for (const channel of world.channels.values()) {
    const found = channel.messages.get(id);
    if (found !== undefined) return found;
  }
  throw new Error(`The emulated Discord has no message ${id}`);
}

function speaker(world: World, channel: ChannelRecord, said: Say): WireUser {
  if (said.webhook !== undefined) {
    const id = webhookIdOf(channel, said.webhook);
    return { ...userWire(id, { username: said.webhook.name, isBot: true }), discriminator: '0000' };
  }
  if (said.from === undefined) throw new Error('say() needs `from`, or `webhook`');
  return must(world.users, said.from, 'user');
}

/** A webhook speaks under its own id; one that is not named otherwise has that of its channel. */
function webhookIdOf(channel: ChannelRecord, webhook: { readonly id?: Snowflake }): Snowflake {
  return webhook.id ?? channel.wire.id;
}

function fileOf(file: SaidFile): NewFile {
  const { bytes = '', ...rest } = file;
  return { ...rest, bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes };
}
