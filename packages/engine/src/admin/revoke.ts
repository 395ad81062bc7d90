import { AppError } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { requireLiveKey } from '../signed-facts.ts';
import { type Change, change } from './authorize.ts';
import type { AdminDeps } from './deps.ts';
import type { HeldRow } from './held.ts';
import { cutOff } from './watch.ts';

/** A change that takes something away. Its caller has already refused what `body` will refuse: a full disk may not get that far. */
export interface Revocation extends Change {
  /** Keys of the principals whose work ends. */
  readonly principals: readonly string[];
  /** How its rows read where they cannot be written. */
  readonly holds: readonly HeldRow[];
}

/**
 * Writes a revocation and ends what its principals do. Never waits for the disk: what cannot be written holds in memory, and the answer says so.
 * @throws AppError identity.revoke.unavailable: it holds until the next start, and must be repeated
 */
export async function revoke<T>(
  deps: AdminDeps,
  actor: Actor,
  what: Revocation,
  body: Parameters<typeof change<T>>[3],
): Promise<T> {
  let done: T;
  try {
    done = await change(deps, actor, what, body);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind !== 'unavailable' || deps.held === undefined)
      throw thrown;
    return holdInstead(deps, actor, what, thrown);
  }
  deps.held?.release(what.holds);
  for (const key of what.principals) await cutOff(deps, key);
  return done;
}

async function holdInstead(
  deps: AdminDeps,
  actor: Actor,
  what: Revocation,
  refusal: AppError,
): Promise<never> {
  // The transaction may not have come as far as this. What is held counts for it as well.
  await requireLiveKey(deps.store.read, actor);
  deps.held?.hold(what.holds);
  for (const key of what.principals) {
    await cutOff(deps, key).catch((error: unknown) => {
      deps.log.error({ room: 'identity', error }, 'what a revocation ended could not be written yet');
    });
  }
  throw new AppError({
    code: 'identity.revoke.unavailable',
    kind: 'unavailable',
    message: `${what.subject} is refused from now on, but only until the next start: it could not be written. ${refusal.message} Then revoke it again.`,
    cause: refusal,
  });
}
