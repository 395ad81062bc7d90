import {
  cutText,
  type Draft,
  type DraftButton,
  type JsonObject,
  type RenderContext,
} from '@agent-runtime/domain';
import { ButtonStyle, ComponentType, MessageFlags } from 'discord.js';
import { renderDiscordOrFile } from '../markdown/index.ts';
import { customIdOf } from './custom-id.ts';
import { NO_MENTIONS, referenceTo } from './frame.ts';
import { type AnswerAddress, readAnswerId } from './interaction.ts';
import { isSnowflake } from './snowflake.ts';

/** Discord's limits. */
const MAX_TITLE_CHARS = 256;
const MAX_LABEL_CHARS = 80;
const BUTTONS_PER_ROW = 5;
const MAX_ROWS = 5;

type Card = NonNullable<Draft['card']>;

/** Colours of cards: a question, a yes, a no, plain. */
const COLOURS: Readonly<Record<Card['tone'], number>> = {
  ask: 0xf0b232,
  good: 0x23a55a,
  bad: 0xf23f43,
  plain: 0x5865f2,
};

/** Shown where there is nothing to say: Discord takes no empty message. */
const NOTHING = '\u200b';

interface Part {
  readonly words: string;
  readonly file?: { readonly name: string; readonly content: string } | undefined;
}

/** Makes the final payloads of a draft. Pure. @returns at least one */
export function renderDraft(draft: Draft, context: RenderContext, maxParts: number): readonly JsonObject[] {
  const parts = partsOf(draft, maxParts);
  const answers = readAnswerId(draft.replyTo);
  return parts.map((part, index) => {
    const isFirst = index === 0;
    const isLast = index === parts.length - 1;
    return {
      ...addressOf(draft, context.address, answers, isFirst),
      channel: context.address,
      body: {
        ...wordsOf(part, isFirst, draft.card),
        allowed_mentions: NO_MENTIONS,
        components: isLast ? rowsOf(draft.buttons ?? []) : [],
        ...(isFirst && isSnowflake(draft.replyTo) && draft.edits === undefined
          ? referenceTo(draft.replyTo)
          : {}),
        ...(part.file === undefined ? {} : { attachments: [{ id: 0, filename: part.file.name }] }),
      },
      ...(part.file === undefined ? {} : { file: { ...part.file } }),
    };
  });
}

/** Only the first part takes the place of something; what does not fit there comes after it as messages of their own. */
function addressOf(
  draft: Draft,
  channel: string,
  answers: AnswerAddress | undefined,
  isFirst: boolean,
): JsonObject {
  const live = isFirst && draft.live !== undefined ? { live: draft.live } : {};
  if (draft.edits !== undefined && isFirst) return { method: 'message.edit', channel, message: draft.edits };
  if (answers === undefined || draft.edits !== undefined) return { method: 'message.create', ...live };
  return { method: isFirst ? 'answer.edit' : 'answer.follow', ...answers, ...live };
}

/** A file comes with the beginning of the words, so that nobody has to open it to see what it is about. */
function partsOf(draft: Draft, maxParts: number): readonly Part[] {
  const { parts, file } = renderDiscordOrFile(draft.text, { maxParts });
  const [first = '', ...rest] = parts;
  return [{ words: first, file }, ...rest.map((words) => ({ words }))];
}

/** Cards are embeds, everything else is plain text without previews of its links: previews say what others wrote. */
function wordsOf({ words }: Part, isFirst: boolean, card: Draft['card']): JsonObject {
  const text = words.trim() === '' ? NOTHING : words;
  if (card === undefined) return { content: text, embeds: [], flags: MessageFlags.SuppressEmbeds };
  return {
    content: isFirst ? asPlain(card.title, text) : '',
    embeds: [
      {
        ...(isFirst ? { title: cutText(card.title, MAX_TITLE_CHARS) } : {}),
        description: text,
        color: COLOURS[card.tone],
      },
    ],
  };
}

const MAX_PLAIN_CHARS = 300;

/** Notifications show no embeds, and some people switch them off: what it is about stands outside as well. The full words are the embed's. */
function asPlain(title: string, words: string): string {
  const [line = ''] = words.trim().split('\n');
  return (
    [title, line]
      .map((one) => one.trim())
      // What may become a preview or begins code that does not end here is only in the embed, which makes neither of it.
      .filter((one) => one !== '' && !/[/`]/.test(one))
      .map((one) => cutText(one, MAX_PLAIN_CHARS))
      .join('\n')
  );
}

function rowsOf(buttons: readonly DraftButton[]): JsonObject[] {
  const rows: JsonObject[] = [];
  for (let at = 0; at < buttons.length && rows.length < MAX_ROWS; at += BUTTONS_PER_ROW) {
    rows.push({
      type: ComponentType.ActionRow,
      components: buttons.slice(at, at + BUTTONS_PER_ROW).map(buttonOf),
    });
  }
  return rows;
}

function buttonOf(button: DraftButton): JsonObject {
  return {
    type: ComponentType.Button,
    style: styleOf(button.tone),
    label: cutText(button.label, MAX_LABEL_CHARS) || NOTHING,
    custom_id: customIdOf(button),
  };
}

function styleOf(tone: DraftButton['tone']): ButtonStyle {
  if (tone === 'good') return ButtonStyle.Success;
  return tone === 'bad' ? ButtonStyle.Danger : ButtonStyle.Secondary;
}
