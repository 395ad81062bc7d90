import type { StoreReader, StoreTx } from '@agent-runtime/domain';
import type { HeldRow } from './held.ts';

const OPEN = { usedAt: { isNull: true } } as const;

/**
 * Ends all open invites. Whoever loses a key, a role or their place may have made one a moment ago, for themselves or for others. Invites
 * last ten minutes: the innocent ask again.
 */
export async function endInvites(tx: StoreTx): Promise<void> {
  await tx.remove('identity_invite', OPEN);
}

/** The same where nothing can be written. */
export async function heldInvites(reader: StoreReader): Promise<readonly HeldRow[]> {
  const open = await reader.find('identity_invite', OPEN);
  return open.map(({ id }) => ({ table: 'identity_invite', id, change: 'gone' }));
}
