import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ADMIN_PREFIX, ADMIN_ROUTES } from '@agent-runtime/domain';
import { BOOT_HEADER, type ClientKey, newClientKey, signRequest } from '@agent-runtime/pki';
import { issueClientCert, issueServerCert, newCa } from '@agent-runtime/pki/certificate';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AUTHORITY, type DoorWorld, LORD, MEMBER, makeDoor, sharedKey } from './admin.fixture.ts';
import { CERTIFICATE_HEADER } from './certificate-check.ts';
import { certified, derOf, foreign, INSTANCE } from './tls.fixture.ts';

const DAY_MS = 86_400_000;
const PATH = ADMIN_PREFIX + ADMIN_ROUTES['user.add'].path;
const BODY = '{"name":"eve"}';

/** A request as it goes over the wire; `user.add` by default, so that an accepted one would leave a trace. */
interface Wire {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

let key: ClientKey;
let other: ClientKey;
let stranger: ClientKey;
let door: DoorWorld;
let server: Server;
let port: number;
let agent: Agent;
let good: string;
let theirs: string;

beforeAll(async () => {
  [key, other, stranger] = await Promise.all([sharedKey(), newClientKey(), newClientKey()]);
  door = await makeDoor(key, 'proxy');
  await door.enrolled(other, MEMBER);
  good = base64((await certified(door, key, LORD)).der);
  theirs = base64((await certified(door, other, MEMBER)).der);
  // A listener that lets every connection in, behind our own proxy's certificate: only the runtime's checks are left.
  const { certPem, keyPem } = door.ca.server();
  server = createServer(
    { cert: certPem, key: keyPem, requestCert: true, rejectUnauthorized: false, maxHeaderSize: 64 * 1024 },
    getRequestListener((incoming, env) => door.app.fetch(incoming, env), { overrideGlobalObjects: false }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  port = (server.address() as AddressInfo).port; // safe: it listens on TCP
  const upstream = door.ca.proxy()?.upstream;
  agent = new Agent({
    keepAlive: true,
    maxSockets: 4,
    cert: upstream?.certPem,
    key: upstream?.keyPem,
    rejectUnauthorized: false,
  });
}, 60_000);
afterAll(async () => {
  agent.destroy();
  server.close();
  await door.opened.close();
});

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A perfectly signed request, then changed. */
function signed(how: Partial<Parameters<typeof signRequest>[0]> = {}, change: Partial<Wire> = {}): Wire {
  const headers = signRequest({
    method: 'POST',
    path: PATH,
    query: '',
    authority: AUTHORITY,
    body: new TextEncoder().encode(BODY),
    key,
    bootId: door.parts.about.bootId,
    nowMs: door.clock.nowMs(),
    ...how,
  });
  return { method: 'POST', path: PATH, body: BODY, ...change, headers: { ...headers, ...change.headers } };
}

function send(wire: Wire): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        agent,
        method: wire.method,
        path: wire.path,
        headers: { ...wire.headers, 'content-length': String(Buffer.byteLength(wire.body)) },
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    outgoing.once('error', reject);
    outgoing.end(wire.body);
  });
}

const withCertificate = (wire: Wire, certificate: string | undefined): Wire => ({
  ...wire,
  headers: {
    ...wire.headers,
    ...(certificate === undefined ? {} : { [CERTIFICATE_HEADER]: certificate }),
  },
});

/** Certificates that must open nothing, each one step away from a good one. */
async function badCertificates(): Promise<readonly (readonly [string, string | undefined])[]> {
  const nowMs = door.clock.nowMs();
  const subject = { instanceId: INSTANCE, userId: LORD };
  const issueAt = async (atMs: number): Promise<string> => {
    const publicKeyPem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const made = await door.ca.issue({ publicKeyPem, user: LORD, nowMs: atMs });
    await door.opened.store.commit({ action: 'test.change', actor: 'test', subject: 'x' }, async (tx) =>
      tx.insert('identity_certificate', {
        id: made.id,
        key: key.keyId,
        user: LORD,
        issuer: made.issuer,
        createdAt: atMs,
        expiresAt: made.expiresAt,
      }),
    );
    return base64(derOf(made.pem));
  };
  const revoked = await certified(door, key, LORD);
  const rowless = await certified(door, key, LORD);
  const movedRow = await certified(door, key, LORD);
  await door.opened.store.commit({ action: 'test.change', actor: 'test', subject: 'x' }, async (tx) => {
    await tx.update('identity_certificate', { id: revoked.serial }, { revokedAt: 1 });
    await tx.remove('identity_certificate', { id: rowless.serial });
    await tx.update('identity_certificate', { id: movedRow.serial }, { user: MEMBER });
  });
  const abroad = await foreign(key, LORD, nowMs);
  const rogue = await newCa({ commonName: 'agent-runtime 2026-11-21', nowMs });
  const issuedBy = (instanceId: string) =>
    base64(
      issueClientCert({ ca: rogue, publicKey: key.publicKey, subject: { ...subject, instanceId }, nowMs })
        .der,
    );
  const ca = derOf(door.ca.trusted(nowMs)[0]?.pem ?? '');
  const der = Buffer.from(good, 'base64');
  const list: (readonly [string, string | undefined])[] = [
    ['none', undefined],
    ['an empty one', ''],
    ['of another CA', base64(derOf(abroad.client.certPem ?? ''))],
    ['of another proxy', base64(derOf(abroad.proxy.certPem ?? ''))],
    ['of a rogue CA', issuedBy(INSTANCE)],
    ['of a rogue CA for another instance', issuedBy('instance-2')],
    ['the rogue CA itself', base64(rogue.cert.der)],
    ['expired', await issueAt(nowMs - 31 * DAY_MS)],
    ['not yet good', await issueAt(nowMs + 2 * DAY_MS)],
    ['revoked', base64(revoked.der)],
    ['never given out', base64(rowless.der)],
    ['given to somebody else', base64(movedRow.der)],
    ['of another person', theirs],
    ['of the listener', base64(derOf(door.ca.server().certPem))],
    ['of the proxy', base64(derOf(door.ca.proxy()?.upstream.certPem ?? ''))],
    ['of the admin host', base64(derOf(door.ca.proxy()?.admin.certPem ?? ''))],
    ['our CA itself', base64(ca)],
    [
      'of a server by a rogue CA',
      base64(
        issueServerCert({
          ca: rogue,
          publicKey: key.publicKey,
          nowMs,
          dnsNames: ['localhost'],
          ipAddresses: [],
        }).der,
      ),
    ],
    ['two of them', `${good},${theirs}`],
    ['the good one after another', `${theirs}, ${good}`],
    ['base64 with a space', `${good.slice(0, 40)} ${good.slice(40)}`],
    ['URL-safe base64', good.replaceAll('+', '-').replaceAll('/', '_')],
    ['PEM in one line', `-----BEGIN CERTIFICATE----- ${good} -----END CERTIFICATE-----`],
    ['hex', der.toString('hex')],
    ['with the CA behind it', base64(Buffer.concat([der, ca]))],
    ['behind the CA', base64(Buffer.concat([ca, der]))],
    ['with a byte more', base64(Buffer.concat([der, Buffer.of(0)]))],
  ];
  for (let at = 1; at < 24; at += 1)
    list.push([`cut at ${at}/24`, base64(der.subarray(0, Math.floor((der.length * at) / 24)))]);
  for (let at = 0; at < 80; at += 1) {
    const changed = Buffer.from(der);
    const where = Math.floor((der.length * at) / 80);
    changed[where] = (changed[where] ?? 0) ^ (1 << (at % 8));
    list.push([`bit ${at % 8} of byte ${where} flipped`, base64(changed)]);
  }
  return list;
}

/** Requests whose signature must not be believed, each one step away from a good one. */
function badRequests(): readonly (readonly [string, Wire])[] {
  const nowMs = door.clock.nowMs();
  const sample = signed();
  const replayed = signed({ nonce: 'aaaaaaaaaaaaaaaaaaaaaa' });
  const header = (change: Readonly<Record<string, string>>): Wire => signed({}, { headers: change });
  const without = (name: string): Wire => {
    const { [name]: _gone, ...headers } = sample.headers;
    return { ...sample, headers };
  };
  const input = sample.headers['signature-input'] ?? '';
  const signature = sample.headers.signature ?? '';
  const list: (readonly [string, Wire])[] = [
    ['unsigned', { method: 'POST', path: PATH, body: BODY, headers: {} }],
    ['by an unknown key', signed({ key: stranger })],
    ['by the key of another person', signed({ key: other })],
    ['with another body', signed({}, { body: '{"name":"mal"}' })],
    ['with a body more', signed({ body: new Uint8Array() })],
    ['with no body', signed({}, { body: '' })],
    ['to another path', signed({ path: `${ADMIN_PREFIX}/panic/off` })],
    ['with a query more', signed({}, { path: `${PATH}?x=1` })],
    ['with an empty query more', signed({}, { path: `${PATH}?` })],
    ['with a doubled slash', signed({}, { path: PATH.replace('/user', '//user') })],
    ['with an encoded path', signed({}, { path: PATH.replace('user', '%75ser') })],
    ['with a slash more', signed({}, { path: `${PATH}/` })],
    ['by another method', signed({ method: 'PUT' })],
    ['for another host', signed({ authority: 'other.example:8443' })],
    ['for the socket', signed({ authority: 'socket.agent-runtime.invalid' })],
    ['for another port', signed({ authority: 'admin.example' })],
    ['two minutes old', signed({ nowMs: nowMs - 120_000 })],
    ['two minutes ahead', signed({ nowMs: nowMs + 120_000 })],
    ['a year old', signed({ nowMs: nowMs - 365 * DAY_MS })],
    ['of another boot', signed({ bootId: 'boot-0000000000000000' })],
    ['with the boot id changed', header({ [BOOT_HEADER]: 'boot-0000000000000000' })],
    ['without boot id', without(BOOT_HEADER)],
    ['without digest', without('content-digest')],
    ['without signature', without('signature')],
    ['without its input', without('signature-input')],
    ['with another digest', header({ 'content-digest': 'sha-512=:AAAA:' })],
    ['with an empty signature', header({ signature: '' })],
    ['with a short signature', header({ signature: 'sig=:AAAA:' })],
    ['with two signatures', header({ signature: `${signature}, ${signature}` })],
    ['with another label', header({ signature: signature.replace('sig=', 'gis=') })],
    ['with two inputs', header({ 'signature-input': `${input}, ${input}` })],
    ['covering less', header({ 'signature-input': input.replace(' "content-digest"', '') })],
    ['covering nothing', header({ 'signature-input': input.replace(/\(.*\)/, '()') })],
    ['covering the path only', header({ 'signature-input': input.replace(/\(.*\)/, '("@path")') })],
    ['of another algorithm', header({ 'signature-input': input.replace('rsa-pss-sha512', 'hmac-sha256') })],
    ['of no algorithm', header({ 'signature-input': input.replace(';alg="rsa-pss-sha512"', '') })],
    ['of another tag', header({ 'signature-input': input.replace('agent-runtime-admin', 'other') })],
    [
      'made later',
      header({ 'signature-input': input.replace(/created=\d+/, `created=${Math.floor(nowMs / 1000) + 1}`) }),
    ],
    [
      'with another nonce',
      header({ 'signature-input': input.replace(/nonce="[^"]+"/, 'nonce="bbbbbbbbbbbbbbbbbbbbbb"') }),
    ],
    ['of another key id', header({ 'signature-input': input.replace(key.keyId, other.keyId) })],
    ['as bearer token', { ...sample, headers: { authorization: `Bearer ${signature}` } }],
    ['replayed', replayed],
  ];
  const bytes = Buffer.from(signature.replace(/^sig=:|:$/g, ''), 'base64');
  for (let at = 0; at < 48; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at * 8] = (changed[at * 8] ?? 0) ^ (1 << (at % 8));
    list.push([
      `bit ${at % 8} of byte ${at * 8} flipped`,
      header({ signature: `sig=:${changed.toString('base64')}:` }),
    ]);
  }
  return list;
}

/** What proxies say of clients; our listener believes none of it. */
const FORGED = [
  'x-ssl-client-verify',
  'x-ssl-client-cert',
  'x-ssl-client-s-dn',
  'x-client-cert',
  'x-client-verify',
  'x-client-subject',
  'x-client-cert-verified',
  'x-client-certificate',
  'x-forwarded-client-cert',
  'x-forwarded-tls-client-cert',
  'ssl-client-cert',
  'ssl-client-verify',
  'x-arr-clientcert',
  'x-amzn-mtls-clientcert',
  'x-amzn-mtls-clientcert-leaf',
  'client-cert',
  'client-cert-chain',
  'x-remote-user',
  'remote-user',
  'x-forwarded-user',
  'x-auth-request-user',
  'x-user',
  'x-webauth-user',
  'x-real-ip',
  'x-forwarded-for',
  'forwarded',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
  'authorization',
];

describe('hostile requests', { timeout: 300_000 }, () => {
  test('none is accepted, whatever single layer still looks right', async () => {
    expect(await send(withCertificate(signed(), good))).toBe(200);
    await door.opened.store.commit({ action: 'test.change', actor: 'test', subject: 'x' }, async (tx) =>
      tx.remove('identity_user', { name: 'eve' }),
    );
    const certificates = await badCertificates();
    const requests = badRequests();
    // Seen once, so that the one below is a replay.
    await send(withCertificate(requests.find(([name]) => name === 'replayed')?.[1] ?? signed(), good));
    await door.opened.store.commit({ action: 'test.change', actor: 'test', subject: 'x' }, async (tx) =>
      tx.remove('identity_user', { name: 'eve' }),
    );
    const tries: (readonly [string, Wire])[] = [
      ...certificates.map(([name, one]): readonly [string, Wire] => [
        `certificate ${name}`,
        withCertificate(signed(), one),
      ]),
      ...requests.map(([name, one]): readonly [string, Wire] => [
        `request ${name}`,
        withCertificate(one, good),
      ]),
      ...certificates.flatMap(([name, one], at): (readonly [string, Wire])[] => {
        const [what, wire] = requests[at % requests.length] ?? ['unsigned', signed()];
        return [[`certificate ${name}, request ${what}`, withCertificate(wire, one)]];
      }),
      ...FORGED.flatMap((name): (readonly [string, Wire])[] => [
        [`${name}, no signature`, { method: 'POST', path: PATH, body: BODY, headers: { [name]: good } }],
        [
          `${name}, no certificate`,
          signed({}, { headers: { [name]: name === 'x-forwarded-client-cert' ? `Cert=${good}` : good } }),
        ],
      ]),
    ];
    const accepted: string[] = [];
    for (const [name, wire] of tries) {
      const status = await send(wire);
      if (![400, 401, 404].includes(status)) accepted.push(`${name}: ${status}`);
    }
    expect(accepted).toEqual([]);
    expect(await door.opened.store.read.get('identity_user', { name: 'eve' })).toBeUndefined();
    expect(await door.opened.store.read.get('identity_user', { name: 'mal' })).toBeUndefined();
    expect(tries.length).toBeGreaterThanOrEqual(300);
    console.info(`hostile admin requests: ${tries.length} of ${tries.length} refused`);
    // And the good one still passes: the door was not simply shut.
    expect(await send(withCertificate(signed(), good))).toBe(200);
  });
});
