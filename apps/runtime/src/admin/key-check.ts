import { createPublicKey } from 'node:crypto';
import { AppError, type Id } from '@agent-runtime/domain';
import type { KeyCheck, ProvedKey } from '@agent-runtime/engine';
import {
  exportPublicKey,
  type InviteKey,
  importPublicKey,
  keyIdOf,
  newInvite,
  parseKeyId,
  refusedInvite,
  serverIdentity,
  serverProof,
  verifyDecision,
  verifyInviteProof,
} from '@agent-runtime/pki';
import { readCsr } from '@agent-runtime/pki/certificate';
import { makeSignatureCheck } from './signature-check.ts';

/** The cryptography of packages/pki in the form that the admin handlers take. */
export function makeKeyCheck(): KeyCheck {
  return {
    kept: makeSignatureCheck(),
    publicKeyText: (pem) => Buffer.from(exportPublicKey(publicKeyOf(pem))).toString('base64'),
    newInvite: (at) => {
      const { code, stored } = newInvite(at);
      return {
        code,
        inviteId: stored.inviteId,
        proofKey: toBase64url(stored.proofKey),
        expiresAtMs: stored.expiresAtMs,
      };
    },
    proveEnrolment: (claim) => {
      const request = fromBase64url(claim.request);
      verifyInviteProof({
        invite: { ...inviteKey(claim), expiresAtMs: claim.expiresAtMs },
        request,
        proof: fromBase64url(claim.proof),
        nowMs: claim.nowMs,
      });
      return provedKey(request);
    },
    proveRequest: (request) => provedKey(fromBase64url(request)),
    serverProof: (invite, answer) =>
      toBase64url(
        serverProof({
          invite: inviteKey(invite),
          serverIdentity: serverIdentity(answer),
          keyId: parseKeyId(answer.key_id),
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

/** The key in a certificate request whose holder signed it. @throws AppError certificate.request.invalid, key.* */
function provedKey(request: Uint8Array): ProvedKey {
  const publicKey = readCsr(request);
  return {
    keyId: keyIdOf(publicKey),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
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
