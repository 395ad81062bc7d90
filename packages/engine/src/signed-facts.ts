import { AppError, type JsonObject, type StoreReader } from '@agent-runtime/domain';
import type { Actor } from './api.ts';

/** How an order came, with the signature that gave it: whoever verifies the log wants one wherever it says `signed`. */
export function signedFacts(actor: Actor): JsonObject {
  return { via: actor.via, ...(actor.proof === undefined ? {} : { proof: { ...actor.proof } }) };
}

/**
 * The key that signed must still count where the order is written: a revocation that came in between stands before it in the log.
 * @throws AppError identity.key.unauthenticated
 */
export async function requireLiveKey(tx: StoreReader, actor: Actor): Promise<void> {
  if (actor.proof === undefined) return;
  const key = await tx.get('identity_key', { id: actor.proof.keyId });
  const row =
    actor.certificate === undefined
      ? undefined
      : await tx.get('identity_certificate', { id: actor.certificate });
  if (key?.revokedAt === undefined && row?.revokedAt === undefined) return;
  throw new AppError({
    code: 'identity.key.unauthenticated',
    kind: 'unauthenticated',
    message: 'The key that signed this was revoked meanwhile; nothing happened.',
  });
}
