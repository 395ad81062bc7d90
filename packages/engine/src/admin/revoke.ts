import { AppError } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { type Change, change } from './authorize.ts';
import type { AdminDeps } from './deps.ts';
import { cutOff } from './watch.ts';

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
