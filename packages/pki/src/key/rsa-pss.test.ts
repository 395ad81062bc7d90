import { constants, sign, verify } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, isSignedBy, newClientKey, SIGNATURE_BYTES, signBytes } from './index.ts';

const bytes = new TextEncoder().encode('some bytes');
const padding = constants.RSA_PKCS1_PSS_PADDING;
let key: ClientKey;
let other: ClientKey;
beforeAll(async () => {
  [key, other] = await Promise.all([newClientKey(), newClientKey()]);
}, 60_000);

describe('rsa-pss-sha512', () => {
  it('signs and verifies', () => {
    const signature = signBytes(key.privateKey, bytes);
    expect(signature).toHaveLength(SIGNATURE_BYTES);
    expect(isSignedBy(key.publicKey, bytes, signature)).toBe(true);
    expect(isSignedBy(other.publicKey, bytes, signature)).toBe(false);
    expect(isSignedBy(key.publicKey, bytes.subarray(1), signature)).toBe(false);
  });

  it('uses the salt of 64 bytes that RFC 9421 fixes', () => {
    const signature = signBytes(key.privateKey, bytes);
    expect(verify('sha512', bytes, { key: key.publicKey, padding, saltLength: 64 }, signature)).toBe(true);
    expect(verify('sha512', bytes, { key: key.publicKey, padding, saltLength: 32 }, signature)).toBe(false);
  });

  it.each([
    ['another salt length', 'sha512', { padding, saltLength: 32 }],
    ['another hash', 'sha256', { padding, saltLength: 64 }],
    ['PKCS#1 v1.5', 'sha512', { padding: constants.RSA_PKCS1_PADDING }],
  ])('refuses %s', (_name, hash, options) => {
    const signature = sign(hash, bytes, { key: key.privateKey, ...options });
    expect(isSignedBy(key.publicKey, bytes, signature)).toBe(false);
  });

  it('has one length: a signature that starts with zero may not be cut', () => {
    let signature = signBytes(key.privateKey, bytes);
    while (signature[0] !== 0) signature = signBytes(key.privateKey, bytes); // salted: about 230 tries
    expect(isSignedBy(key.publicKey, bytes, signature)).toBe(true);
    expect(isSignedBy(key.publicKey, bytes, signature.subarray(1))).toBe(false);
  }, 60_000);

  it('answers false, and does not throw, for signatures of any length', () => {
    for (const length of [0, 1, 383, 385, 4096]) {
      expect(isSignedBy(key.publicKey, bytes, new Uint8Array(length).fill(0xff))).toBe(false);
    }
  });
});
