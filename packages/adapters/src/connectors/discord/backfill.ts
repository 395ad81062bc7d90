import { type Hearing, offerMessage } from './hearing.ts';
import { HISTORY_PAGE, history } from './look.ts';
import type { WireMessage } from './wire.ts';

/** Asks for what a channel said meanwhile, before what it says now. */
export function lookBack(hearing: Hearing, channel: string, guild: string | undefined): void {
  if (hearing.backfillsLeft <= 0) {
    hearing.log.warn(
      { room: 'discord', channel },
      'Too many channels spoke while nobody listened; this one is not read back.',
    );
    return;
  }
  hearing.backfillsLeft -= 1;
  const work = `back:${channel}`;
  const from = hearing.marks.after(channel);
  hearing.marks.began(work, from);
  hearing.lanes.push(channel, async () => {
    const isDone = await lookThrough(hearing, channel, guild, from);
    if (isDone) hearing.marks.ended(work);
  });
}

/**
 * The lane of a channel is full: from now on nothing of it is kept in memory, and when the lane is empty the channel is asked for what it
 * said since.
 * @param first message that is left out
 */
export function lookBackLater(
  hearing: Hearing,
  channel: string,
  guild: string | undefined,
  first: string,
): void {
  const { marks, lanes, crowded, log } = hearing;
  const work = `later:${channel}`;
  crowded.add(channel);
  marks.began(work, first);
  log.warn({ room: 'discord', channel }, 'Too much waits in one channel; the rest is read back later.');
  lanes.push(channel, async () => {
    crowded.delete(channel);
    // All of it: nobody was away.
    const isDone = await lookThrough(
      { ...hearing, backfillPages: Infinity },
      channel,
      guild,
      marks.after(channel),
    );
    if (isDone) marks.ended(work);
  });
}

async function lookThrough(
  hearing: Hearing,
  channel: string,
  guild: string | undefined,
  from: string,
): Promise<boolean> {
  let after = from;
  for (let page = 0; page < hearing.backfillPages; page += 1) {
    const messages = await pageAfter(hearing, channel, after);
    if (messages === undefined) return !hearing.signal.aborted;
    for (const message of messages) {
      if (!(await offerMessage(hearing, message, 'message', guild))) return false;
      hearing.marks.passed(channel, message.id, guild === undefined);
      after = message.id;
    }
    if (messages.length < HISTORY_PAGE) return true;
  }
  hearing.log.warn({ room: 'discord', channel }, 'More was said while nobody listened than is read back.');
  return true;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** @returns undefined when the channel may not be read, or the process ends */
async function pageAfter(
  hearing: Hearing,
  channel: string,
  after: string,
): Promise<readonly WireMessage[] | undefined> {
  for (let waitMs = FIRST_WAIT_MS; !hearing.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await history(hearing.api, channel, after, hearing.signal);
    } catch (error) {
      const { kind, retryAfterMs } = troubleOf(error);
      if (kind === 'rejected') return undefined;
      await hearing.clock.sleep(retryAfterMs ?? waitMs, hearing.signal);
    }
  }
  return undefined;
}

function troubleOf(error: unknown): { readonly kind?: unknown; readonly retryAfterMs?: number } {
  // safe: only compared or defaulted
  return typeof error === 'object' && error !== null
    ? (error as { kind?: unknown; retryAfterMs?: number })
    : {};
}
