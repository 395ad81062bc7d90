import { createHash } from 'node:crypto';
import {
  type Context,
  type Conversation,
  type JsonObject,
  type Message,
  oneLine,
  slugify,
} from '@agent-runtime/domain';
import { formatRecord } from './record.ts';

/** `logs/<connector>/<channel>/YYYY-MM.md`; a channel whose name had to be changed carries a mark, so that two never share a file. */
export function logPath(
  context: Pick<Context, 'connector' | 'channel'>,
  message: Pick<Message, 'at'>,
): string {
  const month = new Date(message.at).toISOString().slice(0, 7);
  return `logs/${slugify(context.connector)}/${unique(context.channel)}/${month}.md`;
}

function unique(name: string): string {
  const slug = slugify(name);
  return slug === name
    ? slug
    : `${slug.slice(0, 39)}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** A message as a record: all of its row in the head but the text, which people read below. */
export function logRecord(
  message: Message,
  conversation: Pick<Conversation, 'key'>,
  key: Uint8Array,
): string {
  const { text, attachments, ...row } = message;
  const head: JsonObject = {
    ...row,
    kind: 'message',
    label: { ...message.label },
    key: conversation.key,
    ...(attachments === undefined ? {} : { attachments: attachments.map((one) => ({ ...one })) }),
  };
  const at = new Date(message.at).toISOString().slice(0, 16).replace('T', ' ');
  const name = oneLine(message.senderName, 60).replace(/[*_`<>[\]]/g, '');
  return formatRecord({ head, text }, `**${name}**, ${at} UTC`, key);
}
