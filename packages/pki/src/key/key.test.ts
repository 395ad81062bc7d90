import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ClientKey,
  exportClientKey,
  exportPublicKey,
  importClientKey,
  importPublicKey,
  keyIdOf,
  newClientKey,
  parseKeyId,
} from './index.ts';

let key: ClientKey;
beforeAll(async () => {
  key = await newClientKey();
}, 60_000);

function rsa(modulusLength: number, publicExponent = 0x10001): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey;
}

const WEAK: readonly (readonly [string, () => KeyObject])[] = [
  ['RSA of 1024 bits', () => rsa(1024)],
  ['RSA of 2048 bits', () => rsa(2048)],
  ['RSA of 3080 bits', () => rsa(3080)],
  ['RSA with exponent 3', () => rsa(3072, 3)],
  ['an rsa-pss key', () => generateKeyPairSync('rsa-pss', { modulusLength: 3072 }).privateKey],
  ['an elliptic curve key', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['an Ed25519 key', () => generateKeyPairSync('ed25519').privateKey],
];

function pem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

describe('a client key', () => {
  it('is RSA of 3072 bits with exponent 65537, of the type that certificates need', () => {
    expect(key.privateKey.asymmetricKeyType).toBe('rsa');
    expect(key.publicKey.asymmetricKeyDetails).toMatchObject({
      modulusLength: 3072,
      publicExponent: 65_537n,
    });
  });

  it('has the same id by either half, 43 characters of base64url', () => {
    expect(keyIdOf(key.privateKey)).toBe(key.keyId);
    expect(keyIdOf(key.publicKey)).toBe(key.keyId);
    expect(parseKeyId(key.keyId)).toBe(key.keyId);
    expect(codeOf(() => parseKeyId(`${key.keyId}=`))).toBe('key.id.invalid');
  });
});

describe('a key file', () => {
  it('brings back the same key, with and without passphrase', () => {
    expect(importClientKey(exportClientKey(key)).keyId).toBe(key.keyId);
    const sealed = exportClientKey(key, 'correct horse battery staple');
    expect(sealed).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(importClientKey(sealed, 'correct horse battery staple').keyId).toBe(key.keyId);
  });

  it('stays shut without its passphrase', () => {
    const sealed = exportClientKey(key, 'correct horse battery staple');
    expect(codeOf(() => importClientKey(sealed))).toBe('key.private.invalid');
    expect(codeOf(() => importClientKey(sealed, 'another passphrase'))).toBe('key.private.invalid');
  });

  it.each(['', '  '])('takes no blank passphrase (%j)', (blank) => {
    expect(codeOf(() => exportClientKey(key, blank))).toBe('key.passphrase.invalid');
    expect(codeOf(() => importClientKey(exportClientKey(key), blank))).toBe('key.passphrase.invalid');
  });

  it('is PKCS#8 PEM or refused, and the refusal does not repeat it', () => {
    const pkcs1 = key.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    for (const text of [pkcs1, '', 'secret text', exportClientKey(key).replace('MII', 'MIJ')]) {
      expect(codeOf(() => importClientKey(text))).toBe('key.private.invalid');
    }
    expect(() => importClientKey('secret text')).not.toThrow(/secret text/);
  });

  it.each(WEAK)(
    'with %s is refused',
    (_name, make) => {
      expect(codeOf(() => importClientKey(pem(make())))).toBe('key.shape.invalid');
    },
    60_000,
  );
});

describe('a public key from outside', () => {
  it('comes back from SPKI DER', () => {
    expect(keyIdOf(importPublicKey(exportPublicKey(key.publicKey)))).toBe(key.keyId);
    expect(exportPublicKey(key.privateKey)).toEqual(exportPublicKey(key.publicKey));
  });

  it.each(WEAK)(
    'is refused when it is %s',
    (_name, make) => {
      const der = createPublicKey(make()).export({ type: 'spki', format: 'der' });
      expect(codeOf(() => importPublicKey(der))).toBe('key.shape.invalid');
    },
    60_000,
  );

  it('has one encoding: trailing bytes, long-form lengths and garbage are refused', () => {
    const der = exportPublicKey(key.publicKey);
    const trailing = Buffer.concat([der, Buffer.from([0])]);
    // 30 82 LL LL -> 30 83 00 LL LL: the same value in a longer spelling (BER, not DER)
    const longer = Buffer.concat([Buffer.from([0x30, 0x83, 0x00]), der.subarray(2)]);
    for (const bytes of [
      trailing,
      longer,
      der.subarray(1),
      new Uint8Array(),
      Buffer.from(pem(key.privateKey)),
    ]) {
      expect(codeOf(() => importPublicKey(bytes))).toBe('key.public.invalid');
    }
  });

  it('is never a symmetric or private key in disguise', () => {
    const pkcs8 = key.privateKey.export({ type: 'pkcs8', format: 'der' });
    expect(codeOf(() => importPublicKey(pkcs8))).toBe('key.public.invalid');
  });
});
