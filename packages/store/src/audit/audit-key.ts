import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { AppError, type Checkpoint, checkpointBytes } from '@agent-runtime/domain';
import { deriveKey, seal, unseal, writePrivateFile } from '../vault/index.ts';

/** Signs heads of the log. */
export interface AuditKey {
  /** base64url of SHA-256 over the public key's DER. */
  readonly keyId: string;
  readonly publicKeyPem: string;
  sign(checkpoint: Omit<Checkpoint, 'signature' | 'keyId'>): Checkpoint;
}

interface KeyFile {
  readonly version: 1;
  readonly keyId: string;
  readonly publicKeyPem: string;
  /** PKCS#8 DER, sealed with the master key. */
  readonly sealedPrivateKey: string;
}

/**
 * The signing key of this data folder, made at the first start. When an old one is gone, the new one does not fit the old heads,
 * and that is found like any other doubt about them.
 * @throws AppError audit.key.denied (another master key, or the file was changed)
 */
export function openAuditKey(path: string, masterKey: Uint8Array): AuditKey {
  if (existsSync(path)) return readKey(readFileSync(path, 'utf8'), masterKey);
  const made = makeAuditKey(masterKey);
  writePrivateFile(path, `${JSON.stringify(made.file, null, 2)}\n`);
  return made.key;
}

/** A fresh key and the file that keeps it. */
export function makeAuditKey(masterKey: Uint8Array): { readonly key: AuditKey; readonly file: KeyFile } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keyId = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const publicKeyPem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const sealedPrivateKey = seal(deriveKey(masterKey, 'audit-key'), sealName(keyId), der);
  return {
    key: wrapKey(keyId, publicKeyPem, der),
    file: { version: 1, keyId, publicKeyPem, sealedPrivateKey },
  };
}

function readKey(text: string, masterKey: Uint8Array): AuditKey {
  const file = parseKeyFile(text);
  const der = file && unseal(deriveKey(masterKey, 'audit-key'), sealName(file.keyId), file.sealedPrivateKey);
  if (file === undefined || der === undefined) {
    throw new AppError({
      code: 'audit.key.denied',
      kind: 'denied',
      message:
        'The signing key of the audit log cannot be opened: the master key is another one, or the file was changed.',
    });
  }
  return wrapKey(file.keyId, file.publicKeyPem, der);
}

function parseKeyFile(text: string): KeyFile | undefined {
  try {
    const value: Partial<Record<keyof KeyFile, unknown>> = JSON.parse(text);
    const { keyId, publicKeyPem, sealedPrivateKey } = value;
    if (typeof keyId !== 'string' || typeof publicKeyPem !== 'string' || typeof sealedPrivateKey !== 'string')
      return undefined;
    return { version: 1, keyId, publicKeyPem, sealedPrivateKey };
  } catch {
    return undefined;
  }
}

function wrapKey(keyId: string, publicKeyPem: string, der: Buffer): AuditKey {
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    keyId,
    publicKeyPem,
    sign: (head) => {
      const unsigned = { ...head, keyId };
      const signature = sign(null, Buffer.from(checkpointBytes(unsigned)), privateKey).toString('base64');
      return { ...unsigned, signature };
    },
  };
}

/** True when the signature over these bytes is by this public key (PEM); false for anything else, never throws. */
export function verifyCheckpoint(publicKeyPem: string, checkpoint: Checkpoint, bytes: string): boolean {
  try {
    const key = createPublicKey(publicKeyPem);
    return verify(null, Buffer.from(bytes), key, Buffer.from(checkpoint.signature, 'base64'));
  } catch {
    return false;
  }
}

function sealName(keyId: string): string {
  return `agent-runtime audit key v1\n${keyId}`;
}
