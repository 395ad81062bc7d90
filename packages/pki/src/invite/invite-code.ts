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

/** What the server keeps until the invite is used or over. The code itself cannot be computed back from it. */
export interface StoredInvite extends InviteKey {
  readonly expiresAtMs: number;
}

// 5 bytes of name, 17 of secret (136 bits), 3 of checksum: 25 bytes are 40 characters of base32, nothing left over.
const ID_BYTES = 5;
const SECRET_BYTES = 17;
const CHECK_BYTES = 3;
const CODE_BYTES = ID_BYTES + SECRET_BYTES + CHECK_BYTES;

/**
 * Makes an invite.
 * @returns `code`: ten groups of four, to be shown once to the invited person; `stored`: for the server
 */
export function newInvite(at: { readonly nowMs: number }): {
  readonly code: string;
  readonly stored: StoredInvite;
} {
  const named = randomBytes(ID_BYTES + SECRET_BYTES);
  const code = toCrockford(Buffer.concat([named, checksum(named)])).toUpperCase();
  const groups = code.match(/.{4}/g) ?? [];
  const stored = { ...deriveKey(named), expiresAtMs: at.nowMs + INVITE_LIFETIME_MS };
  return { code: groups.join('-'), stored };
}

/**
 * Reads a code as typed or pasted: case, spaces and hyphens do not matter, O reads as 0, I and L as 1.
 * @throws AppError invite.code.invalid (mistyped or cut off); the text never repeats the code
 */
export function parseInvite(code: string): InviteKey {
  const bytes = fromCrockford(code, CODE_BYTES);
  const named = bytes?.subarray(0, ID_BYTES + SECRET_BYTES);
  const check = bytes?.subarray(ID_BYTES + SECRET_BYTES);
  if (named !== undefined && check !== undefined && Buffer.compare(check, checksum(named)) === 0) {
    return deriveKey(named);
  }
  throw new AppError({
    code: 'invite.code.invalid',
    kind: 'invalid',
    message:
      'The invite code is mistyped or cut off. It has ten groups of four letters and digits; copy all of it.',
  });
}

// Against typing errors only: 24 bits, so that one in 16 million slips through to the server's refusal.
function checksum(named: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update('agent-runtime invite check v1\n')
    .update(named)
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
