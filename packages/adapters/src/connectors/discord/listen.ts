import { z } from 'zod';
import { lookBack, lookBackLater } from './backfill.ts';
import { channelBook } from './channels.ts';
import type { Packet } from './gateway.ts';
import {
  type Hearing,
  isUrgentMessage,
  type ListenDeps,
  offerMessage,
  offerOne,
  offerUrgent,
  surroundings,
} from './hearing.ts';
import { takeInteraction } from './interactions.ts';
import { lanesOf, nameOf } from './lanes.ts';
import { changeThread, joinGuild, leaveChannel, leaveGuild } from './membership.ts';
import { reactionEvent } from './message.ts';
import {
  type WireChannel,
  type WireGuild,
  type WireMessage,
  type WireReaction,
  wireChannel,
  wireGuild,
  wireInteraction,
  wireMessage,
  wireReaction,
  wireThreadMembers,
} from './wire.ts';

/** Turns what the gateway tells into events, each channel in its own order. */
export interface Listener {
  /** Never throws. */
  take(packet: Packet): void;
  idle(): Promise<void>;
}

export function listener(deps: ListenDeps): Listener {
  const lanes = lanesOf(deps.log, deps.maxWaiting);
  const hearing: Hearing = {
    ...deps,
    book: channelBook(),
    lanes,
    expected: new Set(),
    crowded: new Set(),
    backfillsLeft: 0,
  };
  return {
    idle: () => lanes.idle(),
    take: ({ t, d }) => {
      try {
        HEARD[t]?.(hearing, d, t);
      } catch (error) {
        deps.log.error(
          { room: 'discord', event: t, error: nameOf(error) },
          'An event of Discord could not be worked on.',
        );
      }
    },
  };
}

type Hear = (hearing: Hearing, data: unknown, event: string) => void;

function on<T>(schema: z.ZodType<T>, work: (hearing: Hearing, value: T) => void): Hear {
  return (hearing, data, event) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) work(hearing, parsed.data);
    else {
      const where = parsed.error.issues.map(({ path }) => path.join('.'));
      hearing.log.warn(
        { room: 'discord', event, where },
        'An event of Discord has an unknown form and was left out.',
      );
    }
  };
}

const learnChannel: Hear = on(wireChannel, ({ book }, channel: WireChannel) => book.learn(channel));

const ready = z.object({
  guilds: z.array(wireGuild.pick({ id: true })),
  application: z.object({ id: z.string() }).nullish(),
});

const HEARD: Readonly<Record<string, Hear>> = {
  READY: on(ready, beginSession),
  GUILD_CREATE: on(wireGuild, openGuild),
  GUILD_UPDATE: on(wireGuild, ({ book, account }, guild) => book.learnGuild(guild, account)),
  GUILD_DELETE: on(wireGuild.pick({ id: true, unavailable: true }), leaveGuild),
  CHANNEL_CREATE: learnChannel,
  CHANNEL_UPDATE: learnChannel,
  THREAD_CREATE: learnChannel,
  THREAD_UPDATE: learnChannel,
  CHANNEL_DELETE: on(wireChannel, leaveChannel),
  THREAD_DELETE: on(wireChannel, leaveChannel),
  THREAD_MEMBERS_UPDATE: on(wireThreadMembers, changeThread),
  MESSAGE_CREATE: on(wireMessage, (hearing, message) => takeMessage(hearing, message, 'message')),
  MESSAGE_UPDATE: on(wireMessage, (hearing, message) => takeMessage(hearing, message, 'edit')),
  MESSAGE_REACTION_ADD: on(wireReaction, takeReaction),
  INTERACTION_CREATE: on(wireInteraction, takeInteraction),
};

/** A fresh session: what was said since the last sign of life was told to nobody. A resumed one brings it by itself. */
function beginSession(hearing: Hearing, { guilds, application }: z.infer<typeof ready>): void {
  hearing.ready(application?.id ?? hearing.account);
  hearing.expected.clear();
  for (const { id } of guilds) hearing.expected.add(id);
  hearing.backfillsLeft = hearing.backfillChannels;
  for (const channel of hearing.marks.directs()) lookBack(hearing, channel, undefined);
}

function openGuild(hearing: Hearing, guild: WireGuild): void {
  if (guild.unavailable === true) return;
  const isNew = !hearing.expected.delete(guild.id) && !hearing.book.hasGuild(guild.id);
  hearing.book.learnGuild(guild, hearing.account);
  if (isNew) joinGuild(hearing, guild);
  else lookBackThrough(hearing, guild);
}

function lookBackThrough(hearing: Hearing, { id, channels, threads }: WireGuild): void {
  for (const channel of [...(channels ?? []), ...(threads ?? [])]) {
    if (hearing.marks.isBehind(channel.id, channel.last_message_id)) lookBack(hearing, channel.id, id);
  }
}

function takeMessage(hearing: Hearing, message: WireMessage, kind: 'message' | 'edit'): void {
  const { channel_id: channel } = message;
  const guild = message.guild_id ?? undefined;
  const { lanes, marks, crowded } = hearing;
  if (kind === 'edit') {
    // Edits of a gap stay unknown.
    if (!lanes.isFull(channel))
      lanes.push(channel, async () => void (await offerMessage(hearing, message, kind, guild)));
    return;
  }
  const urgent = isUrgentMessage(hearing, message, guild) ? beginAtOnce(hearing, message, guild) : undefined;
  if (crowded.has(channel)) return;
  if (lanes.isFull(channel)) {
    lookBackLater(hearing, channel, guild, message.id);
    return;
  }
  const work = `message:${message.id}`;
  if (guild === undefined) marks.opened(channel, message.id);
  marks.began(work, message.id);
  lanes.push(channel, async () => {
    const isDone = await (urgent ?? offerMessage(hearing, message, kind, guild));
    if (!isDone) return;
    marks.passed(channel, message.id, guild === undefined);
    marks.ended(work);
  });
}

/** What stops everything does not wait for its turn; how far its channel was heard does. */
function beginAtOnce(hearing: Hearing, message: WireMessage, guild: string | undefined): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  hearing.lanes.atOnce(async () => {
    let isDone = false;
    try {
      isDone = await offerUrgent(hearing, message, guild);
    } finally {
      resolve(isDone);
    }
  });
  return promise;
}

function takeReaction(hearing: Hearing, reaction: WireReaction): void {
  const { channel_id: channel, guild_id: guild } = reaction;
  if (hearing.lanes.isFull(channel)) return;
  hearing.lanes.push(channel, async () => {
    const around = await surroundings(hearing, channel, guild ?? undefined, '');
    await offerOne(hearing, reactionEvent(reaction, around, hearing.clock.nowMs()));
  });
}
