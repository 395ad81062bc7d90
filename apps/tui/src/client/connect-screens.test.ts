import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserId } from '@agent-runtime/domain';
import { type ClientKey, newClientKey } from '@agent-runtime/pki';
import { type Ca, issueClientCert, issueServerCert, newCa } from '@agent-runtime/pki/certificate';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AdminClient } from './client.ts';
import { connectScreens } from './connect-screens.ts';
import { type KeyStore, keyStore } from './key-store.ts';

const DAY_MS = 86_400_000;
const USER = 'user_00000000000000000009' as UserId; // safe: alphabet of ids
const NOW = Date.now();
const INSTANCE = 'instance-1';

let ca: Ca;
let otherCa: Ca;
let key: ClientKey;
let serverKey: ClientKey;
let folder: string;
let keys: KeyStore;
let servers: Server[];
/** Door and path of each request. */
let seen: string[];
/** Answers other than an empty list, by door and path. */
let script: Record<string, { readonly status: number; readonly body: object }>;

beforeAll(async () => {
  const named = (commonName: string) => newCa({ commonName, nowMs: NOW - 60 * DAY_MS });
  [ca, otherCa, key, serverKey] = await Promise.all([
    named('a 1'),
    named('a 2'),
    newClientKey(),
    newClientKey(),
  ]);
}, 60_000);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'screens-'));
  keys = keyStore(join(folder, 'config'));
  servers = [];
  seen = [];
  script = {};
  const socket = createServer(answering('socket'));
  servers.push(socket);
  await new Promise<void>((resolve) => socket.listen({ path: join(folder, 's.sock') }, resolve));
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

function answering(door: 'socket' | 'tls'): Parameters<typeof createServer>[1] {
  return (incoming, outgoing) => {
    const at = `${door} ${(incoming.url ?? '').replace('/admin/v1', '')}`;
    seen.push(at);
    incoming.resume();
    incoming.once('end', () => {
      const { status, body } = script[at] ?? { status: 200, body: plain(at) };
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(body));
    });
  };
}

function plain(at: string): object {
  if (at.endsWith('/hello'))
    return { instance_id: INSTANCE, version: '1', boot_id: 'boot-0000000000000001', server_time: iso(NOW) };
  if (at !== RENEW) return { items: [] };
  return { certificate: clientCert(NOW), authorities: [ca.cert.pem], expires_at: iso(NOW + 30 * DAY_MS) };
}

const RENEW = 'socket /certificate/renew';
const iso = (ms: number): string => new Date(ms).toISOString();
const refusal = (code: string, kind: 'unauthenticated' | 'denied') => ({
  status: kind === 'denied' ? 403 : 401,
  body: { error: { code, kind, message: 'refused' } },
});

const clientCert = (nowMs: number, by = ca): string =>
  issueClientCert({
    ca: by,
    publicKey: key.publicKey,
    subject: { instanceId: INSTANCE, userId: USER },
    nowMs,
  }).pem;

/** The TLS door. @returns its address */
async function serveTls(by = ca): Promise<string> {
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const shown = issueServerCert({ ca: by, publicKey: serverKey.publicKey, ...names, nowMs: NOW });
  const keyPem = serverKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const server = createTlsServer(
    { cert: shown.pem, key: keyPem, ca: ca.cert.pem, requestCert: true, rejectUnauthorized: true },
    answering('tls'),
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `https://localhost:${(server.address() as AddressInfo).port}`; // safe: it listens on TCP
}

async function opened(certificatePem: string, adminUrl: string): Promise<AdminClient> {
  keys.save(INSTANCE, key);
  keys.saveCredentials(INSTANCE, { certificatePem, authorityPems: [ca.cert.pem], adminUrl });
  const client = await connectScreens({
    socketPath: join(folder, 's.sock'),
    configDir: join(folder, 'config'),
    server: undefined,
    passphrase: undefined,
    nowMs: () => NOW,
  });
  await client.call('user.list', {});
  return client;
}

const OVER_MS = NOW - 31 * DAY_MS;
const kept = (): string | undefined => keys.credentials(INSTANCE)?.certificatePem;

describe('the screens on the machine of the runtime', { timeout: 60_000 }, () => {
  test('speak over TLS, and have nothing to say about it', async () => {
    const client = await opened(clientCert(NOW), await serveTls());
    expect([client.notice, seen.at(-1), seen.includes(RENEW)]).toEqual([undefined, 'tls /user', false]);
  });

  test('renew a certificate that is over by the socket, once, and speak over TLS', async () => {
    const url = await serveTls();
    const old = clientCert(OVER_MS);
    const client = await opened(old, url);
    expect([client.notice, seen.at(-1)]).toEqual([undefined, 'tls /user']);
    expect(seen.filter((one) => one === RENEW)).toHaveLength(1);
    expect(new X509Certificate(kept() ?? '').validToDate.getTime()).toBeGreaterThan(NOW);
    await opened(kept() ?? '', url);
    expect(seen.filter((one) => one === RENEW)).toHaveLength(1);
  });

  test.each([
    ['that is over too', OVER_MS],
    ['that the door refuses', NOW],
  ])('replace no certificate that was revoked, one %s, and have no other door for it', async (_what, at) => {
    script['tls /hello'] = refusal('admin.certificate.unauthenticated', 'unauthenticated');
    script[RENEW] = refusal('identity.certificate.unauthenticated', 'unauthenticated');
    const revoked = clientCert(at);
    await expect(opened(revoked, await serveTls())).rejects.toMatchObject({
      code: 'identity.certificate.unauthenticated',
    });
    expect(kept()).toBe(revoked);
    expect(seen).not.toContain('socket /user');
  });

  test('say that their certificate is refused when the socket cannot renew it either', async () => {
    script[RENEW] = refusal('identity.renew.denied', 'denied');
    const client = await opened(clientCert(NOW, otherCa), await serveTls());
    expect(client.notice).toBe(
      "certificate refused: over this machine's socket; agent-runtime enrol --force",
    );
    expect(seen.at(-1)).toBe('socket /user');
  });

  test('say that the server is not trusted, and renew nothing for it', async () => {
    const client = await opened(clientCert(NOW), await serveTls(otherCa));
    expect(client.notice).toContain('not trusted');
    expect([seen.at(-1), seen.includes(RENEW)]).toEqual(['socket /user', false]);
  });

  test('say that nobody answers with TLS', async () => {
    const url = await serveTls();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const client = await opened(clientCert(NOW), url);
    expect(client.notice).toContain('nobody answers with TLS');
    expect(seen.at(-1)).toBe('socket /user');
  });
});
