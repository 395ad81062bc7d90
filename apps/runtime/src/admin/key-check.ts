import { createPublicKey } from 'node:crypto';
import { AppError, type Id } from '@agent-runtime/domain';
import type { KeyCheck } from '@agent-runtime/engine';
import {
  caFingerprint as caFingerprintOf,
  type InviteKey,
  importPublicKey,
  newInvite,
  parseKeyId,
  refusedInvite,
  serverProof,
  verifyDecision,
  verifyInviteProof,
} from '@agent-runtime/pki';

/**
 * The cryptography of packages/pki in the form that the admin handlers take.
 * @param caFingerprint of the CA that invited clients are to trust now; it may change while the process runs. Without a
 *   CA there is only the local socket, and codes name what is pinned there.
 */
export function makeKeyCheck(
  instanceId: string,
  caFingerprint: () => string = () => caFingerprintOf(serverIdentity(instanceId)),
): KeyCheck {
  return {
    newInvite: (nowMs) => {
      const { code, stored } = newInvite({ nowMs, caFingerprint: caFingerprint() });
      return {
        code,
        inviteId: stored.inviteId,
        proofKey: toBase64url(stored.proofKey),
        expiresAtMs: stored.expiresAtMs,
      };
    },
    proveEnrolment: (claim) => {
      const spkiDer = fromBase64url(claim.spki);
      const { keyId, publicKey } = verifyInviteProof({
        invite: { ...inviteKey(claim), expiresAtMs: claim.expiresAtMs },
        spkiDer,
        proof: fromBase64url(claim.proof),
        nowMs: claim.nowMs,
      });
      return { keyId, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
    },
    serverProof: (invite, keyId) =>
      toBase64url(
        serverProof({
          invite: inviteKey(invite),
          serverIdentity: serverIdentity(instanceId),
          keyId: parseKeyId(keyId),
        }),
      ),
    refusedInvite,
    verifyDecision: ({ publicKeyPem, canonical, signature }) =>
      verifyDecision({
        canonicalBytes: new TextEncoder().encode(canonical),
        signature: new Uint8Array(Buffer.from(signature, 'base64')),
        publicKey: publicKeyOf(publicKeyPem),
      }),
  };
}

/** What a client pins of a server on the local socket: the data folder it belongs to. */
export function serverIdentity(instanceId: string): Uint8Array {
  return new TextEncoder().encode(`agent-runtime instance ${instanceId}`);
}

/** The enrolled key of a row. @throws AppError key.public.invalid for a row that was changed */
export function publicKeyOf(pem: string): ReturnType<typeof importPublicKey> {
  try {
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    return importPublicKey(new Uint8Array(der));
  } catch (cause) {
    throw new AppError({
      code: 'key.public.invalid',
      kind: 'invalid',
      message: 'A stored client key cannot be read. Revoke it and enrol again.',
      cause,
    });
  }
}

function inviteKey(invite: { readonly inviteId: string; readonly proofKey: string }): InviteKey {
  return {
    inviteId: invite.inviteId as Id<'invite'>, // safe: the id of a row that pki made
    proofKey: fromBase64url(invite.proofKey),
  };
}

function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function fromBase64url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
