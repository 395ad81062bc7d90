import type { Tier } from '../approval/index.ts';
import type { UserId } from '../base/index.ts';
import type { Role } from '../identity/index.ts';
import type { Clearance, Label } from '../label/index.ts';

/** Why: a stable code for tests and `explain`, and a sentence for people that says who can allow it. */
export interface Reason {
  readonly code: string;
  readonly text: string;
}

/** Conditions on a permit or an ask. */
export type Obligation =
  /** A human must approve; by whom and how many. */
  | {
      readonly kind: 'approval';
      readonly tier: Tier;
      readonly approverRole: Role;
      readonly needed: number;
      readonly releasers: readonly UserId[];
    }
  /** Store the result with this label. */
  | { readonly kind: 'store-label'; readonly label: Label }
  /** Show only what fits. */
  | { readonly kind: 'filter'; readonly clearance: Clearance }
  /** The most that an event of a chat may come to. */
  | { readonly kind: 'take'; readonly as: TakenKind }
  /** The starter is a guest: their text is from outside, their limits are per sender. */
  | { readonly kind: 'guest' };

/**
 * `order`: a person's own fresh words, a command or a wish · `ask`: words that may ask for work and are no command · `words`: kept for the
 * log · `press`: of a button · `fact`: about the place itself; starts, shows and orders nothing.
 */
export type TakenKind = 'order' | 'ask' | 'words' | 'press' | 'fact';

export interface Decision {
  readonly kind: 'permit' | 'ask' | 'deny';
  /** At least one. */
  readonly reasons: readonly Reason[];
  readonly obligations: readonly Obligation[];
}

export function permit(code: string, text: string, ...obligations: readonly Obligation[]): Decision {
  return { kind: 'permit', reasons: [{ code, text }], obligations };
}

export function ask(code: string, text: string, ...obligations: readonly Obligation[]): Decision {
  return { kind: 'ask', reasons: [{ code, text }], obligations };
}

export function deny(code: string, text: string): Decision {
  return { kind: 'deny', reasons: [{ code, text }], obligations: [] };
}

/** The most that an event may come to; undefined when it was refused. */
export function takenAs(decision: Decision): TakenKind | undefined {
  const taken = decision.obligations.find((obligation) => obligation.kind === 'take');
  return decision.kind === 'permit' ? taken?.as : undefined;
}

/** The approval obligation of an `ask`. */
export function approvalOf(decision: Decision): Extract<Obligation, { kind: 'approval' }> | undefined {
  return decision.obligations.find((obligation) => obligation.kind === 'approval');
}
