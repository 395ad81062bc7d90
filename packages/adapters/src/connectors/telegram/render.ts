import {
  AppError,
  cutText,
  type Draft,
  type DraftButton,
  type JsonObject,
  type LiveFrame,
  oneLine,
} from '@agent-runtime/domain';
import {
  MOST_PARTS,
  type Rendered,
  renderTelegram,
  renderTelegramOrFile,
  TELEGRAM_LIMIT_CHARS,
  type TelegramPart,
} from '../markdown/index.ts';
import { parseAddress } from './place.ts';

const MAX_TITLE_CHARS = 200;
const MAX_PROGRESS_CHARS = 200;
const MAX_LABEL_CHARS = 64;
const MAX_CALLBACK_BYTES = 64;
const BUTTONS_PER_ROW = 2;
/** Telegram takes no message without a character to see. */
const VISIBLE = /[[^\s]--[\p{C}\p{Default_Ignorable_Code_Point}]]/v;
const NOTHING = '…';
/** Under the file of an answer that is too long for messages. */
const WHOLE = 'The whole answer.';

/** What every message of ours begins with. */
type Target = JsonObject;

/**
 * The wire payloads of a draft: `{method, body, file?, live?}`, `body` exactly as it goes out. The first part answers, the last carries
 * the buttons; an answer of too many parts is its first one and a file. Pure.
 * @throws AppError connectors.telegram.invalid for a button id of more than 64 bytes
 */
export function renderDraft(draft: Draft, address: string, maxParts?: number): readonly JsonObject[] {
  const { parts, file } = partsOf(draft, maxParts);
  const texts = parts.map((part, index) => textPayload(part, index === 0, draft, address));
  const document = { method: 'sendDocument', body: { ...targetOf(address), caption: WHOLE } };
  const payloads: readonly Payload[] =
    file === undefined ? texts : [...texts, { ...document, file: { ...file } }];
  const last = payloads.length - 1;
  const markup = markupOf(draft, payloads[last]?.method === 'editMessageText');
  if (markup === undefined) return payloads;
  return payloads.map((one, index) =>
    index === last ? { ...one, body: { ...one.body, reply_markup: markup } } : one,
  );
}

interface Payload extends JsonObject {
  readonly method: string;
  readonly body: JsonObject;
}

function textPayload(part: TelegramPart, isFirst: boolean, draft: Draft, address: string): Payload {
  const edited = isFirst ? messageId(draft.edits) : undefined;
  if (edited !== undefined)
    return {
      method: 'editMessageText',
      body: { chat_id: chatOf(address), message_id: edited, ...formatted(part) },
    };
  const answered = isFirst ? messageId(draft.replyTo) : undefined;
  const reply = answered === undefined ? {} : { reply_parameters: answerTo(answered) };
  const live = isFirst && draft.live !== undefined ? { live: draft.live } : {};
  return { method: 'sendMessage', body: { ...targetOf(address), ...formatted(part), ...reply }, ...live };
}

/** A frame of an answer that is being made: what there is of its first message, and a line about what is being done. */
export function frameBody(frame: LiveFrame): { readonly target: Target; readonly words: Target } {
  const progress =
    frame.progress === undefined ? '' : oneLine(frame.progress.toWellFormed(), MAX_PROGRESS_CHARS);
  const room = TELEGRAM_LIMIT_CHARS - MAX_PROGRESS_CHARS - 10;
  const [first, ...more] = renderTelegram(frame.text, { limit: room });
  const text = first === undefined ? '' : first.text + (more.length > 0 ? ' …' : '');
  const shown = [text, progress].filter((words) => words !== '').join('\n\n');
  const italic = { type: 'italic', offset: shown.length - progress.length, length: progress.length };
  const entities = [...(first?.entities ?? []), ...(progress === '' ? [] : [italic])];
  const answered = messageId(frame.replyTo);
  return {
    target: {
      ...targetOf(frame.address),
      ...(answered === undefined ? {} : { reply_parameters: answerTo(answered) }),
    },
    words: formatted({ text: shown === '' ? NOTHING : shown, entities }),
  };
}

/** `chat_id` and, for a topic, `message_thread_id`. An address that is none of ours stays as it is, and is refused when it is delivered. */
export function targetOf(address: string): Target {
  const topicId = parseAddress(address)?.topicId;
  return { chat_id: chatOf(address), ...(topicId === undefined ? {} : { message_thread_id: topicId }) };
}

function chatOf(address: string): number | string {
  return parseAddress(address)?.chatId ?? address;
}

function formatted({ text, entities }: Words): Target {
  const preview = { link_preview_options: { is_disabled: true } };
  if (!VISIBLE.test(text)) return { text: NOTHING, ...preview };
  return {
    text,
    ...(entities.length === 0 ? {} : { entities: entities.map((entity) => ({ ...entity })) }),
    ...preview,
  };
}

interface Words {
  readonly text: string;
  readonly entities: readonly object[];
}

/** The title of a card is no Markdown: it stands in bold before the first part, whatever it is made of. */
function partsOf(draft: Draft, maxParts: number = MOST_PARTS): Rendered<TelegramPart> {
  const title = draft.card === undefined ? '' : oneLine(draft.card.title.toWellFormed(), MAX_TITLE_CHARS);
  const head = title === '' ? '' : `${title}\n\n`;
  const rendered = renderTelegramOrFile(draft.text, { limit: TELEGRAM_LIMIT_CHARS - head.length, maxParts });
  const [first, ...rest] = rendered.parts;
  return { ...rendered, parts: [titled(title, first), ...rest] };
}

function titled(title: string, part: TelegramPart | undefined): TelegramPart {
  if (title === '') return part ?? { text: NOTHING, entities: [] };
  const bold = { type: 'bold', offset: 0, length: title.length } as const;
  if (part === undefined) return { text: title, entities: [bold] };
  const head = `${title}\n\n`;
  const moved = part.entities.map((entity) => ({ ...entity, offset: entity.offset + head.length }));
  return { text: head + part.text, entities: [bold, ...moved] };
}

/** @returns undefined: no keyboard; an edit without one takes the old one away */
function markupOf({ buttons = [], asksReply }: Draft, isEdit: boolean): JsonObject | undefined {
  if (buttons.length > 0) return { inline_keyboard: rowsOf(buttons) };
  return asksReply === true && !isEdit ? { force_reply: true, selective: true } : undefined;
}

const STYLES = { good: 'success', bad: 'danger' } as const;

function rowsOf(buttons: readonly DraftButton[]): readonly (readonly JsonObject[])[] {
  const keys = buttons.map(({ id, label, tone }) => {
    if (Buffer.byteLength(id) > MAX_CALLBACK_BYTES || id === '')
      throw new AppError({
        code: 'connectors.telegram.invalid',
        kind: 'invalid',
        message: `The id of a button has 1 to ${MAX_CALLBACK_BYTES} bytes.`,
      });
    const text = cutText(label.toWellFormed(), MAX_LABEL_CHARS);
    return {
      text: VISIBLE.test(text) ? text : NOTHING,
      callback_data: id,
      ...(tone === undefined ? {} : { style: STYLES[tone] }),
    };
  });
  return Array.from({ length: Math.ceil(keys.length / BUTTONS_PER_ROW) }, (_, row) =>
    keys.slice(row * BUTTONS_PER_ROW, (row + 1) * BUTTONS_PER_ROW),
  );
}

/** When the message is gone meanwhile the answer stands by itself. */
function answerTo(message: number): JsonObject {
  return { message_id: message, allow_sending_without_reply: true };
}

function messageId(id: string | undefined): number | undefined {
  return id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}
