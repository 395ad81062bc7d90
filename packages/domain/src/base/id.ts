import { AppError } from './error.ts';
import { oneLine } from './visible.ts';

declare const brand: unique symbol;
/** A string that knows its room: `Id<'run'>` values look like `run_…`. */
export type Id<Prefix extends string> = string & { readonly [brand]: Prefix };

/** Prefix of every generated id, by noun. Names chosen by people (workspace, context) are slugs instead. */
export const ID_PREFIXES = {
  task: 'task',
  run: 'run',
  effect: 'efct',
  approval: 'appr',
  standing: 'stnd',
  user: 'user',
  token: 'tokn',
  grant: 'grnt',
  conversation: 'conv',
  message: 'mesg',
  event: 'evnt',
  entry: 'ldgr',
  invite: 'invt',
  notice: 'ntce',
  identity: 'idnt',
  pairing: 'pair',
  hub: 'ahub',
  intent: 'intn',
} as const;

export type IdNoun = keyof typeof ID_PREFIXES;
export type TaskId = Id<'task'>;
export type RunId = Id<'run'>;
export type EffectId = Id<'effect'>;
export type ApprovalId = Id<'approval'>;
export type StandingId = Id<'standing'>;
export type UserId = Id<'user'>;
export type TokenId = Id<'token'>;
export type GrantId = Id<'grant'>;
export type PairingId = Id<'pairing'>;
export type HubId = Id<'hub'>;
export type IntentId = Id<'intent'>;
export type ConversationId = Id<'conversation'>;
export type MessageId = Id<'message'>;
/** Slug chosen by people, 1..48 of a-z 0-9 and inner hyphens; also the folder name. */
export type WorkspaceId = Id<'workspace'>;
/** Slug, unique in the whole appliance; also the folder name under contexts/. */
export type ContextId = Id<'context'>;

const GENERATED = /^[a-z]{4}_[0-9a-hjkmnp-tv-z]{8,40}$|^run_[0-9a-hjkmnp-tv-z]{8,40}$/;
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/;

/**
 * Checks that a text is an id of this noun.
 * @throws AppError base.id.invalid
 */
export function parseId<N extends IdNoun>(noun: N, text: string): Id<N> {
  if (!text.startsWith(`${ID_PREFIXES[noun]}_`) || !GENERATED.test(text)) {
    throw new AppError({
      code: 'base.id.invalid',
      kind: 'invalid',
      message: `"${oneLine(text, 60)}" is not a ${noun} id. They look like ${ID_PREFIXES[noun]}_….`,
    });
  }
  return text as Id<N>; // safe: prefix and alphabet checked above
}

/** True for a usable workspace or context name. */
export function isSlug(text: string): boolean {
  return SLUG.test(text);
}

function parseSlug(what: 'workspace' | 'context', text: string): string {
  if (isSlug(text)) return text;
  throw new AppError({
    code: 'base.slug.invalid',
    kind: 'invalid',
    message: `"${oneLine(text, 60)}" cannot be a ${what} id: use 1 to 48 of a-z, 0-9 and hyphens inside.`,
  });
}

/** @throws AppError base.slug.invalid */
export function parseWorkspaceId(text: string): WorkspaceId {
  return parseSlug('workspace', text) as WorkspaceId; // safe: checked by parseSlug
}

/** @throws AppError base.slug.invalid */
export function parseContextId(text: string): ContextId {
  return parseSlug('context', text) as ContextId; // safe: checked by parseSlug
}

/** Makes any outside name usable as a slug part, e.g. a channel id in a context name. Never empty. */
export function slugify(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48)
    .replace(/-+$/, '');
  return slug === '' ? 'x' : slug;
}
