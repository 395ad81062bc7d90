import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserId } from '@agent-runtime/domain';
import {
  keyIdOf,
  newInvite,
  type StoredInvite,
  serverIdentity,
  serverProof,
  verifyInviteProof,
} from '@agent-runtime/pki';
import { type Ca, issueClientCert, newCa, readCsr } from '@agent-runtime/pki/certificate';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type SocketClient, socketClient } from './admin-client.ts';
import { keyStore } from './key-store.ts';

/** A server that answers as the real one would, with its mistakes on demand. */
interface Script {
  boot: string;
  instance: string;
  /** Codes with which the next signed requests are refused. */
  refuse: string[];
  onRefuse: () => void;
  isLying: boolean;
  /** What somebody in between writes over the answer to an enrolment. */
  altered: object;
  /** Gives a CA that the code does not speak of. */
  isOtherCa: boolean;
  /** Certifies for another instance than it says. */
  certifiedAs?: string;
  body: unknown;
}

let folder: string;
let server: Server;
let script: Script;
let seen: { readonly path: string; readonly boot: string | undefined; readonly input: string | undefined }[];
let invites: Map<string, StoredInvite>;
let enrolled: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'client-'));
  script = {
    boot: 'boot-0000000000000001',
    instance: 'instance-1',
    refuse: [],
    onRefuse: () => {},
    isLying: false,
    altered: {},
    isOtherCa: false,
    body: { items: [] },
  };
  seen = [];
  invites = new Map();
  enrolled = [];
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen({ path: join(folder, 's.sock') }, resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const NOW = Date.UTC(2026, 10, 21, 9);
const USER = 'user_00000000000000000009' as UserId; // safe: alphabet of ids
let ca: Ca;
let otherCa: Ca;
beforeAll(async () => {
  const named = (commonName: string) => newCa({ commonName, nowMs: NOW });
  [ca, otherCa] = await Promise.all([named('agent-runtime 1'), named('agent-runtime 2')]);
}, 60_000);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const part of request) text += String(part);
  const send = (status: number, body: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  switch (request.url) {
    case '/admin/v1/hello':
      return send(200, {
        instance_id: script.instance,
        version: '1',
        boot_id: script.boot,
        server_time: new Date(NOW).toISOString(),
      });
    case '/admin/v1/invite': {
      const { code, stored } = newInvite({ nowMs: NOW, caFingerprint: ca.cert.fingerprint });
      invites.set(stored.inviteId, stored);
      return send(200, { code, user: 'lord', expires_at: new Date(stored.expiresAtMs).toISOString() });
    }
    case '/admin/v1/enrol': {
      const by = script.isOtherCa ? otherCa : ca;
      const claim = JSON.parse(text) as {
        readonly invite_id: string;
        readonly request: string;
        readonly proof: string;
      }; // safe: what the client sends
      const invite = invites.get(claim.invite_id);
      if (invite === undefined)
        return send(401, {
          error: { code: 'invite.proof.unauthenticated', kind: 'unauthenticated', message: 'no' },
        });
      const request = bytes(claim.request);
      verifyInviteProof({ invite, request, proof: bytes(claim.proof), nowMs: NOW });
      const publicKey = readCsr(request);
      const keyId = keyIdOf(publicKey);
      enrolled.push(keyId);
      const subject = { instanceId: script.certifiedAs ?? script.instance, userId: USER };
      const issued = issueClientCert({ ca: by, publicKey, subject, nowMs: NOW });
      const given = {
        key_id: keyId,
        user: 'lord',
        user_id: USER,
        instance_id: script.instance,
        admin_url: 'https://127.0.0.1:8443',
        certificate: issued.pem,
        authorities: [by.cert.pem],
        expires_at: new Date(issued.notAfterMs).toISOString(),
      };
      const said = script.isLying ? { ...given, certificate: 'of somebody else' } : given;
      const proof = serverProof({ invite, serverIdentity: serverIdentity(said), keyId });
      return send(200, {
        ...given,
        proof: Buffer.from(proof).toString('base64url'),
        ...script.altered,
      });
    }
    case '/admin/v1/broken':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: state\ndata: {}\n\n');
      return void setImmediate(() => response.destroy());
    default: {
      const { headers } = request;
      seen.push({
        path: request.url ?? '',
        boot: headers['x-agent-runtime-boot']?.toString(),
        input: headers['signature-input']?.toString(),
      });
      const code = script.refuse.shift();
      if (code === undefined) return send(200, script.body);
      script.onRefuse();
      return send(401, { error: { code, kind: 'unauthenticated', message: 'refused' } });
    }
  }
}

function bytes(base64url: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64url, 'base64url'));
}

function client(nowMs = NOW): SocketClient {
  return socketClient({
    socketPath: join(folder, 's.sock'),
    keys: keyStore(join(folder, 'config')),
    nowMs: () => nowMs,
  });
}

describe('the client', { timeout: 60_000 }, () => {
  test('enrols once for each instance and reuses the key', async () => {
    await client().call('user.list', {});
    await client().call('user.list', {});
    expect(enrolled).toHaveLength(1);
    expect(seen[1]?.input).toContain(enrolled[0]);
    script.instance = 'instance-2';
    await client().call('user.list', {});
    expect(enrolled).toHaveLength(2);
  });

  test('after a restart it reads the boot id again and signs once more, not forever', async () => {
    script.refuse = ['signature.boot.unauthenticated'];
    script.onRefuse = () => {
      script.boot = 'boot-0000000000000002';
    };
    await client().call('user.list', {});
    expect(seen.map((one) => one.boot)).toEqual(['boot-0000000000000001', 'boot-0000000000000002']);
    expect(seen[0]?.input).not.toBe(seen[1]?.input);
    script.refuse = ['signature.boot.unauthenticated', 'signature.boot.unauthenticated'];
    await expect(client().call('user.list', {})).rejects.toMatchObject({
      code: 'signature.boot.unauthenticated',
    });
  });

  test('a client that is older than the runtime works as soon as that is there', async () => {
    await new Promise((resolve) => server.close(resolve));
    const early = client();
    await expect(early.call('user.list', {})).rejects.toMatchObject({ code: 'tui.runtime.unavailable' });
    await new Promise<void>((resolve) => server.listen({ path: join(folder, 's.sock') }, resolve));
    await early.call('user.list', {});
    expect(enrolled).toHaveLength(1);
  });

  test('other refusals are not tried again', async () => {
    script.refuse = ['signature.key.unauthenticated'];
    await expect(client().call('user.list', {})).rejects.toMatchObject({
      code: 'signature.key.unauthenticated',
      kind: 'unauthenticated',
      message: expect.stringContaining('agent-runtime enrol --force'),
    });
    expect(seen).toHaveLength(1);
    // A revoked key does not come back by itself.
    expect(enrolled).toHaveLength(1);
  });

  test('a key that is replaced stays aside', async () => {
    const one = client();
    await one.enrol({});
    const path = keyStore(join(folder, 'config')).pathOf('instance-1');
    const first = readFileSync(path, 'utf8');
    await one.enrol({});
    expect(readFileSync(`${path}.old`, 'utf8')).toBe(first);
    expect(readFileSync(path, 'utf8')).not.toBe(first);
  });

  test('signs with the time of the server, however wrong its own clock is', async () => {
    await client(NOW - 86_400_000).call('user.list', {});
    expect(seen[0]?.input).toContain(`created=${NOW / 1000};`);
  });

  test('keeps no key when the server does not know the code', async () => {
    script.isLying = true;
    await expect(client().call('user.list', {})).rejects.toMatchObject({
      code: 'invite.server.unauthenticated',
    });
    expect(() => readFileSync(join(folder, 'config', 'instance-1', 'client-key.pem'))).toThrow();
    expect(seen).toEqual([]);
  });

  test.each([
    { admin_url: 'https://127.0.0.1:8444' },
    { admin_url: undefined },
    { user: 'eve' },
    { user_id: 'user_00000000000000000008' },
    { instance_id: 'instance-2' },
    { key_id: 'k'.repeat(43) },
    { expires_at: new Date(NOW + 1).toISOString() },
  ])('keeps no key when somebody in between wrote %j into the answer', async (altered) => {
    script.altered = altered;
    await expect(client().call('user.list', {})).rejects.toMatchObject({
      code: 'invite.server.unauthenticated',
    });
    expect(() => readdirSync(join(folder, 'config'))).toThrow();
    expect(seen).toEqual([]);
  });

  test('keeps no key when the certificate is of another CA than the code says, or for another instance', async () => {
    script.isOtherCa = true;
    await expect(client().call('user.list', {})).rejects.toMatchObject({
      code: 'invite.server.unauthenticated',
    });
    script.isOtherCa = false;
    script.certifiedAs = 'instance-9';
    await expect(client().call('user.list', {})).rejects.toMatchObject({ kind: 'unauthenticated' });
    expect(() => readFileSync(join(folder, 'config', 'instance-1', 'client-key.pem'))).toThrow();
  });

  test('keeps certificate and CA beside the key', async () => {
    await client().call('user.list', {});
    const kept = keyStore(join(folder, 'config')).credentials('instance-1');
    expect(kept).toMatchObject({ authorityPems: [ca.cert.pem], adminUrl: 'https://127.0.0.1:8443' });
    expect(kept?.certificatePem).toContain('BEGIN CERTIFICATE');
    writeFileSync(join(folder, 'config', 'instance-1', 'credentials.json'), '{}');
    expect(() => keyStore(join(folder, 'config')).credentials('instance-1')).toThrow(
      /Enrol this machine again/,
    );
  });

  test('an instance whose name would leave the configuration folder is refused', async () => {
    script.instance = '../../evil';
    await expect(client().call('user.list', {})).rejects.toMatchObject({ code: 'tui.instance.invalid' });
    expect(enrolled).toEqual([]);
  });

  test('a damaged key file is told, not silently replaced', async () => {
    await client().call('user.list', {});
    writeFileSync(join(folder, 'config', 'instance-1', 'client-key.pem'), 'broken');
    await expect(client().call('user.list', {})).rejects.toMatchObject({ code: 'key.private.invalid' });
    expect(enrolled).toHaveLength(1);
  });

  test('answers that do not fit the contract are refused', async () => {
    script.body = { items: [{ id: 1 }] };
    await expect(client().call('user.list', {})).rejects.toMatchObject({ code: 'contract.value.invalid' });
  });

  test('a stream that breaks, or that we stop, ends with an error of ours', async () => {
    const open = async (signal: AbortSignal, onFirst: () => void) => {
      for await (const frame of client().stream('/broken', signal)) {
        expect(frame).toEqual({ event: 'state', data: '{}' });
        onFirst();
      }
    };
    await expect(open(new AbortController().signal, () => {})).rejects.toMatchObject({ kind: 'unavailable' });
    const stop = new AbortController();
    await expect(open(stop.signal, () => stop.abort())).rejects.toMatchObject({ kind: 'cancelled' });
  });

  test('nobody there: unavailable, with what to do', async () => {
    const nobody = socketClient({
      socketPath: join(folder, 'none.sock'),
      keys: keyStore(folder),
      nowMs: () => NOW,
    });
    await expect(nobody.call('user.list', {})).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('npm start'),
    });
  });
});
