import { type InboundChannel, type InboundEvent, type InboundSender, sha256 } from '@agent-runtime/domain';
import { saidEvent } from './message.ts';
import { channelOf, chatAsSender, personOf, type TelegramSelf, topicNameIn, topicOf } from './place.ts';
import {
  type TelegramCallback,
  type TelegramChat,
  type TelegramMember,
  type TelegramMemberUpdate,
  type TelegramMessage,
  type TelegramReactions,
  type TelegramUpdate,
  type TelegramUser,
  updateShape,
} from './update.ts';

/**
 * What an update of the Bot API says, in our own words. Ids are made of chat, message, kind and date, never of the update id, which may
 * begin anew. Posts in channels are left out: nobody there can be told apart.
 * @param update anything; what is no update of a kind we know gives nothing
 * @param nowMs when a button was pressed, which Telegram does not say
 * @returns events in order. Pure, never throws.
 */
export function toInbound(update: unknown, self: TelegramSelf, nowMs: number): readonly InboundEvent[] {
  const parsed = updateShape.safeParse(update);
  return parsed.success ? eventsOf(parsed.data, self, nowMs) : [];
}

/** The same for an update that was parsed already. */
export function eventsOf(update: TelegramUpdate, self: TelegramSelf, nowMs: number): readonly InboundEvent[] {
  const { message, edited_message, callback_query, message_reaction, my_chat_member, chat_member } = update;
  if (message !== undefined) return messageEvents(message, self);
  if (edited_message !== undefined) return present(said(edited_message, self, true));
  if (callback_query !== undefined) return present(buttonEvent(callback_query, self, nowMs));
  if (message_reaction !== undefined) return reactionEvents(message_reaction, self);
  const change = my_chat_member ?? chat_member;
  return change === undefined ? [] : present(changeEvent(change, self));
}

function present(event: InboundEvent | undefined): readonly InboundEvent[] {
  return event === undefined ? [] : [event];
}

function messageEvents(message: TelegramMessage, self: TelegramSelf): readonly InboundEvent[] {
  const { chat, date } = message;
  if (message.migrate_to_chat_id !== undefined) {
    const to = { ...chat, id: message.migrate_to_chat_id, type: 'supergroup' };
    return [movedEvent({ from: chat.id, to, atMs: date * 1000 }, self)];
  }
  if (message.migrate_from_chat_id !== undefined)
    return [movedEvent({ from: message.migrate_from_chat_id, to: chat, atMs: date * 1000 }, self)];
  const joined = (message.new_chat_members ?? []).map((user) => ({ user, change: 'joined' as const }));
  const left = message.left_chat_member;
  const changes = left === undefined ? joined : [...joined, { user: left, change: 'left' as const }];
  // Our own coming and going has an update of its own that tells it in every kind of chat.
  const others = changes.filter(({ user }) => String(user.id) !== self.id);
  if (changes.length > 0)
    return others.flatMap((one) => present(memberEvent({ ...one, chat, date, sender: one.user }, self)));
  return present(said(message, self, false));
}

function said(message: TelegramMessage, self: TelegramSelf, isEdit: boolean): InboundEvent | undefined {
  const channel = channelOfMessage(message, self);
  return channel === undefined ? undefined : saidEvent({ message, channel, isEdit }, self);
}

function channelOfMessage(message: TelegramMessage, self: TelegramSelf): InboundChannel | undefined {
  const id = topicOf(message);
  return channelOf(message.chat, self, id === undefined ? undefined : { id, name: topicNameIn(message) });
}

interface Told {
  readonly externalId: string;
  readonly kind: InboundEvent['kind'];
  readonly channel: InboundChannel;
  readonly sender: InboundSender;
  readonly atMs: number;
}

/** What is no message: nobody's words, and nothing passed on. */
function told(self: TelegramSelf, { atMs, ...rest }: Told): InboundEvent {
  return {
    source: `telegram:${self.id}`,
    ...rest,
    text: '',
    isAddressed: false,
    isRelayed: false,
    sentAt: atMs,
  };
}

function buttonEvent(query: TelegramCallback, self: TelegramSelf, atMs: number): InboundEvent | undefined {
  const { id, from, data, message } = query;
  const channel = message === undefined ? undefined : channelOfMessage(message, self);
  if (message === undefined || channel === undefined || data === undefined) return undefined;
  const about = {
    externalId: `cb:${id.toWellFormed()}`,
    kind: 'button',
    channel,
    sender: personOf(from),
  } as const;
  return {
    ...told(self, { ...about, atMs }),
    message: String(message.message_id),
    buttonId: data.toWellFormed(),
    isAddressed: true,
  };
}

/** One event for each emoji that is new. The topic of the message is told seldom. */
function reactionEvents(update: TelegramReactions, self: TelegramSelf): readonly InboundEvent[] {
  const { chat, message_id, message_thread_id, user, actor_chat, date } = update;
  const topic = topicOf({ chat, message_thread_id, is_topic_message: message_thread_id !== undefined });
  const channel = channelOf(chat, self, topic === undefined ? undefined : { id: topic, name: undefined });
  const sender = senderOf(user, actor_chat);
  if (channel === undefined || sender === undefined) return [];
  const before = new Set(update.old_reaction.map(emojiOf));
  return [...new Set(update.new_reaction.map(emojiOf))]
    .filter((emoji) => emoji !== '' && !before.has(emoji))
    .map((text) => ({
      ...told(self, {
        externalId: `r:${chat.id}:${message_id}:${sender.id}:${date}:${sha256(text).slice(7, 23)}`,
        kind: 'reaction',
        channel,
        sender,
        atMs: date * 1000,
      }),
      text,
      message: String(message_id),
    }));
}

function senderOf(user: TelegramUser | undefined, chat: TelegramChat | undefined): InboundSender | undefined {
  if (user !== undefined) return personOf(user);
  return chat === undefined ? undefined : chatAsSender(chat);
}

function emojiOf(reaction: TelegramReactions['new_reaction'][number]): string {
  if (reaction.emoji !== undefined) return reaction.emoji.toWellFormed();
  return reaction.custom_emoji_id === undefined ? '' : `custom:${reaction.custom_emoji_id.toWellFormed()}`;
}

function changeEvent(update: TelegramMemberUpdate, self: TelegramSelf): InboundEvent | undefined {
  const { chat, from, date, old_chat_member: before, new_chat_member: after } = update;
  if (isIn(before) === isIn(after)) return undefined;
  const change = isIn(after) ? 'joined' : 'left';
  // Of ourselves it matters who did it.
  const sender = String(after.user.id) === self.id ? from : after.user;
  return memberEvent({ user: after.user, change, chat, date, sender }, self);
}

function isIn({ status, is_member }: TelegramMember): boolean {
  if (status === 'restricted') return is_member ?? true;
  return status === 'creator' || status === 'administrator' || status === 'member';
}

interface Change {
  readonly user: TelegramUser;
  readonly change: 'joined' | 'left';
  readonly chat: TelegramChat;
  readonly date: number;
  readonly sender: TelegramUser;
}

/** Admins hear of a change twice, as a message and as an update: both make the same id. */
function memberEvent(
  { user, change, chat, date, sender }: Change,
  self: TelegramSelf,
): InboundEvent | undefined {
  const channel = channelOf(chat, self);
  if (channel === undefined) return undefined;
  const externalId = `mb:${chat.id}:${user.id}:${change}:${date}`;
  return {
    ...told(self, { externalId, kind: 'member', channel, sender: personOf(sender), atMs: date * 1000 }),
    member: { change, isSelf: String(user.id) === self.id },
  };
}

/** A group that became a supergroup. Both chats tell it, and a refused delivery as well: all three are one event, of nobody. */
export function movedEvent(
  { from, to, atMs }: { readonly from: number; readonly to: TelegramChat; readonly atMs: number },
  self: TelegramSelf,
): InboundEvent {
  const id = String(to.id);
  return {
    ...told(self, {
      externalId: `mv:${from}:${id}`,
      kind: 'moved',
      channel: channelOf(to, self) ?? { id, kind: 'group', title: id, group: id },
      sender: { id: self.id, displayName: self.username, isBot: true },
      atMs,
    }),
    movedFrom: String(from),
  };
}
