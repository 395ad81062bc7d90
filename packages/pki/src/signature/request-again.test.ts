import { beforeAll, describe, expect, test } from 'vitest';
import { type ClientKey, newClientKey } from '../key/index.ts';
import { signDecision } from './decision.ts';
import { NonceCache } from './nonce-cache.ts';
import { isRequestSignature, readSignatureBase } from './request-again.ts';
import { signRequest } from './request-sign.ts';
import { type VerifiedRequest, verifyRequest } from './request-verify.ts';

const NOW = Date.UTC(2026, 10, 21);
const TARGET = { method: 'POST', path: '/admin/v1/grant', query: '', authority: 'admin.example' };
const BOOT = 'boot-0000000000000001';
let key: ClientKey;
let other: ClientKey;
let verified: VerifiedRequest;
let base: string;
beforeAll(async () => {
  [key, other] = await Promise.all([newClientKey(), newClientKey()]);
  const body = new TextEncoder().encode('{}');
  const headers = signRequest({ ...TARGET, body, key, bootId: BOOT, nowMs: NOW });
  verified = await verifyRequest({
    ...TARGET,
    headers: { ...headers },
    body,
    bootId: BOOT,
    nowMs: NOW,
    nonces: new NonceCache(),
    lookupKey: () => key.publicKey,
  });
  base = new TextDecoder().decode(verified.signatureBase);
}, 60_000);

describe('a kept request', () => {
  test('says what was asked, when and by which key, and its signature is good again', () => {
    expect(readSignatureBase(base)).toEqual({
      keyId: key.keyId,
      method: 'POST',
      path: '/admin/v1/grant',
      createdAtMs: NOW,
    });
    const { signature } = verified;
    expect(isRequestSignature({ publicKey: key.publicKey, base, signature })).toBe(true);
    expect(isRequestSignature({ publicKey: other.publicKey, base, signature })).toBe(false);
    const changed = base.replace('/grant', '/grunt');
    expect(isRequestSignature({ publicKey: key.publicKey, base: changed, signature })).toBe(false);
    const flipped = Uint8Array.from(signature, (byte, at) => (at === 9 ? byte ^ 1 : byte));
    expect(isRequestSignature({ publicKey: key.publicKey, base, signature: flipped })).toBe(false);
  });

  test.each<readonly [string, (text: string) => string]>([
    ['a line more', (text) => `${text}\n`],
    ['a line less', (text) => text.split('\n').slice(1).join('\n')],
    ['lines in another order', (text) => text.split('\n').reverse().join('\n')],
    ['another component', (text) => text.replace('"@query"', '"@scheme"')],
    ['other parameters', (text) => text.replace(';tag="agent-runtime-admin"', '')],
    ['nothing', () => ''],
  ])('of another form is none: %s', (_name, change) => {
    expect(readSignatureBase(change(base))).toBeUndefined();
  });

  test('a signature for another purpose is no request, though it is good', () => {
    const text = '{"approval":"appr_1"}';
    const { signature } = signDecision({ canonicalBytes: new TextEncoder().encode(text), key });
    const asSigned = `agent-runtime decision v1\n${text}`;
    expect(isRequestSignature({ publicKey: key.publicKey, base: asSigned, signature })).toBe(false);
  });
});
