import { AppError, type ContextId, oneLine, type UserId, type WorkspaceId } from '../base/index.ts';

/**
 * How far a text may be trusted. 3 parsed command or form of staff · 2 file owned by staff ·
 * 1 free text of a paired person, or what a model wrote from nothing lower · 0 from outside.
 */
export const INTEGRITY = { outside: 0, member: 1, staff: 2, command: 3 } as const;
export type Integrity = 0 | 1 | 2 | 3;
const INTEGRITIES: readonly Integrity[] = [0, 1, 2, 3];

/** Who a text belongs to: `ws:<workspace>`, `ctx:<workspace>/<context>` or `priv:<user>`. */
export type AudienceTag = `ws:${string}` | `ctx:${string}/${string}` | `priv:${string}`;

/** Every text carries one. `audience` is a sorted set; empty means public. */
export interface Label {
  readonly integrity: Integrity;
  readonly audience: readonly AudienceTag[];
}

export function wsTag(workspace: WorkspaceId): AudienceTag {
  return `ws:${workspace}`;
}

export function ctxTag(workspace: WorkspaceId, context: ContextId): AudienceTag {
  return `ctx:${workspace}/${context}`;
}

export function privTag(user: UserId): AudienceTag {
  return `priv:${user}`;
}

/** Is it a label at all? What is read back from outside the process may be anything; a malformed label counts as a missing one. */
export function isLabel(value: unknown): value is Label {
  if (typeof value !== 'object' || value === null) return false;
  const { integrity, audience } = value as { integrity?: unknown; audience?: unknown }; // safe: both are looked at before use
  return (
    (integrity === 0 || integrity === 1 || integrity === 2 || integrity === 3) &&
    Array.isArray(audience) &&
    audience.every((tag) => typeof tag === 'string')
  );
}

/** A label with its audience sorted and without doubles. */
export function makeLabel(integrity: Integrity, audience: Iterable<AudienceTag> = []): Label {
  return { integrity, audience: [...new Set(audience)].sort() };
}

/** Public text of the given integrity. */
export function publicLabel(integrity: Integrity): Label {
  return { integrity, audience: [] };
}

/** The neutral element of join: nothing read yet. */
export const NOTHING_READ: Label = { integrity: 3, audience: [] };

/**
 * Label of a text made from several: least integrity, all audiences.
 * @returns `NOTHING_READ` for no labels
 */
export function join(...labels: readonly Label[]): Label {
  let integrity: Integrity = 3;
  const audience = new Set<AudienceTag>();
  for (const label of labels) {
    // A level that is none counts as the lowest: NaN is not below anything and would pass as trusted.
    const own = INTEGRITIES.includes(label.integrity) ? label.integrity : INTEGRITY.outside;
    if (own < integrity) integrity = own;
    for (const tag of label.audience) audience.add(tag);
  }
  return makeLabel(integrity, audience);
}

/** What a model wrote can never be trusted above a member, whatever it read. */
export function capModel(runLabel: Label): Label {
  return {
    integrity: runLabel.integrity >= INTEGRITY.member ? INTEGRITY.member : INTEGRITY.outside,
    audience: runLabel.audience,
  };
}

/** The same audience with at most this integrity. */
export function capIntegrity(label: Label, cap: Integrity): Label {
  return label.integrity <= cap ? label : { integrity: cap, audience: label.audience };
}

/** Nothing was laundered: `label` claims no more trust than `bound`, and keeps everyone to whom `bound` belongs. */
export function isNotAbove(label: Label, bound: Label): boolean {
  return label.integrity <= bound.integrity && bound.audience.every((tag) => label.audience.includes(tag));
}

export function equalLabels(a: Label, b: Label): boolean {
  return (
    a.integrity === b.integrity &&
    a.audience.length === b.audience.length &&
    a.audience.every((tag, i) => tag === b.audience[i])
  );
}

const TAG = /^(?:ws:[a-z0-9-]+|ctx:[a-z0-9-]+\/[a-z0-9-]+|priv:user_[0-9a-z]+)$/;

/** @throws AppError label.tag.invalid */
export function parseAudienceTag(text: string): AudienceTag {
  if (TAG.test(text)) return text as AudienceTag; // safe: matched the grammar
  throw new AppError({
    code: 'label.tag.invalid',
    kind: 'invalid',
    message: `"${oneLine(text, 60)}" is not an audience: use ws:<workspace>, ctx:<workspace>/<context> or priv:<user>.`,
  });
}

const WORDS: Readonly<Record<Integrity, string>> = {
  0: 'text from outside',
  1: 'text of a paired person or a model',
  2: 'a file owned by staff',
  3: 'a command of staff',
};

/** The label in words, for cards and `explain`. */
export function describeLabel(label: Label): string {
  const who = label.audience.length === 0 ? 'public' : `belongs to ${label.audience.join(', ')}`;
  return `${WORDS[label.integrity]}; ${who}`;
}
