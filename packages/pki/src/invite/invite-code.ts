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

/** What a client reads from a code: the key, and by which CA it will know the server. */
export interface ParsedInvite extends InviteKey {
  /** The first 30 hex digits (120 bits) of the fingerprint of the server's CA. */
  readonly caPrefix: string;
}

/** What the server keeps until the invite is used or over. The code itself cannot be computed back from it. */
export interface StoredInvite extends InviteKey {
  readonly expiresAtMs: number;
}

// 5 bytes of name, 17 of secret (136 bits), 15 of the CA's fingerprint (120 bits: another CA that fits is out of reach),
// 3 of checksum: 40 bytes are 64 characters of base32, nothing left over.
const ID_BYTES = 5;
const SECRET_BYTES = 17;
const CA_BYTES = 15;
const CHECK_BYTES = 3;
const CODE_BYTES = ID_BYTES + SECRET_BYTES + CA_BYTES + CHECK_BYTES;
const FINGERPRINT = /^[0-9a-f]{64}$/;

/**
 * Makes an invite.
 * @param input.caFingerprint of the CA that the client is to trust, 64 hex digits
 * @returns `code`: sixteen groups of four, to be shown once to the invited person; `stored`: for the server
 * @throws AppError invite.fingerprint.bug
 */
export function newInvite(input: { readonly nowMs: number; readonly caFingerprint: string }): {
  readonly code: string;
  readonly stored: StoredInvite;
} {
  const named = randomBytes(ID_BYTES + SECRET_BYTES);
  const content = Buffer.concat([named, caBytes(input.caFingerprint)]);
  const code = toCrockford(Buffer.concat([content, checksum(content)])).toUpperCase();
  const groups = code.match(/.{4}/g) ?? [];
  const stored = { ...deriveKey(named), expiresAtMs: input.nowMs + INVITE_LIFETIME_MS };
  return { code: groups.join('-'), stored };
}

/**
 * Reads a code as typed or pasted: case, spaces and hyphens do not matter, O reads as 0, I and L as 1.
 * @throws AppError invite.code.invalid (mistyped or cut off); the text never repeats the code
 */
export function parseInvite(code: string): ParsedInvite {
  const bytes = fromCrockford(code, CODE_BYTES);
  const content = bytes?.subarray(0, -CHECK_BYTES);
  const check = bytes?.subarray(-CHECK_BYTES);
  if (content !== undefined && check !== undefined && Buffer.compare(check, checksum(content)) === 0) {
    const caPrefix = Buffer.from(content.subarray(ID_BYTES + SECRET_BYTES)).toString('hex');
    return { ...deriveKey(content.subarray(0, ID_BYTES + SECRET_BYTES)), caPrefix };
  }
  throw new AppError({
    code: 'invite.code.invalid',
    kind: 'invalid',
    message:
      'The invite code is mistyped or cut off. It has sixteen groups of four letters and digits; copy all of it.',
  });
}

/** True when this is the CA that the code names. Only then may a client believe a server's certificate by it. */
export function isCaOfInvite(invite: ParsedInvite, caFingerprint: string): boolean {
  return FINGERPRINT.test(caFingerprint) && caFingerprint.startsWith(invite.caPrefix);
}

function caBytes(caFingerprint: string): Uint8Array {
  if (FINGERPRINT.test(caFingerprint)) return Buffer.from(caFingerprint, 'hex').subarray(0, CA_BYTES);
  throw new AppError({
    code: 'invite.fingerprint.bug',
    kind: 'bug',
    message: 'No invite was made: the server does not know its CA. Its log has the details.',
    detail: 'caFingerprint is not 64 hex digits',
  });
}

// Against typing errors only: 24 bits, so that one in 16 million slips through to the server's refusal.
function checksum(content: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update('agent-runtime invite check v1\n')
    .update(content)
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
