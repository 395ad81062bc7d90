import { randomBytes } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';

export const MASTER_KEY_BYTES = 32;

/** A fresh master key. It lives outside the data folder; without it no secret and no signing key can be read. */
export function createMasterKey(): Buffer {
  return randomBytes(MASTER_KEY_BYTES);
}

/** Text of the key file: base64 with a final newline. */
export function formatMasterKey(masterKey: Uint8Array): string {
  return `${Buffer.from(masterKey).toString('base64')}\n`;
}

/**
 * Reads the text of a key file or of the environment.
 * @throws AppError vault.key.invalid when it is not 32 bytes of base64; the message never repeats the text
 */
export function parseMasterKey(text: string): Buffer {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, 'base64');
  if (key.length === MASTER_KEY_BYTES && key.toString('base64') === trimmed) return key;
  throw invalidMasterKey('It must be 32 bytes in base64, as setup wrote it.');
}

/** @throws AppError vault.key.invalid */
export function assertMasterKey(masterKey: Uint8Array): void {
  if (masterKey.length !== MASTER_KEY_BYTES) throw invalidMasterKey('It must be 32 bytes.');
}

function invalidMasterKey(hint: string): AppError {
  return new AppError({
    code: 'vault.key.invalid',
    kind: 'invalid',
    message: `The master key cannot be used. ${hint}`,
  });
}
