import { AppError } from '@agent-runtime/domain';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey } from '../key/index.ts';
import { BOOT_HEADER, NonceCache, type RequestHeaders, signRequest, verifyRequest } from './index.ts';
import { readSignature, readSignatureInput, writeSignature, writeSignatureInput } from './profile.ts';

const REQUEST = {
  method: 'POST',
  path: '/admin/v1/approvals',
  query: '?limit=5',
  authority: 'admin.test:8443',
  body: new TextEncoder().encode('{"decision":"approve"}'),
  bootId: 'boot_0123456789abcdef',
  nowMs: 1_795_219_200_000,
};

let key: ClientKey;
let valid: RequestHeaders;
beforeAll(async () => {
  key = await newClientKey();
  valid = { ...signRequest({ ...REQUEST, key }) };
}, 60_000);

/** The code of the AppError; anything else that is thrown fails the test. */
async function refusalOf(headers: RequestHeaders): Promise<string> {
  const lookupKey = (keyId: string) => (keyId === key.keyId ? key.publicKey : undefined);
  try {
    await verifyRequest({ ...REQUEST, headers, nonces: new NonceCache(), lookupKey });
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'accepted';
}

it('the headers that are mutated below are accepted as they are', async () => {
  expect(await refusalOf(valid)).toBe('accepted');
});

describe('fuzz: nothing but AppError, and no accept', () => {
  const HEADERS = ['content-digest', BOOT_HEADER, 'signature-input', 'signature'];
  const piece = fc.constantFrom(
    ...[
      'sig',
      'sig1',
      '=',
      '(',
      ')',
      ';',
      ',',
      ' ',
      '\t',
      '\n',
      '"',
      '\\',
      ':',
      '?1',
      '@1',
      '%"a"',
      '*',
      '-',
    ],
    ...[
      '"@method"',
      '"@path"',
      '"@query"',
      'created=1795219200',
      'nonce="abcdefghijklmnopqrstuv"',
      'YQ==',
      '\u0000',
    ],
    ...[
      'alg="rsa-pss-sha512"',
      'tag="agent-runtime-admin"',
      'expires=1795219200',
      'é',
      '\ud800',
      '9'.repeat(20),
    ],
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
    fc.array(fc.string({ maxLength: 10 }), { maxLength: 3 }),
  );

  it('random values in any of the headers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...HEADERS), value, { minKeys: 1 }), async (changes) => {
        expect(await refusalOf({ ...valid, ...changes })).toMatch(/^signature\.[a-z]+\.unauthenticated$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('one character replaced, removed, added or doubled', async () => {
    const edit = fc.record({
      name: fc.constantFrom(...HEADERS),
      at: fc.nat(800),
      removed: fc.nat(2),
      added: fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 1 })),
    });
    await fc.assert(
      fc.asyncProperty(edit, async ({ name, at, removed, added }) => {
        const before = String(valid[name]);
        const start = at % (before.length + 1);
        const after = before.slice(0, start) + added + before.slice(start + removed);
        fc.pre(after !== before);
        expect(await refusalOf({ ...valid, [name]: after })).toMatch(/^signature\.[a-z]+\.unauthenticated$/);
      }),
      { numRuns: 3_000 },
    );
  });

  it('what is read is exactly what would be written', () => {
    const wide = fc
      .oneof(
        value,
        piece.map((text) => `sig=${text}`),
      )
      .map(String);
    fc.assert(
      fc.property(wide, (text) => {
        const input = readSignatureInput(text);
        if (input !== undefined) expect(writeSignatureInput(input)).toBe(text);
        const signature = readSignature(text);
        if (signature !== undefined) expect(writeSignature(signature)).toBe(text);
      }),
    );
    const { 'signature-input': input, signature } = signRequest({
      ...REQUEST,
      key,
      expiresAtMs: REQUEST.nowMs,
    });
    const parsed = readSignatureInput(input);
    expect(parsed && writeSignatureInput(parsed)).toBe(input);
    expect(writeSignature(readSignature(signature) ?? new Uint8Array())).toBe(signature);
  });
});
