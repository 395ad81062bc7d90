import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { AppError, type Id, parseId } from '@agent-runtime/domain';
import { fromCrockford, toCrockford } from './crockford.ts';

/** Public name of an invite, `invt_` and 8 characters: sent in the clear, finds the stored invite. */
export type InviteId = Id<'invite'>;

/** How long an invite may be used, in milliseconds. */
export const INVITE_LIFETIME_MS = 600_000;

/** What both ends derive from a code. `proofKey` opens the enrolment while the invite lives: a secret, kept encrypted. */
export interface InviteKey {
  readonly inviteId: InviteId;
  /** 32 bytes. */
  readonly proofKey: Uint8Array;
}

/** What a code says beside its key. */
export interface ReadInvite extends InviteKey {
  /** The beginning of the SHA-256 of the CA's certificate, 15 bytes: a server that shows another CA is not the one that was meant. */
  readonly caPrefix: Uint8Array;
}

/** What the server keeps until the invite is used or over. The code itself cannot be computed back from it. */
export interface StoredInvite extends InviteKey {
  readonly expiresAtMs: number;
}

// 5 bytes of name, 17 of secret (136 bits), 15 of the CA's fingerprint (120 bits), 3 of checksum: 40 bytes are 64 characters of
// base32, nothing left over.
const ID_BYTES = 5;
const SECRET_BYTES = 17;
const CA_BYTES = 15;
const CHECK_BYTES = 3;
const SAID_BYTES = ID_BYTES + SECRET_BYTES + CA_BYTES;
const CODE_BYTES = SAID_BYTES + CHECK_BYTES;

/**
 * Makes an invite.
 * @param at.caFingerprint SHA-256 of the CA that issues, 64 hex digits
 * @returns `code`: sixteen groups of four, to be shown once to the invited person; `stored`: for the server
 */
export function newInvite(at: { readonly nowMs: number; readonly caFingerprint: string }): {
  readonly code: string;
  readonly stored: StoredInvite;
} {
  const named = randomBytes(ID_BYTES + SECRET_BYTES);
  const said = Buffer.concat([named, Buffer.from(at.caFingerprint, 'hex').subarray(0, CA_BYTES)]);
  const code = toCrockford(Buffer.concat([said, checksum(said)])).toUpperCase();
  const groups = code.match(/.{4}/g) ?? [];
  const stored = { ...deriveKey(named), expiresAtMs: at.nowMs + INVITE_LIFETIME_MS };
  return { code: groups.join('-'), stored };
}

/**
 * Reads a code as typed or pasted: case, spaces and hyphens do not matter, O reads as 0, I and L as 1.
 * @throws AppError invite.code.invalid (mistyped or cut off); the text never repeats the code
 */
export function parseInvite(code: string): ReadInvite {
  const bytes = fromCrockford(code, CODE_BYTES);
  const said = bytes?.subarray(0, SAID_BYTES);
  const check = bytes?.subarray(SAID_BYTES);
  if (said !== undefined && check !== undefined && Buffer.compare(check, checksum(said)) === 0) {
    const named = said.subarray(0, ID_BYTES + SECRET_BYTES);
    return { ...deriveKey(named), caPrefix: said.subarray(ID_BYTES + SECRET_BYTES) };
  }
  throw new AppError({
    code: 'invite.code.invalid',
    kind: 'invalid',
    message:
      'The invite code is mistyped or cut off. It has sixteen groups of four letters and digits; copy all of it.',
  });
}

// Against typing errors only: 24 bits, so that one in 16 million slips through to the server's refusal.
function checksum(said: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update('agent-runtime invite check v1\n')
    .update(said)
    .digest()
    .subarray(0, CHECK_BYTES);
}

function deriveKey(named: Uint8Array): InviteKey {
  const id = named.subarray(0, ID_BYTES);
  const secret = named.subarray(ID_BYTES);
  return {
    inviteId: parseId('invite', `invt_${toCrockford(id)}`),
    proofKey: new Uint8Array(hkdfSync('sha256', secret, id, 'agent-runtime invite proof v1', 32)),
  };
}
