import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '@agent-runtime/domain';
import { CLIENT_KEY_BITS, CLIENT_KEY_EXPONENT, type KeyId, keyIdOf } from './public-key.ts';

/** A person's signing key on one machine. `privateKey` never leaves that machine. */
export interface ClientKey {
  readonly keyId: KeyId;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);
// PKCS#8 only: the older "RSA PRIVATE KEY" form encrypts with MD5 key derivation.
const PKCS8_PEM = /^\s*-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----\r?\n/;

/** Makes a key. Cost: a few hundred milliseconds, off the main thread. @throws never */
export async function newClientKey(): Promise<ClientKey> {
  const { privateKey } = await generate('rsa', {
    modulusLength: CLIENT_KEY_BITS,
    publicExponent: CLIENT_KEY_EXPONENT,
  });
  return toClientKey(privateKey);
}

/**
 * Writes a key as PKCS#8 PEM, to be saved with mode 0600.
 * @param passphrase encrypts with AES-256-CBC; derivation is PBKDF2 with OpenSSL's default of 2048 rounds, so it must
 *   be long or random (a word and a digit would fall in minutes). Absent: the file's mode is the only protection.
 * @throws AppError key.passphrase.invalid for a blank passphrase
 */
export function exportClientKey(key: ClientKey, passphrase?: string): string {
  const options = { type: 'pkcs8', format: 'pem' } as const;
  if (passphrase === undefined) return key.privateKey.export(options).toString();
  requirePassphrase(passphrase);
  return key.privateKey.export({ ...options, cipher: 'aes-256-cbc', passphrase }).toString();
}

/**
 * Reads a key back from PKCS#8 PEM.
 * @throws AppError key.private.invalid (other format, damaged, wrong or missing passphrase), key.passphrase.invalid,
 *   key.shape.invalid
 */
export function importClientKey(pem: string, passphrase?: string): ClientKey {
  if (passphrase !== undefined) requirePassphrase(passphrase);
  if (!PKCS8_PEM.test(pem)) throw unreadable();
  return toClientKey(readPem(pem, passphrase));
}

function readPem(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, format: 'pem', passphrase });
  } catch (cause) {
    throw unreadable(cause);
  }
}

function toClientKey(privateKey: KeyObject): ClientKey {
  const keyId = keyIdOf(privateKey); // first: it refuses every other shape of key
  return { keyId, privateKey, publicKey: createPublicKey(privateKey) };
}

// A blank passphrase is an unset variable more often than a choice; writing the key unprotected would hide that.
function requirePassphrase(passphrase: string): void {
  if (passphrase.trim() !== '') return;
  throw new AppError({
    code: 'key.passphrase.invalid',
    kind: 'invalid',
    message: 'The passphrase is blank. Give one, or leave it out to keep the key unencrypted.',
  });
}

function unreadable(cause?: unknown): AppError {
  return new AppError({
    code: 'key.private.invalid',
    kind: 'invalid',
    message:
      'The client key could not be read: it is damaged, not PKCS#8 PEM, or needs another passphrase. ' +
      'Check the passphrase, or enrol this client again.',
    cause,
  });
}
