import { AppError } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey, signBytes } from '../key/index.ts';
import { contentDigest } from './content-digest.ts';
import { BOOT_HEADER, NonceCache, type RequestHeaders, verifyRequest } from './index.ts';
import { writeSignature } from './profile.ts';

// A signer that signs any form of RFC 9421, correctly: what is refused here is refused for its form, not for a
// signature that does not verify. It shares no code with the product but the raw RSA operation.
const NOW_MS = 1_795_219_200_000;
const BOOT_ID = 'boot_0123456789abcdef';
const body = new TextEncoder().encode('{"decision":"approve"}');
const VALUES: Readonly<Record<string, string>> = {
  '@method': 'POST',
  '@authority': 'admin.test:8443',
  '@path': '/admin/v1/approvals',
  '@query': '?limit=5',
  'content-digest': contentDigest(body),
  [BOOT_HEADER]: BOOT_ID,
  'content-type': 'application/json',
};
const COMPONENTS = Object.keys(VALUES).slice(0, 6);

let key: ClientKey;
let parameters: string[];
beforeAll(async () => {
  key = await newClientKey();
  parameters = [
    `created=${NOW_MS / 1000}`,
    'nonce="abcdefghijklmnopqrstuv"',
    `keyid="${key.keyId}"`,
    'alg="rsa-pss-sha512"',
    'tag="agent-runtime-admin"',
  ];
}, 60_000);

function signed(form: {
  components?: readonly string[];
  parameters?: readonly string[];
  label?: string;
}): RequestHeaders {
  const components = form.components ?? COMPONENTS;
  const label = form.label ?? 'sig';
  const list = components.map((name) => `"${name}"`).join(' ');
  const input = [`(${list})`, ...(form.parameters ?? parameters)].join(';');
  const lines = [...components, '@signature-params'].map((name) => `"${name}": ${VALUES[name] ?? input}`);
  const signature = signBytes(key.privateKey, new TextEncoder().encode(lines.join('\n')));
  return {
    'content-digest': VALUES['content-digest'],
    [BOOT_HEADER]: BOOT_ID,
    'content-type': 'application/json',
    'signature-input': `${label}=${input}`,
    signature: `${label}=:${Buffer.from(signature).toString('base64')}:`,
  };
}

/** The code of the AppError; anything else that is thrown fails the test. */
async function refusalOf(headers: RequestHeaders, nowMs = NOW_MS): Promise<string> {
  const target = {
    method: 'POST',
    path: '/admin/v1/approvals',
    query: '?limit=5',
    authority: 'admin.test:8443',
  };
  const lookupKey = (keyId: string) => (keyId === key.keyId ? key.publicKey : undefined);
  try {
    await verifyRequest({
      ...target,
      headers,
      body,
      bootId: BOOT_ID,
      nowMs,
      nonces: new NonceCache(),
      lookupKey,
    });
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'accepted';
}

const FORM = 'signature.form.unauthenticated';

describe('a correct signature of another form', () => {
  it('is told apart: the very form is accepted', async () => {
    expect(await refusalOf(signed({}))).toBe('accepted');
  });

  it.each(COMPONENTS)('is refused without %s', async (name) => {
    expect(await refusalOf(signed({ components: COMPONENTS.filter((other) => other !== name) }))).toBe(FORM);
  });

  it('is refused with components reordered, repeated, added, in capitals, with parameters, or none', async () => {
    const variants = [
      COMPONENTS.toReversed(),
      [...COMPONENTS.slice(1), '@method'],
      [...COMPONENTS, '@method'],
      [...COMPONENTS, 'content-type'],
      COMPONENTS.map((name) => name.toUpperCase()),
      COMPONENTS.map((name) => name.replace('content-digest', 'content-digest";sf;x="')),
      [],
    ];
    for (const components of variants) expect(await refusalOf(signed({ components }))).toBe(FORM);
  });

  it.each<[string, (list: readonly string[]) => string[]]>([
    ['reordered', (list) => list.toReversed()],
    ['doubled', (list) => [...list, 'tag="agent-runtime-admin"']],
    ['overridden', (list) => ['created=1', ...list]],
    ['added', (list) => [...list, 'extra=1']],
    ['spaced', (list) => list.map((item) => ` ${item}`)],
  ])('is refused with parameters %s', async (_name, change) => {
    expect(await refusalOf(signed({ parameters: change(parameters) }))).toBe(FORM);
  });

  it('is refused without any one parameter', async () => {
    for (const dropped of parameters) {
      expect(await refusalOf(signed({ parameters: parameters.filter((item) => item !== dropped) }))).toBe(
        FORM,
      );
    }
  });

  it.each([
    ['alg', 'alg="rsa-v1_5-sha256"'],
    ['alg', 'alg="hmac-sha256"'],
    ['alg', 'alg="RSA-PSS-SHA512"'],
    ['alg', 'alg=rsa-pss-sha512'],
    ['alg', 'alg="none"'],
    ['tag', 'tag="agent-runtime-public"'],
    ['tag', 'tag=""'],
    ['nonce', 'nonce=""'],
    ['nonce', 'nonce="short"'],
    ['nonce', `nonce="${'a'.repeat(65)}"`],
    ['nonce', 'nonce=:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg==:'],
    ['keyid', 'keyid=""'],
    ['keyid', `keyid="${'A'.repeat(44)}"`],
    ['created', 'created=01795219200'],
    ['created', 'created=1795219200.0'],
    ['created', 'created="1795219200"'],
    ['created', 'created=-1795219200'],
    ['created', 'created=@1795219200'],
    ['created', `created=${'9'.repeat(13)}`],
    ['created', 'created=1795219200;expires=1795219199'],
    ['created', 'created=1795219200;expires=1795219261'],
    ['created', 'created=1795219200;expires=1795219210;expires=1795219220'],
  ])('is refused when its %s is %s', async (name, value) => {
    const changed = parameters.map((item) => (item.startsWith(`${name}=`) ? value : item));
    expect(await refusalOf(signed({ parameters: changed }))).toBe(FORM);
  });

  it('is refused under another label, or beside a second signature', async () => {
    expect(await refusalOf(signed({ label: 'sig1' }))).toBe(FORM);
    const [one, two] = [signed({}), signed({ label: 'two' })];
    const both = (name: string): string => `${one[name]}, ${two[name]}`;
    expect(await refusalOf({ ...one, signature: both('signature') })).toBe(FORM);
    expect(await refusalOf({ ...one, 'signature-input': both('signature-input') })).toBe(FORM);
    const doubled = { ...one, signature: both('signature'), 'signature-input': both('signature-input') };
    expect(await refusalOf(doubled)).toBe(FORM);
  });

  it('is refused in another base64', async () => {
    const { signature, ...rest } = signed({});
    const variants = [
      `${String(signature).slice(0, -1)}=:`,
      String(signature).replace(':', ': '),
      `sig=:${'A'.repeat(511)}:`,
      `sig=:${'A'.repeat(516)}:`,
      `sig=:${'-'.repeat(512)}:`,
      'sig=::',
    ];
    for (const other of variants) expect(await refusalOf({ ...rest, signature: other })).toBe(FORM);
  });
});

describe('content digest', () => {
  it('may be sha-256, but one only and of this body', async () => {
    const sha256 = contentDigest(body, 'sha-256');
    const sha512 = contentDigest(body);
    const wrong = contentDigest(new Uint8Array());
    const outcomes: string[] = [];
    for (const digest of [
      sha256,
      `${sha512}, ${sha256}`,
      `${wrong}, ${sha512}`,
      wrong,
      sha512.toUpperCase(),
    ]) {
      const signer = signedWith(digest);
      outcomes.push(await refusalOf(signer));
    }
    const refused = 'signature.digest.unauthenticated';
    expect(outcomes).toEqual(['accepted', refused, refused, refused, refused]);
  });
});

function signedWith(digest: string): RequestHeaders {
  const input = [`(${COMPONENTS.map((name) => `"${name}"`).join(' ')})`, ...parameters].join(';');
  const values: Readonly<Record<string, string>> = { ...VALUES, 'content-digest': digest };
  const lines = [...COMPONENTS, '@signature-params'].map((name) => `"${name}": ${values[name] ?? input}`);
  const signature = signBytes(key.privateKey, new TextEncoder().encode(lines.join('\n')));
  return {
    'content-digest': digest,
    [BOOT_HEADER]: BOOT_ID,
    'signature-input': `sig=${input}`,
    signature: writeSignature(signature),
  };
}
