import type { Accept, Clock, InboundEvent, Logger, Suggest } from '@agent-runtime/domain';
import type { AnswerTokens } from './answers.ts';
import type { ChannelBook } from './channels.ts';
import type { DiscordCommand } from './commands.ts';
import { isUrgent, type Lanes, offer } from './lanes.ts';
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
  /** Called at each new session. @param application its id; of very old bots not the id of the bot */
  readonly ready: (application: string) => void;
  /** Pages of 100 messages that are looked back through in one channel. */
  readonly backfillPages: number;
  /** Channels that are looked back through after one gap. */
  readonly backfillChannels: number;
  /** Events of one channel that wait in memory; 500 unless said. */
  readonly maxWaiting?: number | undefined;
}

/** What one listener knows while it listens. */
export interface Hearing extends ListenDeps {
  readonly book: ChannelBook;
  readonly lanes: Lanes;
  /** Servers that the session named at its start: the bot did not just come there. */
  readonly expected: Set<string>;
  /** Channels whose lane is full: what they say is read back when it is empty again. */
  readonly crowded: Set<string>;
  backfillsLeft: number;
}

/** @returns false when the process ends before anyone took it */
export async function offerMessage(
  hearing: Hearing,
  message: WireMessage,
  kind: 'message' | 'edit',
  guild: string | undefined,
): Promise<boolean> {
  const around = await surroundings(hearing, message.channel_id, guild, personOf(message));
  return offerOne(hearing, messageEvent(message, kind, around));
}

/** Stopping everything, typed. */
export function isUrgentMessage(hearing: Hearing, message: WireMessage, guild: string | undefined): boolean {
  const around = known(hearing, message.channel_id, guild, personOf(message));
  const event = messageEvent(message, 'message', around);
  return event !== undefined && isUrgent(event);
}

/** For what cannot wait: a channel that nobody named yet is asked for only this long, ms. */
const URGENT_ASK_MS = 500;

/** As `offerMessage`, and with the engine within a second. */
export async function offerUrgent(
  hearing: Hearing,
  message: WireMessage,
  guild: string | undefined,
): Promise<boolean> {
  const name = personOf(message);
  const timer = new AbortController();
  await Promise.race([
    surroundings(hearing, message.channel_id, guild, name),
    hearing.clock.sleep(URGENT_ASK_MS, timer.signal),
  ]);
  timer.abort();
  return offerOne(hearing, messageEvent(message, 'message', known(hearing, message.channel_id, guild, name)));
}

function personOf({ author }: WireMessage): string {
  return author?.global_name ?? author?.username ?? '';
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
  if (guild !== undefined && !hearing.book.isKnown(channel)) await ask(hearing, channel, guild);
  return known(hearing, channel, guild, personName);
}

function known(
  hearing: Hearing,
  channel: string,
  guild: string | undefined,
  personName: string,
): Surroundings {
  const { book } = hearing;
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
