import {
  type Approval,
  type ButtonAct,
  type Context,
  canFlow,
  clearanceOf,
  type Draft,
  describeLabel,
  type Effect,
  INTEGRITY,
  type Label,
  payloadWords,
  publicLabel,
  showHidden,
  wordsOfPayloads,
} from '@agent-runtime/domain';

/** A card, the label of its words, and what can be done from it. */
export interface Card {
  readonly text: string;
  readonly label: Label;
  readonly look: NonNullable<Draft['card']>;
  /** Buttons that may stand on it. */
  readonly acts: readonly Extract<ButtonAct, 'approve' | 'deny' | 'edit'>[];
}

/** Longer words stand on a card with their beginning alone, and then nobody says yes to them there. */
const WHOLE_CHARS = 20_000;
const BEGINNING_CHARS = 2_000;
/** What fits into one answer or form of every chat. */
const EDITABLE_CHARS = 4_000;

/** What only the moment of asking knows. */
export interface CardFacts {
  /** The audit head, so that each card is a witness of the log. */
  readonly head: string;
  /** Sentence about fewer approvers than policy wants. */
  readonly few?: string | undefined;
  /** Counts of a change to a file. */
  readonly change?: string | undefined;
  /** Set where it is shown in an admin hub: whether that hub may see the text. */
  readonly hub?: { readonly isCleared: boolean } | undefined;
}

/**
 * Whether a card shows all of the words of this effect: its place may read them, they are whole, and there are some.
 * @param isCleared whether the label fits the place, or the clearance of the admin hub there
 */
export function areWordsWhole(effect: Pick<Effect, 'payloads'>, isCleared: boolean): boolean {
  if (!isCleared || effect.payloads.some((payload) => payloadWords(payload) === '')) return false;
  return showHidden(wordsOfPayloads(effect.payloads)).length <= WHOLE_CHARS;
}

/** INVARIANT: nobody says yes in a chat, by button or by command, to words that are not all on the card there; tier high needs a key. */
export function maySayYes(
  effect: Pick<Effect, 'payloads'>,
  tier: Approval['tier'],
  isCleared: boolean,
): boolean {
  return tier !== 'high' && areWordsWhole(effect, isCleared);
}

/**
 * What people see of an open question: what, to whom, every word, whose words they are, the tier and the end. The words only where the
 * effect's label fits the place; else id, kind and where to look. A yes is offered only where all of the words can be read.
 */
export function approvalCard(effect: Effect, approval: Approval, context: Context, facts: CardFacts): Card {
  const { id, tier } = approval;
  const { few, change, head, hub } = facts;
  const look = { title: `Approval wanted, tier ${tier}`, tone: 'ask' } as const;
  const end = `${few === undefined ? '' : `${few} `}Open until ${new Date(approval.expiresAt).toISOString()}. Log ${shortHead(head)}.`;
  const isCleared = hub?.isCleared ?? canFlow(effect.label, clearanceOf(context));
  if (!isCleared) {
    const what = `${id} waits for an answer (${effect.kind}, tier ${tier}). Its text may not be shown here.`;
    return {
      text: `${what}\nOpen it in the TUI or on the command line: \`agent-runtime approval show ${id}\`.\n${end}`,
      label: publicLabel(INTEGRITY.staff),
      look,
      acts: ['deny'],
    };
  }
  const words = showHidden(wordsOfPayloads(effect.payloads));
  const isWhole = areWordsWhole(effect, isCleared);
  const lines = [
    `${id} waits for an answer (tier ${tier}).`,
    `${showHidden(effect.summary)}${change === undefined ? '' : `, ${change}`}`,
    ...(effect.recipients.length === 0 ? [] : [`To: ${showHidden(effect.recipients.join(', '))}`]),
    `Text: ${describeLabel(effect.label)}`,
    quoted(isWhole ? words : beginning(words, BEGINNING_CHARS)),
    ...(hub === undefined ? [] : [`It came up in ${effect.workspace}/${effect.context}.`]),
    howToAnswer(approval, isWhole),
    end,
  ];
  const isEditable = isWhole && words.length <= EDITABLE_CHARS;
  const acts = [
    ...(maySayYes(effect, tier, isCleared) ? (['approve'] as const) : []),
    'deny' as const,
    ...(isEditable ? (['edit'] as const) : []),
  ];
  return { text: lines.join('\n'), label: effect.label, look, acts };
}

function howToAnswer({ id, tier }: Approval, isWhole: boolean): string {
  const bySignature = `approve in the TUI or with your key: \`agent-runtime approval approve ${id}\`. Say no: /deny ${id}`;
  if (tier === 'high') return `Tier high: ${bySignature}`;
  return isWhole
    ? `Answer: /approve ${id} or /deny ${id}`
    : `There is more than can be shown here: look at all of it and ${bySignature}`;
}

const REMINDER_CHARS = 600;

/** What a card still says of its question once that is decided. */
export function reminderOf(effect: Effect): string {
  const words = showHidden(wordsOfPayloads(effect.payloads));
  return `${showHidden(effect.summary)}\n${quoted(beginning(words, REMINDER_CHARS))}`;
}

function beginning(words: string, chars: number): string {
  return words.length > chars ? `${words.slice(0, chars)}…` : words;
}

function quoted(words: string): string {
  return words
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

function shortHead(head: string): string {
  return head.replace('sha256:', '').slice(0, 24);
}
