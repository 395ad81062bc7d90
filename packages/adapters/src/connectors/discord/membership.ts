import { type Hearing, offerOne } from './hearing.ts';
import type { WireChannel, WireGuild, WireThreadMembers } from './wire.ts';

/** The bot came to a server that the session did not begin with. */
export function joinGuild(hearing: Hearing, guild: WireGuild): void {
  const at = guild.joined_at ? Date.parse(guild.joined_at) : hearing.clock.nowMs();
  offerMembership(hearing, guild.id, { title: guild.name ?? guild.id, group: guild.id }, 'joined', at);
}

/** A server that is only out of order comes back by itself. */
export function leaveGuild(
  hearing: Hearing,
  guild: { readonly id: string; readonly unavailable?: boolean | null | undefined },
): void {
  if (guild.unavailable === true) return void hearing.expected.add(guild.id);
  const joinedAt = hearing.book.forgetGuild(guild.id);
  const at = joinedAt ? Date.parse(joinedAt) : 0;
  offerMembership(hearing, guild.id, { title: guild.id, group: guild.id }, 'left', at);
}

/** A channel or thread is gone, and the bot with it. */
export function leaveChannel(hearing: Hearing, channel: WireChannel): void {
  const title = hearing.book.nameOf(channel.id) ?? channel.id;
  hearing.book.forget(channel.id);
  const group = channel.guild_id ?? undefined;
  offerMembership(hearing, channel.id, { title, ...(group === undefined ? {} : { group }) }, 'left', 0);
}

/** Somebody took the bot into a thread, or out of it. */
export function changeThread(hearing: Hearing, change: WireThreadMembers): void {
  const { account, book, clock } = hearing;
  const added = change.added_members?.find((member) => member.user_id === account);
  const isRemoved = change.removed_member_ids?.includes(account) === true;
  if (added === undefined && !isRemoved) return;
  const group = change.guild_id ?? undefined;
  const { title } = book.channel(change.id, group, change.id);
  const place = { title, ...(group === undefined ? {} : { group }) };
  const joinedAt = Date.parse(added?.join_timestamp ?? '');
  // Of leaving Discord tells no time; told twice it says nothing new.
  offerMembership(hearing, change.id, place, isRemoved ? 'left' : 'joined', joinedAt || clock.nowMs());
}

/** @param at of the bot's coming: one membership from another */
function offerMembership(
  hearing: Hearing,
  id: string,
  place: { readonly title: string; readonly group?: string },
  change: 'joined' | 'left',
  at: number,
): void {
  hearing.lanes.push(id, async () => {
    await offerOne(hearing, {
      source: hearing.source,
      externalId: `m:${id}:${change}:${at}`,
      kind: 'member',
      channel: { id, kind: id === place.group ? 'group' : 'channel', ...place },
      sender: { id: hearing.account, displayName: hearing.account, isBot: true },
      text: '',
      member: { change, isSelf: true },
      isAddressed: false,
      isRelayed: false,
      sentAt: hearing.clock.nowMs(),
    });
  });
}
