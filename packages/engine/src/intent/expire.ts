import type { EngineDeps } from '../api.ts';
import { closeCard } from './card.ts';
import { inShort } from './sentence.ts';

/**
 * Ends wishes that nobody has said OK to in time, and says so on their cards.
 * @returns how many
 */
export async function expireIntents(deps: EngineDeps): Promise<number> {
  const isLate = { state: 'asked', expiresAt: { lte: deps.clock.nowMs() } } as const;
  const late = await deps.store.read.find('task_intent', isLate, { orderBy: 'expiresAt', limit: 100 });
  if (late.length === 0) return 0;
  const audit = {
    action: 'intent.expire',
    actor: 'appliance',
    subject: 'intents',
    data: { late: late.length },
  };
  return deps.store.commit(audit, async (tx) => {
    let ended = 0;
    for (const intent of late) {
      if ((await tx.update('task_intent', { id: intent.id, ...isLate }, { state: 'expired' })) !== 1)
        continue;
      ended += 1;
      await closeCard(deps, tx, intent, {
        state: 'expired',
        text: `Not begun, for nobody said OK in time: ${inShort(intent.text)}`,
      });
    }
    return ended;
  });
}
