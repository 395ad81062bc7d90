// OpenSSL's view, by real handshakes over loopback: what we make is taken by a TLS listener that asks for certificates,
// and what we refuse does not even get through it in the simple cases.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { parseId } from '@agent-runtime/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey } from '../key/index.ts';
import {
  type Ca,
  type Issued,
  issueClientCert,
  issueProxyCert,
  issueServerCert,
  newCa,
  verifyClientCert,
  verifyServerCert,
} from './index.ts';

const PATIENT = { timeout: 120_000 };
const DAY_MS = 86_400_000;
// OpenSSL compares dates with the clock of the machine, so these tests have to.
const NOW_MS = Date.now();
const instanceId = 'instance-1';
const userId = parseId('user', 'user_0123456789');

let ca: Ca;
let old: Ca;
let foreign: Ca;
let key: ClientKey;
let serverKey: ClientKey;
let listener: Server;
let port: number;

/** What the listener saw: the certificate of a finished handshake, or the error code of a failed one. */
type Seen = { readonly certDer: Uint8Array } | { readonly code: string };
let saw: (seen: Seen) => void = () => undefined;

beforeAll(async () => {
  const commonName = 'agent-runtime CA';
  [old, ca, foreign, key, serverKey] = await Promise.all([
    newCa({ commonName, nowMs: NOW_MS - 300 * DAY_MS }),
    newCa({ commonName, nowMs: NOW_MS }),
    newCa({ commonName, nowMs: NOW_MS }),
    newClientKey(),
    newClientKey(),
  ]);
  const { pem } = serverCert(ca);
  listener = createServer({
    key: pemOf(serverKey),
    cert: pem,
    ca: [ca.cert.pem, old.cert.pem],
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  });
  listener.on('secureConnection', (socket) => {
    saw({ certDer: new Uint8Array(socket.getPeerCertificate().raw) });
    socket.end('welcome');
  });
  listener.on('tlsClientError', (error: NodeJS.ErrnoException, { authorizationError }) =>
    saw({ code: String(authorizationError ?? error.code) }),
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  port = (listener.address() as AddressInfo).port; // safe: a TCP listener has one
}, PATIENT.timeout);
afterAll(async () => {
  await new Promise((resolve) => listener.close(resolve));
});

const pemOf = ({ privateKey }: ClientKey): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const serverCert = (by: Ca, { publicKey } = serverKey): Issued =>
  issueServerCert({
    ca: by,
    publicKey,
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    nowMs: NOW_MS,
  });
const clientCert = (by: Ca, nowMs = NOW_MS): Issued =>
  issueClientCert({ ca: by, publicKey: key.publicKey, subject: { instanceId, userId }, nowMs });

/** Dials, and tells what the listener saw and what the client did. */
async function dial(
  cert: string | undefined,
  trusted: readonly Ca[] = [ca],
): Promise<{
  readonly seen: Seen | undefined;
  readonly client: string;
  readonly serverDer: Uint8Array | undefined;
}> {
  let seen: Seen | undefined;
  const seenOnce = new Promise<void>((resolve) => {
    saw = (what) => {
      seen = what;
      resolve();
    };
  });
  const identity = cert === undefined ? {} : { cert, key: pemOf(key) };
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    ca: trusted.map((one) => one.cert.pem),
    minVersion: 'TLSv1.3',
    ...identity,
  });
  let serverDer: Uint8Array | undefined;
  let received = '';
  const client = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => {
      serverDer = new Uint8Array(socket.getPeerCertificate().raw);
    });
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('end', () => resolve(received));
  });
  await seenOnce;
  socket.destroy();
  return { seen, client, serverDer };
}

describe('a TLS 1.3 listener that asks for a certificate', PATIENT, () => {
  it('is reached with ours; both sides then find the exact profile', async () => {
    const { seen, client, serverDer } = await dial(clientCert(ca).pem);
    expect(client).toBe('welcome');
    expect(seen).toHaveProperty('certDer');
    const roots = [ca.cert];
    const certDer = seen !== undefined && 'certDer' in seen ? seen.certDer : new Uint8Array();
    expect(verifyClientCert({ certDer, roots, instanceId, nowMs: NOW_MS })).toMatchObject({
      userId,
      keyId: key.keyId,
    });
    const server = { certDer: serverDer ?? new Uint8Array(), roots, host: '127.0.0.1', nowMs: NOW_MS };
    expect(verifyServerCert(server)).toMatchObject({ keyId: serverKey.keyId });
  });

  it('is reached with a certificate of the CA before, during a rollover', async () => {
    expect((await dial(clientCert(old).pem)).seen).toHaveProperty('certDer');
  });

  // In TLS 1.3 a client learns that it was refused after its own side of the handshake is done: it gets no word of ours.
  it.each<readonly [string, RegExp, () => string | undefined]>([
    ['none', /DID_NOT_RETURN_A_CERTIFICATE/, () => undefined],
    ['one of a foreign CA of the same name', /UNABLE_TO|SIGNATURE/, () => clientCert(foreign).pem],
    ['one that is over', /CERT_HAS_EXPIRED/, () => clientCert(old, NOW_MS - 40 * DAY_MS).pem],
    ['one that has not begun', /CERT_NOT_YET_VALID/, () => clientCert(ca, NOW_MS + DAY_MS).pem],
    ['the certificate of a server', /INVALID_PURPOSE/, () => serverCert(ca, key).pem],
  ])('is not reached with %s', async (_what, code, cert) => {
    const { seen, client } = await dial(cert());
    expect(seen).toMatchObject({ code: expect.stringMatching(code) });
    expect(client).not.toBe('welcome');
  });

  it('is reached with the certificate of the proxy, which is then no person', async () => {
    const { pem } = issueProxyCert({ ca, publicKey: key.publicKey, instanceId, nowMs: NOW_MS });
    const { seen } = await dial(pem);
    const certDer = seen !== undefined && 'certDer' in seen ? seen.certDer : new Uint8Array();
    const check = () => verifyClientCert({ certDer, roots: [ca.cert], instanceId, nowMs: NOW_MS });
    expect(certDer.length).toBeGreaterThan(1_000);
    expect(check).toThrow(expect.objectContaining({ code: 'certificate.client.unauthenticated' }));
  });

  it('is not believed by a client that trusts another CA of the same name', async () => {
    const { client } = await dial(clientCert(ca).pem, [foreign]);
    expect(client).toMatch(/SELF_SIGNED|UNABLE_TO|SIGNATURE|ERR_SSL/);
  });
});
