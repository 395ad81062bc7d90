import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey } from '../key/index.ts';
import { type RequestToSign, signRequest } from './index.ts';

const NOW_MS = 1_795_219_200_000;
const BOOT_ID = 'boot_0123456789abcdef';

let key: ClientKey;
beforeAll(async () => {
  key = await newClientKey();
}, 60_000);

function toSign(change: Partial<RequestToSign> = {}): RequestToSign {
  const target = {
    method: 'POST',
    path: '/admin/v1/approvals',
    query: '?limit=5',
    authority: 'admin.test:8443',
  };
  return { ...target, body: new Uint8Array(), key, bootId: BOOT_ID, nowMs: NOW_MS, ...change };
}

describe('signing refuses', () => {
  it.each<[string, Partial<RequestToSign>]>([
    ['a line break in the path', { path: '/a\n"@query": ?b' }],
    ['a path with a query', { path: '/a?b' }],
    ['a relative path', { path: 'a' }],
    ['a lone "?"', { query: '?' }],
    ['a query without "?"', { query: 'a=b' }],
    ['a fragment', { query: '?a#b' }],
    ['text beyond ASCII', { path: '/ä' }],
    ['a method in lower case', { method: 'get' }],
    ['a line break in the host', { authority: 'a.test\nb' }],
    ['an empty host', { authority: '' }],
    ['a user in the host', { authority: 'user@a.test' }],
    ['a short boot id', { bootId: 'boot_1' }],
    ['a line break in the boot id', { bootId: `${BOOT_ID}\n` }],
    ['a short nonce', { nonce: 'abc' }],
    ['a nonce with a quote', { nonce: `abcdefghijklmnopqrstuv"` }],
    ['a clock that is no number', { nowMs: Number.NaN }],
    ['a clock before 1970', { nowMs: -1 }],
    ['an end before the start', { expiresAtMs: NOW_MS - 1_000 }],
    ['an end beyond the window', { expiresAtMs: NOW_MS + 61_000 }],
    ['a request that is signed already', { headers: { Signature: 'sig=::' } }],
  ])('%s', (_name, change) => {
    const refused = expect.objectContaining({ code: 'signature.target.invalid', kind: 'invalid' });
    expect(() => signRequest(toSign(change))).toThrow(refused);
  });

  it('nothing else: each request gets a nonce of its own', () => {
    const inputs = [signRequest(toSign()), signRequest(toSign())].map((added) => added['signature-input']);
    expect(new Set(inputs).size).toBe(2);
  });
});
