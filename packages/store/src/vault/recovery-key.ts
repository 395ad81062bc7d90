import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import { MASTER_KEY_BYTES } from './master-key.ts';

/** Base32 without the letters that are mistaken for digits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHECK_BYTES = 3;
const GROUP = /.{4}/g;

/**
 * The master key for paper: 14 groups of four letters and digits, with 24 bits of checksum.
 * Whoever reads it can read every secret of a backup.
 */
export function recoveryKeyOf(masterKey: Uint8Array): string {
  const bytes = Buffer.concat([masterKey, checksum(masterKey)]);
  return (toBase32(bytes).match(GROUP) ?? []).join('-');
}

/**
 * The master key of a recovery key. Case, spaces and hyphens do not matter; O, I and L are read as 0, 1 and 1.
 * @throws AppError vault.recovery.invalid for a slip of the pen
 */
export function masterKeyFromRecovery(text: string): Buffer {
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  const bytes = fromBase32(letters);
  if (bytes?.length === MASTER_KEY_BYTES + CHECK_BYTES) {
    const key = bytes.subarray(0, MASTER_KEY_BYTES);
    if (timingSafeEqual(checksum(key), bytes.subarray(MASTER_KEY_BYTES))) return Buffer.from(key);
  }
  throw new AppError({
    code: 'vault.recovery.invalid',
    kind: 'invalid',
    message:
      'This is not a recovery key, or a letter is wrong. It has 14 groups of four; compare each with the paper.',
  });
}

function checksum(key: Uint8Array): Buffer {
  return createHash('sha256')
    .update('agent-runtime recovery v1\n')
    .update(key)
    .digest()
    .subarray(0, CHECK_BYTES);
}

function toBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)] ?? '').join('');
}

function fromBase32(letters: string): Buffer | undefined {
  const values = [...letters].map((letter) => ALPHABET.indexOf(letter));
  if (values.includes(-1)) return undefined;
  const bits = values.map((value) => value.toString(2).padStart(5, '0')).join('');
  if (bits.length % 8 !== 0) return undefined;
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}
