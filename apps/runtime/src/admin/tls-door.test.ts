import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ADMIN_PREFIX } from '@agent-runtime/domain';
import { type ClientKey, newClientKey, signRequest } from '@agent-runtime/pki';
import { getRequestListener } from '@hono/node-server';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Listener } from '../system/listener.ts';
import { type DoorWorld, LORD, MEMBER, makeDoor, requestOf, sharedKey } from './admin.fixture.ts';
import { CERTIFICATE_HEADER } from './certificate-check.ts';
import { certified, foreign, listenTls, open, over, type Peer, pemOf, signedFor } from './tls.fixture.ts';

let key: ClientKey;
let other: ClientKey;
let door: DoorWorld;

beforeAll(async () => {
  [key, other] = await Promise.all([sharedKey(), newClientKey()]);
}, 60_000);
afterEach(async () => door.opened.close());

const AUDIT = { action: 'test.change', actor: 'test', subject: 'world' };
const revoke = (serial: string) =>
  door.opened.store.commit(AUDIT, async (tx) =>
    tx.update('identity_certificate', { id: serial }, { revokedAt: 1 }),
  );

describe('TLS to the runtime itself', { timeout: 60_000 }, () => {
  let listener: Listener;
  let mine: Awaited<ReturnType<typeof certified>>;
  beforeEach(async () => {
    // OpenSSL looks at the clock of the machine.
    door = await makeDoor(key, 'direct', {}, Date.now());
    mine = await certified(door, key, LORD);
    listener = await listenTls(door);
  });
  afterEach(async () => listener.close(0));

  test('a certificate and a signature of its key: the person is known', async () => {
    const answer = await over(listener.url, mine, signedFor(door));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ name: 'lord' });
  });

  test('a certificate alone is greeted and nothing more', async () => {
    const hello = requestOf(door, 'hello.read', {}, { isUnsigned: true });
    expect((await over(listener.url, mine, hello)).status).toBe(200);
    for (const name of ['status.read', 'panic.status', 'identity.whoami', 'gate.status'] as const) {
      const answer = await over(listener.url, mine, requestOf(door, name, {}, { isUnsigned: true }));
      expect([name, answer.status]).toEqual([name, 401]);
    }
    const panic = await over(listener.url, mine, requestOf(door, 'panic.on', {}, { isUnsigned: true }));
    expect([panic.status, door.parts.panic.isOn()]).toEqual([401, false]);
  });

  test('without a certificate, or with one of another CA, there is no HTTP at all', async () => {
    const theirs = await foreign(key, LORD, Date.now());
    for (const peer of [{}, theirs.client, theirs.proxy])
      await expect(over(listener.url, peer, signedFor(door))).rejects.toThrow(/alert|reset|hang up/i);
  });

  test('an expired certificate ends in the handshake', async () => {
    const late = await door.ca.issue({
      publicKeyPem: key.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      user: LORD,
      nowMs: Date.now() - 31 * 86_400_000,
    });
    const peer = { certPem: late.pem, keyPem: pemOf(key) };
    await expect(over(listener.url, peer, signedFor(door))).rejects.toThrow(/alert|reset|hang up/i);
  });

  test('revoked: the next request is refused, and an open stream ends at once', async () => {
    const stream = await openEvents(listener.url, mine);
    const ended = new Promise<void>((resolve) => {
      for (const event of ['end', 'error']) stream.once(event, () => resolve());
    });
    stream.resume();
    await revoke(mine.serial);
    door.live.publish({ topic: 'identity', kind: 'revoked', data: {} });
    await ended;
    const refused = await over(listener.url, mine, signedFor(door));
    expect([refused.status, refused.code]).toEqual([401, 'admin.certificate.unauthenticated']);
  });

  test.each([
    ['its certificate is over', async () => door.clock.jumpWall(31 * 86_400_000)],
    ['its CA is distrusted', async () => door.ca.rotate({ nowMs: Date.now(), keepOld: false })],
  ])('an open stream ends when %s', async (_what, act) => {
    const stream = await openEvents(listener.url, mine);
    const ended = new Promise<void>((resolve) => {
      for (const event of ['end', 'error']) stream.once(event, () => resolve());
    });
    stream.resume();
    await act();
    door.live.publish({ topic: 'identity', kind: 'distrusted', data: {} });
    await ended;
  });

  test('a certificate without a row (a lost database) opens nothing', async () => {
    await door.opened.store.commit(AUDIT, async (tx) =>
      tx.remove('identity_certificate', { id: mine.serial }),
    );
    expect((await over(listener.url, mine, signedFor(door))).code).toBe('admin.certificate.unauthenticated');
  });

  test('the signature must be of the key in the certificate', async () => {
    await door.enrolled(other, MEMBER);
    const theirs = await certified(door, other, MEMBER);
    const crossed = await over(listener.url, theirs, signedFor(door));
    expect([crossed.status, crossed.code]).toEqual([401, 'signature.key.unauthenticated']);
    const own = await over(listener.url, theirs, signedFor(door, { key: other }));
    expect(own.status).toBe(200);
  });

  test('a header of a proxy is not looked at', async () => {
    const headers = { [CERTIFICATE_HEADER]: Buffer.from(mine.der).toString('base64') };
    await door.enrolled(other, MEMBER);
    const theirs = await certified(door, other, MEMBER);
    const crossed = await over(listener.url, theirs, signedFor(door), headers);
    expect(crossed.status).toBe(401);
  });

  test('a captured request passes nowhere: not twice, not after a restart, not on the socket', async () => {
    const captured = signedFor(door);
    expect((await over(listener.url, mine, captured.clone())).status).toBe(200);
    expect((await over(listener.url, mine, captured.clone())).code).toBe('signature.nonce.unauthenticated');
    const restarted = await makeDoor(
      key,
      'direct',
      { about: { ...door.parts.about, bootId: 'boot-0000000000000002' } },
      Date.now(),
    );
    const again = await certified(restarted, key, LORD);
    const next = await listenTls(restarted);
    expect((await over(next.url, again, captured.clone())).code).toBe('signature.boot.unauthenticated');
    const socket = await makeDoor(key);
    expect((await socket.app.fetch(captured.clone())).status).toBe(401);
    await next.close(0);
    await restarted.opened.close();
    await socket.opened.close();
  });

  async function openEvents(url: string, peer: Peer) {
    const path = `${ADMIN_PREFIX}/events`;
    const headers = signRequest({
      method: 'GET',
      path,
      query: '',
      authority: 'admin.example:8443',
      body: new Uint8Array(),
      key,
      bootId: door.parts.about.bootId,
      nowMs: door.clock.nowMs(),
    });
    const response = await open(url, peer, { method: 'GET', path, headers: { ...headers }, body: '' });
    expect(response.statusCode).toBe(200);
    return response;
  }
});

describe('a new CA', { timeout: 60_000 }, () => {
  test('takes over while the old one still counts; distrusted, its certificates are worthless', async () => {
    door = await makeDoor(key, 'direct', {}, Date.now());
    const mine = await certified(door, key, LORD);
    const listener = await listenTls(door);
    await door.ca.rotate({ nowMs: Date.now(), keepOld: true });
    expect((await over(listener.url, mine, signedFor(door))).status).toBe(200);
    await expect(door.ca.rotate({ nowMs: Date.now(), keepOld: true })).rejects.toMatchObject({
      code: 'certificate.rollover.conflict',
    });
    const next = await certified(door, key, LORD);
    await listener.close(0);
    const both = await listenTls(door);
    expect((await over(both.url, next, signedFor(door))).status).toBe(200);
    await door.ca.rotate({ nowMs: Date.now(), keepOld: false });
    // The listener of this test did not hear of it: the runtime's own look refuses.
    for (const peer of [mine, next])
      expect((await over(both.url, peer, signedFor(door))).code).toBe('admin.certificate.unauthenticated');
    await both.close(0);
  });

  test('is forgotten when what the old one gave out is over', async () => {
    door = await makeDoor(key, 'direct', {}, Date.now());
    await door.ca.rotate({ nowMs: door.clock.nowMs(), keepOld: true });
    expect(door.ca.trusted(door.clock.nowMs())).toHaveLength(2);
    const before = door.ca.server().certPem;
    door.clock.jumpWall(31 * 86_400_000);
    await door.ca.maintain();
    expect(door.ca.trusted(door.clock.nowMs())).toHaveLength(1);
    // From then on the listener shows a certificate of the new one.
    expect(door.ca.server().certPem).not.toBe(before);
  });
});

/** Every connection passes here, as behind a proxy that checks nothing: what is refused is refused by the runtime. */
async function listenOpenly(): Promise<{ readonly url: string; readonly server: Server }> {
  const { certPem, keyPem } = door.ca.server();
  const server = createServer(
    { cert: certPem, key: keyPem, requestCert: true, rejectUnauthorized: false },
    getRequestListener((request, env) => door.app.fetch(request, env), { overrideGlobalObjects: false }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo; // safe: it listens on TCP
  return { url: `https://127.0.0.1:${port}`, server };
}

describe('with the first layer removed', { timeout: 60_000 }, () => {
  test('the runtime refuses by itself what TLS should have stopped', async () => {
    door = await makeDoor(key, 'direct', {}, Date.now());
    const mine = await certified(door, key, LORD);
    const { url, server } = await listenOpenly();
    const theirs = await foreign(key, LORD, Date.now());
    const listenerItself = door.ca.server();
    const upstream = door.ca.proxy()?.upstream;
    expect((await over(url, mine, signedFor(door))).status).toBe(200);
    for (const peer of [{}, theirs.client, theirs.proxy, listenerItself, upstream ?? {}]) {
      const refused = await over(url, peer, signedFor(door));
      expect([refused.status, refused.code]).toEqual([401, 'admin.certificate.unauthenticated']);
    }
    server.close();
  });
});

describe('behind Caddy', { timeout: 60_000 }, () => {
  test('only the hop of our proxy may hand a certificate on, and the certificate is checked again', async () => {
    door = await makeDoor(key, 'proxy', {}, Date.now());
    const mine = await certified(door, key, LORD);
    const header = { [CERTIFICATE_HEADER]: Buffer.from(mine.der).toString('base64') };
    const { url, server } = await listenOpenly();
    const proxy = door.ca.proxy()?.upstream ?? {};
    expect((await over(url, proxy, signedFor(door), header)).status).toBe(200);
    const theirs = await foreign(other, LORD, Date.now());
    // A dumb forwarder with a perfect header, and clients that are their own proxy.
    for (const peer of [{}, mine, theirs.client, theirs.proxy, door.ca.server()]) {
      const refused = await over(url, peer, signedFor(door), header);
      expect([refused.status, refused.code]).toEqual([401, 'admin.certificate.unauthenticated']);
    }
    const none = await over(url, proxy, signedFor(door));
    expect([none.status, none.code]).toEqual([401, 'admin.certificate.unauthenticated']);
    await revoke(mine.serial);
    expect((await over(url, proxy, signedFor(door), header)).status).toBe(401);
    server.close();
  });
});
