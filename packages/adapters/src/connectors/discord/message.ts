import type { Attachment, InboundChannel, InboundEvent, InboundSender } from '@agent-runtime/domain';
import { instantOf, isSnowflake } from './snowflake.ts';
import type { WireAttachment, WireMessage, WireReaction, WireUser } from './wire.ts';

/** What the pure half needs to know besides the message itself. */
export interface Surroundings {
  readonly source: string;
  readonly selfId: string;
  readonly channel: InboundChannel;
  /** The bot's own role in this server. */
  readonly ownRole?: string | undefined;
  /** Names of channels, for mentions of them. */
  readonly nameOf: (channel: string) => string | undefined;
}

/** Ordinary words, an answer, the opening of a thread; every other type is Discord speaking. */
const DEFAULT = 0;
const REPLY = 19;
const THREAD_STARTER = 21;
const SPOKEN: ReadonlySet<number> = new Set([DEFAULT, REPLY, THREAD_STARTER]);
const FORWARD = 1;
const VOICE_FLAG = 1 << 13;

/** The person's name as this server shows it. Names are for reading only: anybody may take any name. */
export function displayNameOf(user: WireUser, nick?: string | null): string {
  return nick || user.global_name || user.username || user.id;
}

/**
 * A message or its edit.
 * @returns undefined for what nobody said to anybody: system messages, our own, link previews, words that the missing intent blanked
 */
export function messageEvent(
  message: WireMessage,
  kind: 'message' | 'edit',
  around: Surroundings,
): InboundEvent | undefined {
  const { author } = message;
  if (author === undefined || author.id === around.selfId || !SPOKEN.has(message.type)) return undefined;
  const editedAt = Date.parse(message.edited_timestamp ?? '');
  if (kind === 'edit' && Number.isNaN(editedAt)) return undefined;
  const isAddressed = isToUs(message, around);
  const words = wordsOf(message, around);
  const attachments = attachmentsOf(message);
  if (words === '' && attachments.length === 0 && !isAddressed) return undefined;
  const answers = message.message_reference?.type === FORWARD ? undefined : message.message_reference;
  return {
    source: around.source,
    externalId: kind === 'edit' ? `${message.id}:e${editedAt}` : message.id,
    kind,
    channel: around.channel,
    sender: senderOf(message, author),
    text: words,
    message: message.id,
    ...(answers?.message_id ? { repliesTo: answers.message_id } : {}),
    ...(attachments.length === 0 ? {} : { attachments }),
    isAddressed,
    isRelayed: isRelayed(message),
    sentAt: kind === 'edit' ? editedAt : sentAtOf(message),
  };
}

/** An emoji on a message; taking it off again is nobody's business. */
export function reactionEvent(
  reaction: WireReaction,
  around: Surroundings,
  nowMs: number,
): InboundEvent | undefined {
  if (reaction.user_id === around.selfId) return undefined;
  const emoji = reaction.emoji.id ? `:${reaction.emoji.name ?? ''}:` : (reaction.emoji.name ?? '');
  const user = reaction.member?.user;
  return {
    source: around.source,
    // The same person putting the same emoji there again says nothing new.
    externalId: `r:${reaction.message_id}:${reaction.user_id}:${reaction.emoji.id ?? emoji}`,
    kind: 'reaction',
    channel: around.channel,
    sender: {
      id: reaction.user_id,
      displayName: user === undefined ? reaction.user_id : displayNameOf(user, reaction.member?.nick),
      isBot: user?.bot ?? false,
    },
    text: emoji,
    message: reaction.message_id,
    isAddressed: reaction.message_author_id === around.selfId,
    isRelayed: false,
    sentAt: nowMs,
  };
}

function senderOf(message: WireMessage, author: WireUser): InboundSender {
  return {
    id: author.id,
    displayName: displayNameOf(author, message.member?.nick),
    // A webhook has no person behind its id: whoever holds its address speaks.
    isBot: (author.bot ?? false) || Boolean(message.webhook_id),
  };
}

/** `@everyone`, `@here` and roles of people are not for us; the role that Discord made for the bot is. */
function isToUs(message: WireMessage, around: Surroundings): boolean {
  if (message.type === THREAD_STARTER) return false;
  if (around.channel.kind === 'direct') return true;
  if (message.mentions?.some(({ id }) => id === around.selfId) === true) return true;
  if (around.ownRole !== undefined && message.mention_roles?.includes(around.ownRole) === true) return true;
  return message.type === REPLY && message.referenced_message?.author?.id === around.selfId;
}

/** Words of somebody else in the mouth of this sender. */
function isRelayed(message: WireMessage): boolean {
  return (
    message.message_reference?.type === FORWARD ||
    message.type === THREAD_STARTER ||
    Boolean(message.webhook_id)
  );
}

function wordsOf(message: WireMessage, around: Surroundings): string {
  if (message.message_reference?.type === FORWARD) {
    const parts = (message.message_snapshots ?? []).map((one) => one.message.content ?? '');
    return readable(parts.join('\n\n').trim(), message, around);
  }
  const starter = message.type === THREAD_STARTER ? message.referenced_message?.content : undefined;
  return readable(withoutCall(starter ?? message.content ?? '', around), message, around);
}

/** A leading mention is how one calls the bot, not what one says to it. */
function withoutCall(text: string, { selfId, ownRole }: Surroundings): string {
  const calls = [`<@${selfId}>`, `<@!${selfId}>`, ...(ownRole === undefined ? [] : [`<@&${ownRole}>`])];
  const trimmed = text.trimStart();
  const call = calls.find((one) => trimmed.startsWith(one));
  return call === undefined ? text : trimmed.slice(call.length).replace(/^[\s,:]+/, '');
}

/**
 * Mentions as people see them. A number says nothing to a reader or a model; and nothing here trusts a name, so that none is needed
 * to find the person again.
 */
function readable(text: string, message: WireMessage, around: Surroundings): string {
  const names = new Map(
    (message.mentions ?? []).map((user) => [user.id, displayNameOf(user, user.member?.nick)]),
  );
  return text.replace(
    /<(?:@!?(\d{1,20})|#(\d{1,20})|a?(:\w{2,32}:)\d{1,20})>/g,
    (whole, user?: string, channel?: string, emoji?: string) => {
      if (emoji !== undefined) return emoji;
      const name = user === undefined ? around.nameOf(channel ?? '') : names.get(user);
      return name === undefined ? whole : `${user === undefined ? '#' : '@'}${name}`;
    },
  );
}

function attachmentsOf(message: WireMessage): readonly Attachment[] {
  const forwarded = (message.message_snapshots ?? []).map((one) => one.message);
  return [message, ...forwarded].flatMap(({ attachments, sticker_items: stickers }) => [
    ...(attachments ?? []).map(attachmentOf),
    ...(stickers ?? []).map(
      ({ id, name }): Attachment => ({ kind: 'sticker', id, ...(name ? { name } : {}) }),
    ),
  ]);
}

function attachmentOf(file: WireAttachment): Attachment {
  return {
    kind: kindOf(file),
    id: file.id,
    ...(file.filename ? { name: file.filename } : {}),
    ...(file.content_type ? { mime: file.content_type } : {}),
    ...(typeof file.size === 'number' ? { bytes: file.size } : {}),
  };
}

function kindOf(file: WireAttachment): Attachment['kind'] {
  const mime = file.content_type ?? '';
  if (((file.flags ?? 0) & VOICE_FLAG) !== 0 || (mime.startsWith('audio/') && file.duration_secs))
    return 'voice';
  if (mime.startsWith('image/')) return 'photo';
  if (mime.startsWith('audio/')) return 'audio';
  return mime.startsWith('video/') ? 'video' : 'document';
}

function sentAtOf(message: WireMessage): number {
  const at = Date.parse(message.timestamp ?? '');
  if (!Number.isNaN(at)) return at;
  return isSnowflake(message.id) ? instantOf(message.id) : 0;
}
