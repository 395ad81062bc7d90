import type { InboundChannel, InboundEvent, InboundSender } from '@agent-runtime/domain';
import { attachmentsOf } from './attachment.ts';
import { chatAsSender, personOf, type TelegramSelf } from './place.ts';
import type { TelegramEntity, TelegramMessage } from './update.ts';

/** A message that carries words or files. */
export interface Said {
  readonly message: TelegramMessage;
  readonly channel: InboundChannel;
  readonly isEdit: boolean;
}

/** @returns undefined when nothing was said, or nobody said it */
export function saidEvent({ message, channel, isEdit }: Said, self: TelegramSelf): InboundEvent | undefined {
  const sender = senderOf(message);
  const attachments = attachmentsOf(message);
  const words = wordsOf(message, self);
  if (sender === undefined || (words.text.trim() === '' && attachments.length === 0)) return undefined;
  const id = `${message.chat.id}:${message.message_id}`;
  const replied = repliedTo(message);
  const isReplyToUs = replied?.from !== undefined && String(replied.from.id) === self.id;
  return {
    source: `telegram:${self.id}`,
    externalId: isEdit ? `${id}:e${message.edit_date ?? 0}` : id,
    kind: isEdit ? 'edit' : 'message',
    channel,
    sender,
    text: words.text,
    message: String(message.message_id),
    ...(replied === undefined ? {} : { repliesTo: String(replied.message_id) }),
    ...(attachments.length === 0 ? {} : { attachments }),
    isAddressed: channel.kind === 'direct' || words.isToUs || isReplyToUs,
    isRelayed: isRelayed(message, self),
    sentAt: (isEdit ? (message.edit_date ?? message.date) : message.date) * 1000,
  };
}

/** Anonymous admins, linked channels and whoever writes in the name of a chat are no people. */
function senderOf(message: TelegramMessage): InboundSender | undefined {
  if (message.sender_chat !== undefined) return chatAsSender(message.sender_chat);
  return message.from === undefined ? undefined : personOf(message.from);
}

/** In a forum each message that answers nobody seems to answer the opening of its topic. */
function repliedTo(message: TelegramMessage): TelegramMessage['reply_to_message'] {
  const replied = message.reply_to_message;
  return replied?.forum_topic_created === undefined ? replied : undefined;
}

/** Words of others, whoever passed them on. The text of a quote stays out; who quotes others speaks with their context all the same. */
function isRelayed(message: TelegramMessage, self: TelegramSelf): boolean {
  const isPassedOn = [
    message.forward_origin,
    message.via_bot,
    message.sender_chat,
    message.external_reply,
    message.reply_to_story,
    message.is_automatic_forward,
  ].some((mark) => mark !== undefined);
  return isPassedOn || (message.quote !== undefined && !isQuoteOfKnown(message, self));
}

/** A quote of our own words, or of the sender's. */
function isQuoteOfKnown({ reply_to_message, from }: TelegramMessage, self: TelegramSelf): boolean {
  const author = reply_to_message?.from?.id;
  return author !== undefined && (String(author) === self.id || author === from?.id);
}

interface Words {
  readonly text: string;
  readonly isToUs: boolean;
}

/** Text or caption. Offsets of entities count UTF-16 units of the text as it came, so it is mended without changing its length. */
function wordsOf(message: TelegramMessage, self: TelegramSelf): Words {
  const raw = message.text ?? message.caption ?? '';
  const entities = (message.text === undefined ? message.caption_entities : message.entities) ?? [];
  const name = `@${self.username}`.toLowerCase();
  const isOurs = (entity: TelegramEntity): boolean =>
    entity.type === 'text_mention'
      ? String(entity.user?.id) === self.id
      : entity.type === 'mention' && partOf(raw, entity).toLowerCase() === name;
  const command = entities.find(({ type, offset }) => type === 'bot_command' && offset === 0);
  const spoken = command === undefined ? '' : partOf(raw, command);
  const isOurCommand = spoken.toLowerCase().endsWith(name);
  const text = isOurCommand ? spoken.slice(0, -name.length) + raw.slice(spoken.length) : raw;
  return { text: text.toWellFormed(), isToUs: isOurCommand || entities.some(isOurs) };
}

function partOf(text: string, { offset, length }: TelegramEntity): string {
  return offset < 0 || length < 0 ? '' : text.slice(offset, offset + length);
}
