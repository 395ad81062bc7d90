import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, isSignedBy, newClientKey, parseKeyId } from '../key/index.ts';
import { contentDigest } from './content-digest.ts';
import {
  BOOT_HEADER,
  NonceCache,
  type RequestToSign,
  type RequestToVerify,
  SIGNATURE_WINDOW_MS,
  SOCKET_AUTHORITY,
  signRequest,
  verifyRequest,
} from './index.ts';

const NOW_MS = 1_795_219_200_000; // a whole second
const BOOT_ID = 'boot_0123456789abcdef';
const body = new TextEncoder().encode('{"decision":"approve"}');
const empty = new Uint8Array();

let key: ClientKey;
let other: ClientKey;
beforeAll(async () => {
  [key, other] = await Promise.all([newClientKey(), newClientKey()]);
}, 60_000);

function toSign(change: Partial<RequestToSign> = {}): RequestToSign {
  const target = {
    method: 'POST',
    path: '/admin/v1/approvals',
    query: '?limit=5',
    authority: 'admin.test:8443',
  };
  return { ...target, body, key, bootId: BOOT_ID, nowMs: NOW_MS, ...change };
}

/** What the server sees of a request signed by the client, with its own state fresh and its clock equal. */
function received(change: Partial<RequestToSign> = {}): RequestToVerify {
  const { method, path, query, authority, body: sent, bootId, nowMs, ...request } = toSign(change);
  const headers = signRequest({ ...request, method, path, query, authority, body: sent, bootId, nowMs });
  const lookupKey = (keyId: string) => (keyId === key.keyId ? key.publicKey : undefined);
  const nonces = new NonceCache();
  return {
    method,
    path,
    query,
    authority,
    body: sent,
    bootId,
    nowMs,
    headers: { ...headers },
    nonces,
    lookupKey,
  };
}

/** The code of the AppError; anything else that is thrown, and an accepted request, fail the test. */
async function refusalOf(request: RequestToVerify): Promise<string> {
  try {
    await verifyRequest(request);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('a signed request', () => {
  it('is accepted, with what the audit needs to check it again', async () => {
    const nonce = 'abcdefghijklmnopqrstuv';
    const request = received({ nonce });
    const verified = await verifyRequest(request);
    expect(verified).toMatchObject({ keyId: key.keyId, createdAtMs: NOW_MS, nonce });
    expect(isSignedBy(key.publicKey, verified.signatureBase, verified.signature)).toBe(true);
    expect(new TextDecoder().decode(verified.signatureBase).split('\n')).toEqual([
      '"@method": POST',
      '"@authority": admin.test:8443',
      '"@path": /admin/v1/approvals',
      '"@query": ?limit=5',
      `"content-digest": ${contentDigest(body)}`,
      `"x-agent-runtime-boot": ${BOOT_ID}`,
      '"@signature-params": ("@method" "@authority" "@path" "@query" "content-digest" "x-agent-runtime-boot")' +
        `;created=${NOW_MS / 1000};nonce="${nonce}";keyid="${key.keyId}"` +
        ';alg="rsa-pss-sha512";tag="agent-runtime-admin"',
    ]);
  });

  it.each<[string, Partial<RequestToSign>]>([
    ['an empty body', { body: empty, method: 'GET' }],
    ['no query', { query: '' }],
    ['the unix socket', { authority: SOCKET_AUTHORITY }],
    ['an IPv6 host', { authority: '[::1]:8443' }],
    ['an early end', { expiresAtMs: NOW_MS + 10_000 }],
    ['an escaped path', { path: '/admin/v1/files/a%20b/%2e%2e' }],
    ['a clock between two seconds', { nowMs: NOW_MS + 999 }],
  ])('is accepted with %s', async (_name, change) => {
    expect(await refusalOf(received(change))).toBe('accepted');
  });

  it('may spell the host in capitals and name the default port', async () => {
    const request = received({ authority: 'Admin.Test:443' });
    expect(await refusalOf({ ...request, authority: 'admin.test' })).toBe('accepted');
  });

  it('may carry a sha-256 digest only if that was signed', async () => {
    const request = received();
    const headers = { ...request.headers, 'content-digest': contentDigest(body, 'sha-256') };
    expect(await refusalOf({ ...request, headers })).toBe('signature.key.unauthenticated');
  });

  it('is accepted with keys looked up later and header names in any case', async () => {
    const request = received();
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toUpperCase(), value]),
    );
    const lookupKey = async (): Promise<typeof key.publicKey> => key.publicKey;
    expect(await refusalOf({ ...request, headers, lookupKey })).toBe('accepted');
  });
});

describe('a changed request is refused', () => {
  it.each<[string, Partial<RequestToVerify>, string]>([
    ['method', { method: 'PUT' }, 'key'],
    ['method in lower case', { method: 'post' }, 'form'],
    ['path', { path: '/admin/v1/approval' }, 'key'],
    ['path, another spelling', { path: '/admin/v1/%61pprovals' }, 'key'],
    ['path and query, moved', { path: '/admin/v1/approvals?limit=5', query: '' }, 'form'],
    ['query', { query: '?limit=6' }, 'key'],
    ['query, dropped', { query: '' }, 'key'],
    ['query, emptied', { query: '?' }, 'form'],
    ['authority', { authority: 'other.test:8443' }, 'key'],
    ['authority, the socket', { authority: SOCKET_AUTHORITY }, 'key'],
    ['body', { body: new TextEncoder().encode('{"decision":"deny"}') }, 'digest'],
    ['body, dropped', { body: empty }, 'digest'],
    ['boot id of the server', { bootId: 'boot_fedcba9876543210' }, 'boot'],
  ])('%s', async (_name, change, what) => {
    expect(await refusalOf({ ...received(), ...change })).toBe(`signature.${what}.unauthenticated`);
  });

  it('when a query is added to none, or the lone "?"', async () => {
    const request = received({ query: '' });
    expect(await refusalOf({ ...request, query: '?a' })).toBe('signature.key.unauthenticated');
    expect(await refusalOf({ ...request, query: '?' })).toBe('signature.form.unauthenticated');
  });

  it('body and digest together', async () => {
    const request = received();
    const headers = { ...request.headers, 'content-digest': contentDigest(empty) };
    expect(await refusalOf({ ...request, body: empty, headers })).toBe('signature.key.unauthenticated');
  });

  it('boot id of the header and the server together (a request from before a restart)', async () => {
    const bootId = 'boot_fedcba9876543210';
    const request = received();
    const headers = { ...request.headers, [BOOT_HEADER]: bootId };
    expect(await refusalOf({ ...request, headers, bootId })).toBe('signature.key.unauthenticated');
  });

  it.each(['content-digest', BOOT_HEADER, 'signature-input', 'signature'])(
    'when its %s is missing, doubled, listed twice, swapped or padded',
    async (name) => {
      const request = received();
      const value = request.headers[name];
      const swapped = received({ key: other, bootId: 'boot_fedcba9876543210', body: empty }).headers[name];
      const { [name]: _dropped, ...without } = request.headers;
      const variants = [
        without,
        { ...without, [name]: [] },
        { ...without, [name]: `${value}, ${value}` },
        { ...without, [name]: [String(value), String(value)] },
        { ...request.headers, [name.toUpperCase()]: value },
        { ...without, [name]: swapped },
        { ...without, [name]: ` ${value}` },
        { ...without, [name]: `${value} ` },
        { ...without, [name]: `${value}\n` },
        { ...without, [name]: '' },
      ];
      for (const headers of variants) {
        expect(await refusalOf({ ...request, headers })).toMatch(
          /^signature\.(form|digest|boot|key)\.unauthenticated$/,
        );
      }
    },
  );

  it('when it has no signature at all, saying how to enrol', async () => {
    const error = await verifyRequest({ ...received(), headers: {} }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'signature.request.unauthenticated', kind: 'unauthenticated' });
    expect(String(error)).toContain('enrol');
  });
});

describe('time', () => {
  it.each([
    ['60 s old', SIGNATURE_WINDOW_MS, 'accepted'],
    ['just over 60 s old', SIGNATURE_WINDOW_MS + 1, 'signature.clock.unauthenticated'],
    ['60 s ahead', -SIGNATURE_WINDOW_MS, 'accepted'],
    ['just over 60 s ahead', -SIGNATURE_WINDOW_MS - 1, 'signature.clock.unauthenticated'],
    ['a year old', 31_536_000_000, 'signature.clock.unauthenticated'],
    ['no number', Number.NaN, 'signature.clock.unauthenticated'],
  ])('%s', async (_name, ageMs, outcome) => {
    expect(await refusalOf({ ...received(), nowMs: NOW_MS + ageMs })).toBe(outcome);
  });

  it('ends early when the signer says so, and never later than the window', async () => {
    const request = received({ expiresAtMs: NOW_MS + 10_000 });
    expect(await refusalOf({ ...request, nowMs: NOW_MS + 10_000 })).toBe('accepted');
    const late = { ...received({ expiresAtMs: NOW_MS + 10_000 }), nowMs: NOW_MS + 10_001 };
    expect(await refusalOf(late)).toBe('signature.clock.unauthenticated');
  });
});

describe('replay', () => {
  it('is refused, also of two copies that arrive together', async () => {
    const request = received();
    const outcomes = await Promise.all([refusalOf(request), refusalOf(request), refusalOf(request)]);
    expect(outcomes.toSorted()).toEqual([
      'accepted',
      'signature.nonce.unauthenticated',
      'signature.nonce.unauthenticated',
    ]);
    expect(await refusalOf({ ...request, nowMs: NOW_MS + SIGNATURE_WINDOW_MS })).toBe(
      'signature.nonce.unauthenticated',
    );
  });

  it('is refused when a nonce comes under a new signature of the same key', async () => {
    const nonces = new NonceCache();
    const nonce = 'abcdefghijklmnopqrstuv';
    expect(await refusalOf({ ...received({ nonce }), nonces })).toBe('accepted');
    expect(await refusalOf({ ...received({ nonce, path: '/other' }), nonces })).toBe(
      'signature.nonce.unauthenticated',
    );
  });

  it('is refused after the server clock was set forth and back', async () => {
    const nonces = new NonceCache();
    const request = { ...received(), nonces };
    expect(await refusalOf(request)).toBe('accepted');
    const later = NOW_MS + 3_600_000;
    expect(await refusalOf({ ...received({ nowMs: later }), nonces })).toBe('accepted');
    expect(await refusalOf(request)).toBe('signature.clock.unauthenticated');
  });

  it('memory when full refuses new requests and says when to come back', async () => {
    const nonces = new NonceCache({ capacity: 1 });
    expect(await refusalOf({ ...received(), nonces })).toBe('accepted');
    const error = await verifyRequest({ ...received(), nonces }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'signature.nonce.exhausted',
      kind: 'exhausted',
      retryAfterMs: 60_000,
    });
  });

  it('memory takes nothing from whoever cannot sign', async () => {
    const nonces = new NonceCache();
    const request = { ...received(), nonces };
    await refusalOf({ ...request, path: '/other' });
    await refusalOf({ ...request, lookupKey: () => undefined });
    expect(nonces.size).toBe(0);
  });
});

describe('keys', () => {
  it('unknown and wrong ones get the same answer', async () => {
    const unknown = await verifyRequest(received({ key: other })).catch((thrown: unknown) => thrown);
    const impostor = { ...other, keyId: key.keyId };
    const wrong = await verifyRequest(received({ key: impostor })).catch((thrown: unknown) => thrown);
    expect(unknown).toMatchObject({ code: 'signature.key.unauthenticated', kind: 'unauthenticated' });
    expect(wrong).toMatchObject({ code: 'signature.key.unauthenticated', kind: 'unauthenticated' });
    expect(String(unknown)).toBe(String(wrong));
  });

  it('a lookup that gives another key than asked for is a bug, not an open door', async () => {
    const impostor = { ...other, keyId: key.keyId };
    const request = { ...received({ key: impostor }), lookupKey: () => other.publicKey };
    expect(await refusalOf(request)).toBe('signature.lookup.bug');
  });

  it('a stored key of a shape we do not accept is not used', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    expect(await refusalOf({ ...received(), lookupKey: () => weak })).toBe('signature.lookup.bug');
  });

  it('a lookup that fails refuses, and keeps its own AppError if it has one', async () => {
    const lookupKey = (): never => {
      throw new Error('disk on fire');
    };
    expect(await refusalOf({ ...received(), lookupKey })).toBe('signature.lookup.unavailable');
    const revoked = new AppError({ code: 'key.revoked.denied', kind: 'denied', message: 'Revoked.' });
    const rejecting = { ...received(), lookupKey: () => Promise.reject(revoked) };
    expect(await refusalOf(rejecting)).toBe('key.revoked.denied');
  });

  it('a server without a usable boot id accepts nothing', async () => {
    const request = received();
    const headers = { ...request.headers, [BOOT_HEADER]: '' };
    expect(await refusalOf({ ...request, headers, bootId: '' })).toBe('signature.boot.bug');
  });

  it('sign the same with a key that went through PEM', async () => {
    const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const privateKey = createPrivateKey(pem);
    const copy = { keyId: parseKeyId(key.keyId), privateKey, publicKey: createPublicKey(privateKey) };
    expect(await refusalOf(received({ key: copy }))).toBe('accepted');
  });
});
