import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserId } from '@agent-runtime/domain';
import { type ClientKey, newClientKey } from '@agent-runtime/pki';
import { type Ca, issueClientCert, issueServerCert, newCa } from '@agent-runtime/pki/certificate';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from './connect.ts';
import { type KeyStore, keyStore } from './key-store.ts';
import { tlsClient } from './tls-client.ts';

const DAY_MS = 86_400_000;
const USER = 'user_00000000000000000009' as UserId; // safe: alphabet of ids
const NOW = Date.now();

let ca: Ca;
let otherCa: Ca;
let key: ClientKey;
let serverKey: ClientKey;
let folder: string;
let keys: KeyStore;
let server: Server;
let url: string;
/** Paths and how they were signed. */
let seen: { readonly path: string; readonly isSigned: boolean; readonly peer: string }[];
let renewals: number;

beforeAll(async () => {
  const named = (commonName: string) => newCa({ commonName, nowMs: NOW - 60 * DAY_MS });
  [ca, otherCa, key, serverKey] = await Promise.all([
    named('agent-runtime 1'),
    named('agent-runtime 2'),
    newClientKey(),
    newClientKey(),
  ]);
}, 60_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-client-'));
  keys = keyStore(join(folder, 'config'));
  seen = [];
  renewals = 0;
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const clientCert = (nowMs: number): string =>
  issueClientCert({
    ca,
    publicKey: key.publicKey,
    subject: { instanceId: 'instance-1', userId: USER },
    nowMs,
  }).pem;

/** A runtime that greets, renews, and answers an empty list to the rest. */
async function serve(
  by: Ca,
  dnsNames: readonly string[] = ['localhost'],
  ipAddresses = ['127.0.0.1'],
): Promise<void> {
  const shown = issueServerCert({
    ca: by,
    publicKey: serverKey.publicKey,
    dnsNames,
    ipAddresses,
    nowMs: NOW,
  });
  const keyPem = serverKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  server = createServer(
    { cert: shown.pem, key: keyPem, ca: ca.cert.pem, requestCert: true, rejectUnauthorized: true },
    (incoming, outgoing) => {
      const socket = incoming.socket as import('node:tls').TLSSocket; // safe: a TLS server
      seen.push({
        path: incoming.url ?? '',
        isSigned: incoming.headers.signature !== undefined,
        peer: socket.getPeerX509Certificate()?.serialNumber ?? '',
      });
      incoming.resume();
      incoming.once('end', () => {
        outgoing.setHeader('content-type', 'application/json');
        outgoing.end(JSON.stringify(answerTo(incoming.url ?? '')));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  url = `https://localhost:${(server.address() as AddressInfo).port}`; // safe: it listens on TCP
}

function answerTo(path: string): object {
  if (path === '/admin/v1/hello')
    return {
      instance_id: 'instance-1',
      version: '1',
      boot_id: 'boot-0000000000000001',
      server_time: new Date(NOW).toISOString(),
    };
  if (path !== '/admin/v1/certificate/renew') return { items: [] };
  renewals += 1;
  return {
    certificate: clientCert(NOW),
    authorities: [otherCa.cert.pem, ca.cert.pem],
    expires_at: new Date(NOW + 30 * DAY_MS).toISOString(),
  };
}

function enrolled(certificatePem: string, authorities = [ca.cert.pem]): void {
  keys.save('instance-1', key);
  keys.saveCredentials('instance-1', { certificatePem, authorityPems: authorities, adminUrl: url });
}

const client = () => tlsClient({ instanceId: 'instance-1', keys, nowMs: () => NOW });

describe('a client over TLS', { timeout: 60_000 }, () => {
  test('greets unsigned, and signs everything else', async () => {
    await serve(ca);
    enrolled(clientCert(NOW));
    await (await client()).call('user.list', {});
    expect(seen.map(({ path, isSigned }) => [path, isSigned])).toEqual([
      ['/admin/v1/hello', false],
      ['/admin/v1/user', true],
    ]);
    await (await client()).callUnsigned('user.list', {});
    expect(seen.at(-1)?.isSigned).toBe(true);
  });

  test.each([
    ['of another CA', () => serve(otherCa)],
    ['for another name', () => serve(ca, ['elsewhere.example'], [])],
  ])('says nothing to a server %s', async (_name, start) => {
    await start();
    enrolled(clientCert(NOW));
    await expect((await client()).call('user.list', {})).rejects.toMatchObject({
      code: 'tui.server.unauthenticated',
      message: expect.stringContaining('not the one'),
    });
    expect(seen).toEqual([]);
  });

  test('says nothing to somebody whose certificate is a person’s of the same CA', async () => {
    const theirs = issueClientCert({
      ca,
      publicKey: serverKey.publicKey,
      subject: { instanceId: 'instance-1', userId: USER },
      nowMs: NOW,
    });
    server = createServer(
      { cert: theirs.pem, key: serverKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
      () => undefined,
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    url = `https://localhost:${(server.address() as AddressInfo).port}`; // safe: it listens on TCP
    enrolled(clientCert(NOW));
    await expect((await client()).call('user.list', {})).rejects.toMatchObject({
      code: 'tui.server.unauthenticated',
    });
  });

  test('with a certificate that the server does not take is told to enrol', async () => {
    await serve(ca);
    const foreign = issueClientCert({
      ca: otherCa,
      publicKey: key.publicKey,
      subject: { instanceId: 'instance-1', userId: USER },
      nowMs: NOW,
    });
    enrolled(foreign.pem);
    await expect((await client()).call('user.list', {})).rejects.toMatchObject({
      code: 'tui.runtime.unavailable',
      message: expect.stringContaining('enrol again'),
    });
  });

  test('renews at two thirds of its life, keeps what it got, and goes on with it', async () => {
    await serve(ca);
    const old = clientCert(NOW - 21 * DAY_MS);
    enrolled(old);
    await (await client()).call('user.list', {});
    expect(renewals).toBe(1);
    const kept = keys.credentials('instance-1');
    expect(kept?.certificatePem).not.toBe(old);
    expect(kept?.authorityPems).toEqual([otherCa.cert.pem, ca.cert.pem]);
    expect(seen.at(-1)?.peer).toBe(new X509Certificate(kept?.certificatePem ?? '').serialNumber);
    await (await client()).call('user.list', {});
    expect(renewals).toBe(1);
  });

  test('does not renew before', async () => {
    await serve(ca);
    enrolled(clientCert(NOW - 19 * DAY_MS));
    await (await client()).call('user.list', {});
    expect(renewals).toBe(0);
  });

  test('nobody there: unavailable, with the address', async () => {
    await serve(ca);
    enrolled(clientCert(NOW));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect((await client()).call('user.list', {})).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(url),
    });
  });
});

describe('which runtime', { timeout: 60_000 }, () => {
  const remote = (server_?: string) => ({
    socketPath: join(folder, 'none.sock'),
    configDir: join(folder, 'config'),
    server: server_,
    passphrase: undefined,
    nowMs: () => NOW,
  });

  test('is the only one that this machine enrolled with, or the one that is named', async () => {
    await serve(ca);
    enrolled(clientCert(NOW));
    await (await connect(remote())).call('user.list', {});
    await (await connect(remote(`${url}/`))).call('user.list', {});
    expect(seen.filter(({ path }) => path === '/admin/v1/user')).toHaveLength(2);
    await expect(connect(remote('https://other.example'))).rejects.toMatchObject({
      code: 'tui.instance.missing',
      message: expect.stringContaining('https://other.example'),
    });
  });

  test('must be said when there are several', async () => {
    await serve(ca);
    enrolled(clientCert(NOW));
    keys.save('instance-2', key);
    keys.saveCredentials('instance-2', {
      certificatePem: clientCert(NOW),
      authorityPems: [ca.cert.pem],
      adminUrl: 'https://second.example',
    });
    await expect(connect(remote())).rejects.toMatchObject({
      code: 'tui.instance.conflict',
      message: expect.stringContaining('https://second.example'),
    });
    await (await connect(remote(url))).call('user.list', {});
  });

  test('without any, it is the socket of this machine', async () => {
    await serve(ca);
    await expect((await connect(remote())).call('user.list', {})).rejects.toMatchObject({
      message: expect.stringContaining('npm start'),
    });
  });

  test('a key with a passphrase wants it', async () => {
    await serve(ca);
    const locked = keyStore(join(folder, 'config'), 'correct horse battery staple');
    locked.save('instance-1', key);
    locked.saveCredentials('instance-1', {
      certificatePem: clientCert(NOW),
      authorityPems: [ca.cert.pem],
      adminUrl: url,
    });
    await expect(connect(remote())).rejects.toMatchObject({ code: 'key.private.invalid' });
    const passphrase = 'correct horse battery staple';
    await (await connect({ ...remote(), passphrase })).call('user.list', {});
  });
});
