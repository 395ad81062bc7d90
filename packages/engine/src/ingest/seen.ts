import { oneLine, type SeenPlace, type StoreReader, type StoreTx } from '@agent-runtime/domain';
import type { Arrival, EngineDeps } from '../api.ts';
import { splitSource } from './who.ts';

const MINUTE_MS = 60_000;
const KEPT_MS = 90 * 86_400_000;
/** Of one account; anybody may add a bot to places. */
const MOST_PLACES = 1_000;
const MAX_TITLE_CHARS = 120;

/**
 * The place of an event that is bound to nothing, for staff to find. A direct talk is none: it is bound by pairing, and its person is not
 * listed.
 */
export function seenPlace(deps: Pick<EngineDeps, 'clock'>, arrival: Arrival): SeenPlace | undefined {
  const { source, channel, member } = arrival.event;
  if (channel.kind === 'direct' || arrival.authenticated !== undefined) return undefined;
  const [connector, account] = splitSource(source);
  const nowMs = deps.clock.nowMs();
  return {
    connector,
    account,
    channel: channel.id,
    kind: channel.kind,
    title: oneLine(channel.title, MAX_TITLE_CHARS),
    within: channel.group ?? channel.parent,
    firstSeenAt: nowMs,
    lastSeenAt: nowMs,
    isGone: member?.isSelf === true && member.change === 'left',
  };
}

function keyOf({ connector, account, channel }: Pick<SeenPlace, 'connector' | 'account' | 'channel'>) {
  return { connector, account, channel };
}

/** Somebody speaks to us there, or had us come: such a place may take the room of another one. */
export function isWanted({ event }: Arrival): boolean {
  return event.isAddressed || event.member?.isSelf === true;
}

/**
 * Writes the place into the caller's transaction; at most once a minute unless the account came or left.
 * @param mayEvict it may take the room of the most silent place where all is taken; else it is not kept then
 */
export async function writeSeen(tx: StoreTx, place: SeenPlace, mayEvict: boolean): Promise<void> {
  const known = await tx.get('context_seen', keyOf(place));
  if (known === undefined) {
    if (place.isGone || (!mayEvict && (await isFull(tx, place)))) return;
    await makeRoom(tx, place);
    await tx.insert('context_seen', place);
    return;
  }
  const isFresh = place.lastSeenAt - known.lastSeenAt < MINUTE_MS && known.isGone === place.isGone;
  if (!isFresh) await tx.update('context_seen', keyOf(place), { ...place, firstSeenAt: known.firstSeenAt });
}

/** In a commit of its own, for events that leave nothing else: on first sight, and when the account came or left. */
export async function see(deps: EngineDeps, arrival: Arrival): Promise<void> {
  const place = seenPlace(deps, arrival);
  const mayEvict = isWanted(arrival);
  if (place === undefined || !(await isNews(deps.store.read, place, mayEvict))) return;
  const { connector, account, channel, isGone } = place;
  const audit = {
    action: 'context.see',
    actor: 'appliance',
    subject: arrival.event.source,
    data: { connector, account, channel, isGone },
  };
  await deps.store.commit(audit, (tx) => writeSeen(tx, place, mayEvict));
}

async function isNews(reader: StoreReader, place: SeenPlace, mayEvict: boolean): Promise<boolean> {
  const known = await reader.get('context_seen', keyOf(place));
  if (known !== undefined) return known.isGone !== place.isGone;
  return !place.isGone && (mayEvict || !(await isFull(reader, place)));
}

async function isFull(reader: StoreReader, { connector, account }: SeenPlace): Promise<boolean> {
  return (await reader.count('context_seen', { connector, account })) >= MOST_PLACES;
}

/** The place that was silent longest goes first. */
async function makeRoom(tx: StoreTx, place: SeenPlace): Promise<void> {
  const { connector, account } = place;
  if (!(await isFull(tx, place))) return;
  const [oldest] = await tx.find('context_seen', { connector, account }, { orderBy: 'lastSeenAt', limit: 1 });
  if (oldest === undefined) return;
  await tx.remove('context_seen', keyOf(oldest));
  tx.audit({
    action: 'context.forget_seen',
    actor: 'appliance',
    subject: `${connector}:${account}`,
    data: { channel: oldest.channel, for: place.channel },
  });
}

/** Forgets places where nothing was heard for long. @returns how many */
export async function pruneSeen(deps: EngineDeps): Promise<number> {
  const isOld = { lastSeenAt: { lt: deps.clock.nowMs() - KEPT_MS } };
  if ((await deps.store.read.get('context_seen', isOld)) === undefined) return 0;
  const audit = { action: 'context.forget_seen', actor: 'appliance', subject: 'places' };
  return deps.store.commit(audit, (tx) => tx.remove('context_seen', isOld));
}
