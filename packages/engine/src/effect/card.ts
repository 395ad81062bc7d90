import {
  type Approval,
  type Context,
  canFlow,
  clearanceOf,
  type Effect,
  INTEGRITY,
  type Label,
  publicLabel,
  showHidden,
} from '@agent-runtime/domain';

/** A card and the label of its words. */
export interface Card {
  readonly text: string;
  readonly label: Label;
}

const PREVIEW_CHARS = 600;

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
 * What people see of an open question. The text itself only where the effect's label fits the place; else id, kind and where to look.
 */
export function approvalCard(effect: Effect, approval: Approval, context: Context, facts: CardFacts): Card {
  const { few, change, head, hub } = facts;
  const how =
    hub !== undefined
      ? `Answer in ${effect.workspace}/${effect.context}, in the TUI or with your key: \`agent-runtime approval approve ${approval.id}\`.`
      : approval.tier === 'high'
        ? `Approve with your key: \`agent-runtime approval approve ${approval.id}\`. Say no: /deny ${approval.id}`
        : `Answer: /approve ${approval.id} or /deny ${approval.id}`;
  const end = `${few === undefined ? '' : `${few} `}Open until ${new Date(approval.expiresAt).toISOString()}. Log ${shortHead(head)}.`;
  const isCleared = hub?.isCleared ?? canFlow(effect.label, clearanceOf(context));
  if (!isCleared) {
    const what = `${approval.id} waits for an answer (${effect.kind}, tier ${approval.tier}). Its text may not be shown here.`;
    return {
      text: `${what}\nOpen it in the TUI or on the command line: \`agent-runtime approval show ${approval.id}\`.\n${end}`,
      label: publicLabel(INTEGRITY.staff),
    };
  }
  const what = `${approval.id} waits for an answer (tier ${approval.tier}).\n${showHidden(effect.summary)}${change === undefined ? '' : `, ${change}`}`;
  return { text: `${what}\n${preview(effect)}\n${how}\n${end}`, label: effect.label };
}

/** The words of the first payloads, cut; the command line shows every byte. */
function preview(effect: Effect): string {
  const words = effect.payloads
    .map((payload) => payload.text)
    .filter((text) => typeof text === 'string')
    .join('\n');
  const shown = showHidden(words);
  const cut = shown.length > PREVIEW_CHARS ? `${shown.slice(0, PREVIEW_CHARS)}…` : shown;
  return cut
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

function shortHead(head: string): string {
  return head.replace('sha256:', '').slice(0, 24);
}
