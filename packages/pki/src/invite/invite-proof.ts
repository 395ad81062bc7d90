import { createHmac, timingSafeEqual } from 'node:crypto';
import { type AdminReply, AppError } from '@agent-runtime/domain';
import type { KeyId } from '../key/index.ts';
import type { InviteKey, StoredInvite } from './invite-code.ts';

/** The client's side of an enrolment: which invite, for which key. */
export interface ClientClaim {
  readonly invite: InviteKey;
  /** The client's certificate request, PKCS#10 DER: it names the key and proves that its holder sent it. */
  readonly request: Uint8Array;
}

/** What a server answers to an enrolment, but for its proof. */
export type EnrolmentAnswer = Omit<AdminReply<'key.enrol'>, 'proof'>;

/**
 * All that a client keeps or shows of the answer, as the bytes that the proof covers: the certificates, and who and where it is said
 * to be. What is left out here, somebody in between may write.
 */
export function serverIdentity(answer: EnrolmentAnswer): Uint8Array {
  const {
    certificate,
    authorities,
    expires_at,
    key_id,
    user,
    user_id,
    instance_id,
    admin_url = null,
  } = answer;
  const parts = [certificate, authorities, expires_at, key_id, user, user_id, instance_id, admin_url];
  return new TextEncoder().encode(JSON.stringify(parts));
}

/** The server's answer: who it is, and which key it took in. */
export interface ServerClaim {
  readonly invite: InviteKey;
  /** What the client is to pin, see `serverIdentity`. */
  readonly serverIdentity: Uint8Array;
  readonly keyId: KeyId;
}

/** Proves to the server that this key's holder has the code, without sending it. @returns 32 bytes */
export function inviteProof(claim: ClientClaim): Uint8Array {
  return hmac(claim.invite.proofKey, ['enrol-client', claim.invite.inviteId, claim.request]);
}

/**
 * Returns when the client knew the code and the invite is not over. The caller has found the invite by the id the client sent, reads
 * the key from the request afterwards, and marks the invite used in the transaction that stores the key.
 * @throws AppError invite.proof.unauthenticated (wrong, for another request, or over: one text)
 */
export function verifyInviteProof(claim: {
  readonly invite: StoredInvite;
  readonly request: Uint8Array;
  readonly proof: Uint8Array;
  readonly nowMs: number;
}): void {
  const isRight = isEqual(inviteProof(claim), claim.proof);
  const isOpen = claim.nowMs < claim.invite.expiresAtMs;
  if (!(isRight && isOpen)) throw refusedInvite();
}

/**
 * What the server throws for an invite it does not have: the same text as for a wrong proof, so that asking does not
 * tell which invites exist.
 */
export function refusedInvite(): AppError {
  return new AppError({
    code: 'invite.proof.unauthenticated',
    kind: 'unauthenticated',
    message:
      'The invite is wrong, used or over (they last 10 minutes). Ask for a new one: agent-runtime invite create.',
  });
}

/** Proves to the client that the server knows the code and took in this very key. @returns 32 bytes */
export function serverProof(claim: ServerClaim): Uint8Array {
  return hmac(claim.invite.proofKey, ['enrol-server', claim.serverIdentity, claim.keyId]);
}

/**
 * Returns when the server that answered knows the code; only then may the client pin its identity.
 * @throws AppError invite.server.unauthenticated
 */
export function verifyServerProof(claim: ServerClaim & { readonly proof: Uint8Array }): void {
  if (isEqual(serverProof(claim), claim.proof)) return;
  throw new AppError({
    code: 'invite.server.unauthenticated',
    kind: 'unauthenticated',
    message:
      'The server that answered does not know this invite. Check the address; if it is right, someone may be in between.',
  });
}

// Every part is preceded by its length: without it two different lists of parts could give the same bytes.
function hmac(key: Uint8Array, parts: readonly (string | Uint8Array)[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return new Uint8Array(mac.digest());
}

function isEqual(expected: Uint8Array, given: Uint8Array): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given);
}
