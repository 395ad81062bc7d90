import {
  type AuditDraft,
  type Context,
  type Label,
  type Principal,
  publicLabel,
} from '@agent-runtime/domain';

/** What a command says back. */
export interface Answer {
  readonly text: string;
  readonly label: Label;
  /** What its record in the log names. */
  readonly about?: AuditDraft['data'] | undefined;
  /** The command is a wish for this work instead; `text` is not shown. */
  readonly task?: string | undefined;
  /** Where it is said, when the command itself changed what the place is. */
  readonly place?: Context | undefined;
}

/** Who gives a command, and where. */
export interface Asker {
  readonly principal: Principal;
  readonly context: Context;
  readonly conversationKey: string;
  /** The event that brings it: offered again, it must not act twice. */
  readonly event: string;
}

/** Words of the appliance itself. */
export function said(text: string): Answer {
  return { text, label: publicLabel(2) };
}
