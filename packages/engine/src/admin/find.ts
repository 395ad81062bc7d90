import {
  AppError,
  ID_PREFIXES,
  type IdNoun,
  oneLine,
  type StoreReader,
  type TableName,
  type Tables,
  type User,
  type Where,
} from '@agent-runtime/domain';

const MIN_PREFIX_CHARS = 4;
/** Sorts behind every character of an id. */
const AFTER_IDS = '~';
const MAX_CANDIDATES = 50;

type IdTable = {
  [T in TableName]: Tables[T] extends { readonly id: string } ? T : never;
}[TableName];

export interface Wanted<T extends IdTable> {
  readonly table: T;
  /** For messages and prefixes. */
  readonly noun: IdNoun;
  /** An id, or the beginning of one. */
  readonly text: string;
  /** Rows that are not for the asker do not exist for them. */
  readonly isVisible: (row: Tables[T]) => boolean | Promise<boolean>;
}

/**
 * The one row whose id begins so.
 * @throws AppError admin.id.invalid (too short) · admin.id.missing (none, or none for the asker: same text) ·
 *   admin.id.conflict (several; names them, and how many characters
 *   are needed)
 */
export async function findById<T extends IdTable>(
  reader: StoreReader,
  wanted: Wanted<T>,
): Promise<Tables[T]> {
  const prefix = fullPrefix(wanted.noun, wanted.text);
  const where = { id: { gte: prefix, lt: prefix + AFTER_IDS } } as unknown as Where<Tables[T]>; // safe: every table of IdTable has a text id
  const rows = await reader.find(wanted.table, where, { limit: MAX_CANDIDATES });
  const visible: Tables[T][] = [];
  for (const row of rows) if (await wanted.isVisible(row)) visible.push(row);
  const exact = visible.find((row) => idOf(row) === prefix);
  if (exact !== undefined) return exact;
  const [only, ...more] = visible;
  if (only === undefined) throw missing(wanted.noun, wanted.text);
  if (more.length === 0) return only;
  throw new AppError({
    code: 'admin.id.conflict',
    kind: 'conflict',
    message: `"${oneLine(wanted.text, 40)}" fits several: ${visible.slice(0, 5).map(idOf).join(', ')}${visible.length > 5 ? ', …' : ''}. Give at least ${distinctChars(visible.map(idOf))} characters of the id.`,
  });
}

/** Characters that tell each of these ids from its nearest neighbour. */
function distinctChars(ids: readonly string[]): number {
  const sorted = [...ids].sort();
  const shared = sorted.slice(1).map((id, i) => {
    const before = sorted[i] ?? '';
    let at = 0;
    while (at < id.length && id[at] === before[at]) at += 1;
    return at;
  });
  return Math.max(0, ...shared) + 1;
}

function idOf(row: Tables[IdTable]): string {
  return row.id;
}

function fullPrefix(noun: IdNoun, text: string): string {
  const trimmed = text.trim();
  if (trimmed.length < MIN_PREFIX_CHARS) {
    throw new AppError({
      code: 'admin.id.invalid',
      kind: 'invalid',
      message: `"${oneLine(trimmed, 40)}" is too short for an id: give ${MIN_PREFIX_CHARS} characters or more.`,
    });
  }
  const start = `${ID_PREFIXES[noun]}_`;
  return trimmed.startsWith(start) || start.startsWith(trimmed) ? trimmed : start + trimmed;
}

/** The one text for what is not there and for what is not for the asker. */
export function missing(what: string, name: string): AppError {
  return new AppError({
    code: 'admin.id.missing',
    kind: 'missing',
    message: `There is no ${what} "${oneLine(name, 60)}" here, or it is not for you.`,
  });
}

/** A person by short name or id. @throws AppError admin.id.missing */
export async function findUser(reader: StoreReader, nameOrId: string): Promise<User> {
  const byName = await reader.get('identity_user', { name: nameOrId });
  if (byName !== undefined) return byName;
  if (!nameOrId.startsWith('user_')) throw missing('user', nameOrId);
  return findById(reader, { table: 'identity_user', noun: 'user', text: nameOrId, isVisible: () => true });
}

/** Short names for principal keys, for people who read lists. */
export async function namesOf(reader: StoreReader): Promise<(principalKey: string) => string> {
  const names = new Map<string, string>();
  for (const user of await reader.find('identity_user', {})) names.set(user.id, user.name);
  for (const token of await reader.find('identity_token', {})) names.set(token.id, `token:${token.name}`);
  return (key) => names.get(key) ?? key;
}
