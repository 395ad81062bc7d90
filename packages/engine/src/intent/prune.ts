import type { EngineDeps } from '../api.ts';

const KEPT_MS = 90 * 86_400_000;
/** In one look: short enough to hold nobody up. */
const MOST_IN_A_LOOK = 1_000;

/**
 * Forgets wishes that were over 90 days ago; their words are in the log of the place.
 * @returns how many; at most 1,000, the oldest first
 */
export async function pruneIntents(deps: EngineDeps): Promise<number> {
  const isOld = {
    state: { in: ['begun', 'superseded', 'expired'] },
    expiresAt: { lt: deps.clock.nowMs() - KEPT_MS },
  } as const;
  const { read } = deps.store;
  const old = await read.find('task_intent', isOld, { orderBy: 'expiresAt', limit: MOST_IN_A_LOOK });
  if (old.length === 0) return 0;
  const ids = old.map(({ id }) => id);
  const audit = {
    action: 'intent.prune',
    actor: 'appliance',
    subject: 'intents',
    data: { removed: ids.length },
  };
  return deps.store.commit(audit, (tx) => tx.remove('task_intent', { id: { in: ids }, ...isOld }));
}
