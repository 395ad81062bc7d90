import type { Digest, Json, JsonObject, StandingId, UserId, WorkspaceId } from '../base/index.ts';
import type { Effect } from '../effect/index.ts';

/** Closed types that a template's slot may hold; free text is not one of them. */
export const SLOT_TYPES = {
  number: '-?\\d{1,12}(?:\\.\\d{1,6})?',
  date: '\\d{4}-\\d{2}-\\d{2}',
  time: '\\d{2}:\\d{2}',
  id: '[A-Za-z0-9_-]{1,40}',
  yesno: '(?:yes|no)',
} as const;
export type SlotType = keyof typeof SLOT_TYPES;

/** Approve-forever: a signed, limited, revocable rule. Each use mints one approval for that digest. */
export interface StandingApproval {
  readonly id: StandingId;
  readonly workspace: WorkspaceId;
  readonly effectKind: string;
  readonly connector: string;
  readonly account: string;
  /**
   * `template`: the text is this template with slots like `{{count:number}}` filled; `recipients`: free text, but only to these
   * fixed recipients, who are paired users or own contexts.
   */
  readonly body: { readonly kind: 'template'; readonly template: string } | { readonly kind: 'recipients' };
  /** Exact recipients allowed; for templates as well. */
  readonly recipients: readonly string[];
  readonly perDay: number;
  readonly maxUses: number;
  readonly endsAt: number;
  readonly grantedBy: UserId;
  readonly createdAt: number;
  readonly uses: readonly { readonly at: number; readonly digest: Digest }[];
  readonly revokedAt?: number | undefined;
}

export interface StandingFacts {
  readonly nowMs: number;
  /** Does the granter still hold the role that this approval needs? It ends with the role. */
  readonly isGranterEntitled: boolean;
  /** Does the effect's audience fit the thread's own context? Needed for templates. */
  readonly fitsOwnContext: boolean;
  /** Are all recipients paired users or own contexts? Needed for fixed recipients. */
  readonly areRecipientsOwn: boolean;
}

const DAY_MS = 24 * 3_600_000;

/**
 * Does the standing approval cover this effect now?
 * @returns `covered`, or the first reason why not; total, never throws
 */
export function matchStanding(
  standing: StandingApproval,
  effect: Effect,
  facts: StandingFacts,
): 'covered' | string {
  if (standing.revokedAt !== undefined) return 'it was revoked';
  if (!facts.isGranterEntitled) return 'its granter no longer has the role';
  // Each limit is written so that a broken number ends it.
  if (!(facts.nowMs < standing.endsAt)) return 'it has ended';
  if (!(standing.uses.length < standing.maxUses)) return 'all its uses are spent';
  const today = standing.uses.filter((use) => facts.nowMs - use.at < DAY_MS).length;
  if (!(today < standing.perDay)) return 'its uses of today are spent';
  if (effect.class !== 'E1') return 'it covers only messages that leave';
  if (standing.workspace !== effect.workspace) return 'it is of another workspace';
  if (standing.effectKind !== effect.kind) return 'it is for another kind of effect';
  if (standing.connector !== effect.sink.connector || standing.account !== effect.sink.account)
    return 'it is for another account';
  if (!effect.recipients.every((recipient) => standing.recipients.includes(recipient)))
    return 'a recipient is not on its list';
  if (effect.recipients.length === 0) return 'the effect names no recipient';
  return standing.body.kind === 'template'
    ? matchBody(standing.body.template, effect, facts)
    : matchRecipients(facts);
}

function matchBody(template: string, effect: Effect, facts: StandingFacts): 'covered' | string {
  if (!facts.fitsOwnContext) return 'the text belongs to others than this thread';
  const only = effect.payloads[0];
  if (effect.payloads.length !== 1 || only === undefined) return 'it covers one message at a time';
  const { text, rest } = textAndRest(only);
  if (typeof text !== 'string') return 'the payload has no text';
  if (!rest.every(isClosed)) return 'the payload holds more than the text of the template';
  return isFilledTemplate(template, text) ? 'covered' : 'the text is not the template';
}

/** The one text of a message, on top or as the `text` or `content` of a chat's `body`, and whatever stands beside it. */
function textAndRest(payload: JsonObject): {
  readonly text: Json | undefined;
  readonly rest: readonly (Json | undefined)[];
} {
  const { text, body, ...others } = payload;
  if (text !== undefined || typeof body !== 'object' || body === null || Array.isArray(body))
    return { text, rest: [body, ...Object.values(others)] };
  // safe: an object of JSON that is no list
  const { text: said, content, ...more } = body as JsonObject;
  const [only, other] = said === undefined ? [content, undefined] : [said, content];
  return { text: only, rest: [other, ...Object.values(more), ...Object.values(others)] };
}

/** Beside the text a payload may hold ids, numbers and switches, nothing in which a sentence or a file would fit. */
function isClosed(value: Json | undefined): boolean {
  if (typeof value === 'string') return /^[A-Za-z0-9_:.@-]{0,64}$/.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isClosed);
}

function matchRecipients(facts: StandingFacts): 'covered' | string {
  return facts.areRecipientsOwn ? 'covered' : 'a recipient is neither a paired user nor an own context';
}

const SLOT = /\{\{([a-z][a-z0-9_]{0,30}):([a-z]+)\}\}/g;

/** Is `text` the template with every slot filled by a value of its closed type? Unknown slot types never match. */
export function isFilledTemplate(template: string, text: string): boolean {
  let pattern = '';
  let from = 0;
  for (const slot of template.matchAll(SLOT)) {
    const type = slot[2] ?? '';
    if (!Object.hasOwn(SLOT_TYPES, type)) return false;
    pattern += escapeRegExp(template.slice(from, slot.index)) + SLOT_TYPES[type as SlotType]; // safe: membership checked on the line above
    from = slot.index + slot[0].length;
  }
  pattern += escapeRegExp(template.slice(from));
  return new RegExp(`^${pattern}$`, 'u').test(text);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
