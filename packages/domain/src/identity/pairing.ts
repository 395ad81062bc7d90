import { type Digest, type PairingId, sha256 } from '../base/index.ts';

/** How long a code may be used, ms. */
export const PAIRING_LIFETIME_MS = 600_000;
/** Codes of one connector that wait at the same time. */
export const MAX_PAIRINGS = 100;
/** Randomness of a code, bits. */
export const PAIRING_BITS = 136;

/** An outside account that waits to be linked. Its code was told to its sender alone; only the digest is kept. */
export interface Pairing {
  readonly id: PairingId;
  readonly connector: string;
  readonly account: string;
  /** The platform's immutable id of the sender. */
  readonly externalId: string;
  /** The direct talk in which the code was asked for. */
  readonly channel: string;
  /** What the sender calls themselves: to be shown, never to be trusted. */
  readonly displayName: string;
  readonly codeHash: Digest;
  readonly createdAt: number;
  readonly expiresAt: number;
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARS = 28;

/**
 * The code of a secret: seven groups of four characters (140 bits), none of which is misread.
 * @param secret with at least `PAIRING_BITS` of randomness
 */
export function pairingCode(secret: string): string {
  let rest = BigInt(`0x${sha256(secret).slice('sha256:'.length)}`);
  let text = '';
  for (let at = 0; at < CHARS; at += 1) {
    if (at > 0 && at % 4 === 0) text += '-';
    text += ALPHABET[Number(rest & 31n)] ?? '0';
    rest >>= 5n;
  }
  return text;
}

/** Digest of a code as typed or pasted: case, spaces and hyphens do not matter, O reads as 0, I and L as 1. */
export function pairingHash(code: string): Digest {
  const plain = code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return sha256(`pairing\n${plain}`);
}

/** May this code still be used? */
export function isPairingLive(pairing: Pairing, nowMs: number): boolean {
  return nowMs < pairing.expiresAt;
}
