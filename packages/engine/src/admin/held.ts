import { AppError, type StoreReader, type TableName, type Tables } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { type Change, change } from './authorize.ts';
import type { AdminDeps } from './deps.ts';
import { cutOff } from './watch.ts';

/** Revocations that the disk refused: they count at once, for all who read through `read`, until this process ends. */
export interface HeldRevocations {
  readonly read: StoreReader;
  hold(id: string, revokedAt: number): void;
}

/** Lets the keys and tokens that are held read as revoked. Memory grows by one entry for each. */
export function holdRevocations(read: StoreReader): HeldRevocations {
  const held = new Map<string, number>();
  const seen = <T extends TableName>(table: T, row: Tables[T]): Tables[T] => {
    if (held.size === 0 || (table !== 'identity_token' && table !== 'identity_key')) return row;
    const known: { readonly id?: string; readonly revokedAt?: number } = row as object; // safe: both tables have these fields
    const revokedAt = known.revokedAt ?? held.get(known.id ?? '');
    return revokedAt === undefined ? row : { ...row, revokedAt };
  };
  return {
    read: {
      ...read,
      get: async (table, where) => {
        const row = await read.get(table, where);
        return row === undefined ? undefined : seen(table, row);
      },
      find: async (table, where, options) =>
        (await read.find(table, where, options)).map((row) => seen(table, row)),
    },
    hold: (id, revokedAt) => void held.set(id, revokedAt),
  };
}

/**
 * Writes a revocation and ends what its principal does. Never waits for the disk: what cannot be written holds in memory, and the answer says so.
 * @throws AppError identity.revoke.unavailable: it holds until the next start, and must be repeated
 */
export async function revoke(
  deps: AdminDeps,
  actor: Actor,
  what: Change & { readonly principal: string; readonly revokedAt: number },
  body: Parameters<typeof change<void>>[3],
): Promise<void> {
  try {
    await change(deps, actor, what, body);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind !== 'unavailable' || deps.held === undefined)
      throw thrown;
    deps.held.hold(what.subject, what.revokedAt);
    await cutOff(deps, what.principal).catch((error: unknown) => {
      deps.log.error({ room: 'identity', error }, 'what a revocation ended could not be written yet');
    });
    throw new AppError({
      code: 'identity.revoke.unavailable',
      kind: 'unavailable',
      message: `${what.subject} is refused from now on, but only until the next start: it could not be written. ${thrown.message} Then revoke it again.`,
      cause: thrown,
    });
  }
  await cutOff(deps, what.principal);
}
