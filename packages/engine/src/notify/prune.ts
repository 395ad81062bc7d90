import type { EngineDeps } from '../api.ts';

/** Marks are asked for within minutes; a restored backup may bring back weeks. */
const KEPT_MS = 90 * 86_400_000;
/** In one look: short enough to hold nobody up, more in a day than an appliance says. */
const MOST_IN_A_LOOK = 1_000;

/**
 * Forgets that things were said long ago: the keys of notices, of refusals to strangers, of codes that were guessed.
 * @returns how many; at most 1,000, the oldest first
 */
export async function pruneNotices(deps: EngineDeps): Promise<number> {
  const isOld = { at: { lt: deps.clock.nowMs() - KEPT_MS } };
  const old = await deps.store.read.find('notify_notice', isOld, { orderBy: 'at', limit: MOST_IN_A_LOOK });
  if (old.length === 0) return 0;
  const keys = old.map((notice) => notice.key);
  const audit = {
    action: 'notify.prune',
    actor: 'appliance',
    subject: 'notices',
    data: { removed: keys.length },
  };
  return deps.store.commit(audit, (tx) => tx.remove('notify_notice', { key: { in: keys }, ...isOld }));
}
