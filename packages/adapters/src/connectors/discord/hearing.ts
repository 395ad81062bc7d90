import type { Accept, Clock, InboundEvent, Logger, Suggest } from '@agent-runtime/domain';
import type { AnswerTokens } from './answers.ts';
import type { ChannelBook } from './channels.ts';
import type { DiscordCommand } from './commands.ts';
import { type Lanes, offer } from './lanes.ts';
import type { Marks } from './marks.ts';
import { messageEvent, type Surroundings } from './message.ts';
import type { Api } from './rest.ts';
import { type WireMessage, wireChannel } from './wire.ts';

export interface ListenDeps {
  readonly api: Api;
  readonly tokens: AnswerTokens;
  readonly marks: Marks;
  readonly clock: Clock;
  readonly log: Logger;
  readonly source: string;
  readonly account: string;
  readonly commands: ReadonlyMap<string, DiscordCommand>;
  readonly accept: Accept;
  readonly suggest: Suggest | undefined;
  readonly signal: AbortSignal;
  /** Pages of 100 messages that are looked back through in one channel. */
  readonly backfillPages: number;
  /** Channels that are looked back through after one gap. */
  readonly backfillChannels: number;
}

/** What one listener knows while it listens. */
export interface Hearing extends ListenDeps {
  readonly book: ChannelBook;
  readonly lanes: Lanes;
  /** Servers that the session named at its start: the bot did not just come there. */
  readonly expected: Set<string>;
  backfillsLeft: number;
}

/** @returns false when the process ends before anyone took it */
export async function offerMessage(
  hearing: Hearing,
  message: WireMessage,
  kind: 'message' | 'edit',
  guild: string | undefined,
): Promise<boolean> {
  const name = message.author?.global_name ?? message.author?.username ?? '';
  const around = await surroundings(hearing, message.channel_id, guild, name);
  return offerOne(hearing, messageEvent(message, kind, around));
}

/** @returns false when the process ends before anyone took it; true also for what is nobody's business */
export async function offerOne(hearing: Hearing, event: InboundEvent | undefined): Promise<boolean> {
  if (event === undefined) return true;
  return (await offer(event, hearing.accept, hearing)).kind !== 'stopped';
}

/** What the words of a channel are read with. */
export async function surroundings(
  hearing: Hearing,
  channel: string,
  guild: string | undefined,
  personName: string,
): Promise<Surroundings> {
  const { book } = hearing;
  if (guild !== undefined && !book.isKnown(channel)) await ask(hearing, channel, guild);
  return {
    source: hearing.source,
    selfId: hearing.account,
    channel: book.channel(channel, guild, personName),
    ownRole: guild === undefined ? undefined : book.ownRole(guild),
    nameOf: book.nameOf,
  };
}

/** A thread that wakes up may speak before anyone named it. Unnamed it is a place of its own, where nothing is allowed. */
async function ask(hearing: Hearing, channel: string, guild: string): Promise<void> {
  const said = await hearing.api
    .call({ method: 'GET', route: `/channels/${channel}`, signal: hearing.signal })
    .catch(() => undefined);
  const parsed = wireChannel.safeParse(said);
  if (parsed.success) hearing.book.learn(parsed.data, guild);
}
