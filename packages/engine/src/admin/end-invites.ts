import type { StoreTx } from '@agent-runtime/domain';

/**
 * Ends all open invites. Whoever loses a key, a role or their place may have made one a moment ago, for themselves or for others. Invites
 * last ten minutes: the innocent ask again.
 */
export async function endInvites(tx: StoreTx): Promise<void> {
  await tx.remove('identity_invite', { usedAt: { isNull: true } });
}
