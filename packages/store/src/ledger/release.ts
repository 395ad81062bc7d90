import type { Store } from '@agent-runtime/domain';

/**
 * Releases reservations of processes that died before they settled them. Called once at boot, when no call can be running.
 * @returns how many there were
 */
export async function releaseReservations(store: Store): Promise<number> {
  const left = await store.read.find('ledger_entry', { state: 'reserved' });
  if (left.length === 0) return 0;
  const tokens = left.reduce((sum, entry) => sum + entry.tokens, 0);
  const draft = {
    action: 'ledger.release',
    actor: 'appliance',
    subject: 'ledger',
    data: { count: left.length, tokens },
  };
  return store.commit(draft, (tx) =>
    tx.update(
      'ledger_entry',
      { state: 'reserved', id: { in: left.map((entry) => entry.id) } },
      { state: 'released' },
    ),
  );
}
