import type { ApprovalId, ContextId, Digest, EffectId, IntentId, UserId } from '../base/index.ts';

/** What pressing a button does. `words`: the message that asked for an edit's new text; an answer to it is that text. */
export type ButtonAct = 'approve' | 'deny' | 'edit' | 'words' | 'confirm';

/**
 * A button that was shown, by its random id. It acts only where it stands: on the message of its card, for the effect that the card showed.
 */
export interface Button {
  /** At least 128 bits of randomness, at most 64 bytes. */
  readonly id: string;
  readonly act: ButtonAct;
  readonly context: ContextId;
  /** The effect whose delivery put the button there; its receipt names the message. */
  readonly card: EffectId;
  /** The question that it answers. */
  readonly approval?: ApprovalId | undefined;
  /** Of the effect that its card showed: what a yes is about. */
  readonly digest?: Digest | undefined;
  /** The wish that it confirms. */
  readonly intent?: IntentId | undefined;
  /** The only person who may use it; absent: whoever policy allows. */
  readonly person?: UserId | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Used up; of a question's buttons, since when the card has none of them any more. */
  readonly usedAt?: number | undefined;
}
