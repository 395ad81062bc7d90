import type { Clock, Delivery, JsonObject, Logger, Receipt } from '@agent-runtime/domain';
import { InputFile } from 'grammy/web';
import { z } from 'zod';
import { deliveryError } from '../errors.ts';
import type { TelegramClient } from './client.ts';
import { isUneditable, isUnmodified, refusalOf } from './fault.ts';
import type { Placeholder, TelegramLive } from './live.ts';
import { parseAddress } from './place.ts';

export interface DeliverParts {
  readonly client: TelegramClient;
  readonly clock: Clock;
  readonly live: TelegramLive;
  readonly log: Logger;
  /** Told when a group turns out to have another id now. */
  readonly onMoved: (from: number, to: number) => void;
}

const payloadShape = z.object({
  method: z.enum(['sendMessage', 'editMessageText', 'sendDocument']),
  body: z.looseObject({
    chat_id: z.int(),
    message_thread_id: z.int().optional(),
    message_id: z.int().optional(),
    reply_markup: z.looseObject({}).optional(),
  }),
  file: z.object({ name: z.string(), content: z.string() }).optional(),
  live: z.string().optional(),
});
type Payload = z.infer<typeof payloadShape>;

const EDIT_TRIES = 3;
const EDIT_WAIT_MS = 1_000;

/**
 * Sends one payload: its `body` is what goes out. Only the first part of an answer that was shown while it was made goes out as an edit of
 * that message, with the same text, entities and buttons.
 * @throws AppError as `deliver` of a connector does
 */
export async function deliverPayload(
  parts: DeliverParts,
  payload: JsonObject,
  to: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  if (signal.aborted) throw deliveryError('unavailable', 'Stopped before anything was sent.');
  const parsed = payloadShape.safeParse(payload);
  const address = parseAddress(to.sink.address);
  if (!parsed.success || address === undefined)
    throw deliveryError('rejected', 'This is no message for Telegram.');
  const { chat_id, message_thread_id, message_id } = parsed.data.body;
  // What was approved names its chat; another one would be another effect. An edit names a message, which names its topic.
  const isSameTopic = message_id !== undefined || message_thread_id === address.topicId;
  if (chat_id !== address.chatId || !isSameTopic)
    throw deliveryError('rejected', 'The message names another chat than its effect.');
  try {
    return await dispatch(parts, parsed.data, to, signal);
  } catch (thrown) {
    const movedTo = refusalOf(thrown)?.movedTo;
    if (movedTo !== undefined) parts.onMoved(chat_id, movedTo);
    throw thrown;
  }
}

async function dispatch(
  parts: DeliverParts,
  payload: Payload,
  to: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  if (payload.method === 'editMessageText') return edit(parts, payload.body, signal);
  const held = payload.live === undefined ? undefined : await claim(parts, to.sink.address, payload.live);
  if (held === undefined) return send(parts, payload, signal);
  if (!held.isSettled || !canBecome(payload)) {
    await parts.live.remove(held, signal);
    return send(parts, payload, signal);
  }
  try {
    return await edit(parts, completed(payload.body, held), signal);
  } catch (thrown) {
    // Somebody took it away: the edit did nothing, for certain.
    if (isUneditable(thrown)) return send(parts, payload, signal);
    throw thrown;
  }
}

/** Before this nothing was sent, so trouble with the memory may be tried again. */
async function claim({ live }: DeliverParts, address: string, key: string): Promise<Placeholder | undefined> {
  return live.claim(address, key).catch(() => {
    throw deliveryError(
      'unavailable',
      'What was shown so far could not be looked up. Nothing was sent; it is tried again.',
    );
  });
}

/** A text without an invitation to answer: nothing else can take the place of a text. */
function canBecome({ method, body }: Payload): boolean {
  return (
    method === 'sendMessage' && (body.reply_markup === undefined || 'inline_keyboard' in body.reply_markup)
  );
}

function completed({ chat_id, ...body }: Payload['body'], { message }: Placeholder): Payload['body'] {
  const { reply_parameters: _answered, message_thread_id: _topic, ...words } = body;
  return { chat_id, message_id: message, ...words };
}

const sentMessage = z.object({ message_id: z.int() });

async function send(
  { client }: DeliverParts,
  { method, body, file }: Payload,
  signal: AbortSignal,
): Promise<Receipt> {
  const scope = `chat ${body.chat_id}` as const;
  const sent = await client.call<unknown>({ scope, signal }, (api, abort) =>
    method === 'sendDocument'
      ? api.raw.sendDocument(withFile(body, file) as never, abort) // safe: rendered by us; the server checks it
      : api.raw.sendMessage(body as never, abort),
  );
  const parsed = sentMessage.safeParse(sent);
  // It said yes, and then not which message: it is there all the same.
  if (!parsed.success) throw deliveryError('uncertain');
  return { externalId: String(parsed.data.message_id) };
}

function withFile(body: Payload['body'], file: Payload['file']): object {
  if (file === undefined) throw deliveryError('rejected', 'The file of this message is missing.');
  return { ...body, document: new InputFile(Buffer.from(file.content, 'utf8'), file.name) };
}

/**
 * The same edit twice is the same message, so a lost outcome is found out by doing it again; "not modified" is the answer of one that had
 * arrived. After a few tries nobody knows, and the effect is handled like any other of that kind.
 */
async function edit(
  { client, clock, log }: DeliverParts,
  body: Payload['body'],
  signal: AbortSignal,
): Promise<Receipt> {
  const scope = `chat ${body.chat_id}` as const;
  const receipt = { externalId: String(body.message_id) };
  for (let tries = 1; ; tries += 1) {
    try {
      await client.call<unknown>({ scope, signal }, (api, abort) =>
        api.raw.editMessageText(body as never, abort),
      ); // safe: rendered by us
      return receipt;
    } catch (thrown) {
      if (isUnmodified(thrown)) return receipt;
      const isLost = thrown instanceof Error && 'kind' in thrown && thrown.kind === 'uncertain';
      if (!isLost || tries >= EDIT_TRIES || signal.aborted) throw thrown;
      log.debug({ tries }, 'An edit got lost; the same one is sent again.');
      await clock.sleep(EDIT_WAIT_MS * tries, signal);
      if (signal.aborted) throw thrown;
    }
  }
}
