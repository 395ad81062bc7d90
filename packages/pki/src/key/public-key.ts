import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { AppError, type Id } from '@agent-runtime/domain';

/** Base64url of SHA-256 over the key's SPKI DER, 43 characters. Public: it names a key and reveals nothing. */
export type KeyId = Id<'key'>;

/**
 * The one accepted shape. Type `rsa` (rsaEncryption, not `rsa-pss`) because the same key goes into an X.509 client
 * certificate later and the CA's library handles nothing else. One shape means there is nothing to downgrade to.
 */
export const CLIENT_KEY_BITS = 3072;
export const CLIENT_KEY_EXPONENT = 65_537;

const KEY_ID = /^[A-Za-z0-9_-]{43}$/;

/**
 * Checks that a text looks like a key id, e.g. one read from a file or a body.
 * @throws AppError key.id.invalid
 */
export function parseKeyId(text: string): KeyId {
  if (KEY_ID.test(text)) return text as KeyId; // safe: alphabet and length checked
  throw new AppError({
    code: 'key.id.invalid',
    kind: 'invalid',
    message: 'This is not a client key id. They are 43 letters, digits, "-" and "_".',
  });
}

/**
 * Refuses every key that is not RSA of exactly 3072 bits with exponent 65537.
 * @throws AppError key.shape.invalid
 */
export function requireClientKeyShape(key: KeyObject): void {
  const details = key.asymmetricKeyDetails;
  const fits =
    key.asymmetricKeyType === 'rsa' &&
    details?.modulusLength === CLIENT_KEY_BITS &&
    details.publicExponent === BigInt(CLIENT_KEY_EXPONENT);
  if (fits) return;
  throw new AppError({
    code: 'key.shape.invalid',
    kind: 'invalid',
    message: `Client keys are RSA with ${CLIENT_KEY_BITS} bits and exponent ${CLIENT_KEY_EXPONENT}. Enrol with a new key.`,
    detail: { type: key.asymmetricKeyType ?? key.type, bits: details?.modulusLength },
  });
}

/**
 * Names a key by its public half, so that a private key and its public half have the same id.
 * @throws AppError key.shape.invalid for a key we do not accept
 */
export function keyIdOf(key: KeyObject): KeyId {
  const digest = createHash('sha256').update(exportPublicKey(key)).digest('base64url');
  return parseKeyId(digest);
}

/**
 * The public half as SPKI DER: what enrolment sends and the store keeps.
 * @throws AppError key.shape.invalid for a key we do not accept
 */
export function exportPublicKey(key: KeyObject): Uint8Array {
  requireClientKeyShape(key);
  const publicHalf = key.type === 'private' ? createPublicKey(key) : key;
  return new Uint8Array(publicHalf.export({ type: 'spki', format: 'der' }));
}

/**
 * Reads a public key from SPKI DER, as sent by a client or kept by the store.
 * @throws AppError key.public.invalid (not a key, or not in its one canonical encoding), key.shape.invalid
 */
export function importPublicKey(spkiDer: Uint8Array): KeyObject {
  const key = readSpki(spkiDer);
  // The id is a hash of these bytes: a second encoding of one key must not exist, or it could be enrolled twice.
  if (Buffer.compare(exportPublicKey(key), spkiDer) !== 0) throw unreadable();
  return key;
}

function readSpki(spkiDer: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spkiDer), format: 'der', type: 'spki' });
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause?: unknown): AppError {
  return new AppError({
    code: 'key.public.invalid',
    kind: 'invalid',
    message: 'This is not a public key in SPKI DER form. Enrol again with a key made by agent-runtime.',
    cause,
  });
}
