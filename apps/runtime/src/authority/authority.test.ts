import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserId } from '@agent-runtime/domain';
import { newClientKey } from '@agent-runtime/pki';
import { createMasterKey, makeSealer, writePrivateFile } from '@agent-runtime/store';
import { manualClock, recordingLogger } from '@agent-runtime/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AuthorityInput, openAuthority } from './authority.ts';
import { authorityFile } from './authority-file.ts';
import { writeProxyFiles } from './proxy-files.ts';

const DAY_MS = 86_400_000;
const USER = 'user_00000000000000000009' as UserId; // safe: alphabet of ids

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'authority-'));
  path = join(folder, 'pki', 'authority.sealed');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const masterKey = createMasterKey();
const clock = manualClock();
function input(more: Partial<AuthorityInput> = {}): AuthorityInput {
  return {
    file: authorityFile(path, makeSealer(masterKey)),
    instanceId: 'instance-1',
    clock,
    log: recordingLogger(),
    hosts: ['localhost', '127.0.0.1'],
    ...more,
  };
}

const validDays = (pem: string): number => {
  const { validToDate } = new X509Certificate(pem);
  return Math.round((validToDate.getTime() - clock.nowMs()) / DAY_MS);
};

describe('the CA of a data folder', { timeout: 60_000 }, () => {
  test('is made once, sealed, for its owner alone, and comes back', async () => {
    const first = await openAuthority(input());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, 'utf8');
    expect(text).not.toMatch(/PRIVATE|BEGIN|certificate/);
    const again = await openAuthority(input());
    expect(again.rootPems()).toEqual(first.rootPems());
    expect(again.server()).toEqual(first.server());
  });

  test('of another master key, or with one byte changed, is refused with what to do', async () => {
    await openAuthority(input());
    const other = authorityFile(path, makeSealer(createMasterKey()));
    await expect(openAuthority(input({ file: other }))).rejects.toMatchObject({
      code: 'certificate.file.unavailable',
      message: expect.stringContaining('Put it back from a backup'),
    });
    const text = readFileSync(path, 'utf8');
    const at = Math.floor(text.length / 2);
    writeFileSync(path, text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1));
    await expect(openAuthority(input())).rejects.toMatchObject({ code: 'certificate.file.unavailable' });
  });

  test('that cannot be written leaves the old one in place', async () => {
    const file = authorityFile(path, makeSealer(masterKey));
    let isFull = false;
    const ca = await openAuthority(
      input({
        file: {
          read: () => file.read(),
          write: (state) => {
            if (isFull) throw new Error('the disk is full');
            file.write(state);
          },
        },
      }),
    );
    const before = ca.rootPems();
    isFull = true;
    await expect(ca.rotate({ nowMs: clock.nowMs(), keepOld: true })).rejects.toThrow('full');
    expect(ca.rootPems()).toEqual(before);
    expect((await openAuthority(input())).rootPems()).toEqual(before);
  });

  test('changes although what follows it cannot: nobody hears an error, it is an alarm, and is made up for', async () => {
    const log = recordingLogger();
    const ca = await openAuthority(input({ log, proxyHosts: ['admin.example'] }));
    const proxy = join(folder, 'proxy');
    let isFull = false;
    let others = 0;
    ca.follow('the files of Caddy', () => {
      if (isFull) throw new Error('ENOSPC: no space left on device');
      writeProxyFiles(proxy, ca);
    });
    ca.follow('another', () => {
      others += 1;
    });
    const alarms = (): readonly string[] => ca.alarms([], clock.nowMs());
    const read = (): string => readFileSync(join(proxy, 'ca.pem'), 'utf8');
    const before = read();
    isFull = true;
    await ca.rotate({ nowMs: clock.nowMs(), keepOld: true });
    expect([read(), others]).toEqual([before, 2]);
    expect(alarms()).toEqual([expect.stringContaining('the files of Caddy')]);
    expect(log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
    await ca.maintain();
    expect([read(), alarms().length]).toEqual([before, 1]);
    isFull = false;
    await ca.maintain();
    expect([read(), others, alarms()]).toEqual([ca.rootPems()[0], 2, []]);
  });

  test('gives out what it verifies, for this instance alone', async () => {
    const ca = await openAuthority(input());
    const key = await newClientKey();
    const publicKeyPem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const made = await ca.issue({ publicKeyPem, user: USER, nowMs: clock.nowMs() });
    const der = new Uint8Array(new X509Certificate(made.pem).raw);
    expect(ca.verifyClient(der)).toMatchObject({ userId: USER, keyId: key.keyId, serial: made.id });
    expect(() => ca.verifyProxy(der)).toThrow();
    const elsewhere = await openAuthority(input({ instanceId: 'instance-2' }));
    expect(() => elsewhere.verifyClient(der)).toThrow();
  });
});

describe('the certificates of the listener', { timeout: 60_000 }, () => {
  test('are renewed when two thirds of their life are over, not before', async () => {
    const ca = await openAuthority(input());
    const first = ca.server();
    let changes = 0;
    ca.follow('a count', () => {
      changes += 1;
    });
    expect(changes).toBe(1);
    clock.jumpWall(59 * DAY_MS);
    await ca.maintain();
    expect([ca.server(), changes]).toEqual([first, 1]);
    clock.jumpWall(2 * DAY_MS);
    await ca.maintain();
    expect(changes).toBe(2);
    expect(validDays(ca.server().certPem)).toBe(90);
    // A new key as well, and the file has it.
    expect(ca.server().keyPem).not.toBe(first.keyPem);
    expect((await openAuthority(input())).server()).toEqual(ca.server());
  });

  test('name what is dialled now: another name in the configuration makes new ones', async () => {
    const first = await openAuthority(input());
    const named = await openAuthority(input({ hosts: ['localhost', 'admin.example'] }));
    expect(named.server()).not.toEqual(first.server());
    expect(new X509Certificate(named.server().certPem).checkHost('admin.example')).toBe('admin.example');
    expect(named.rootPems()).toEqual(first.rootPems());
  });

  test('outlive a rollover: the listener shows the old CA while clients know only that one', async () => {
    const ca = await openAuthority(input());
    const [old = ''] = ca.rootPems();
    clock.jumpWall(58 * DAY_MS);
    await ca.rotate({ nowMs: clock.nowMs(), keepOld: true });
    const shown = new X509Certificate(ca.server().certPem);
    expect(shown.checkIssued(new X509Certificate(old))).toBe(true);
    clock.jumpWall(29 * DAY_MS);
    await ca.maintain();
    expect(new X509Certificate(ca.server().certPem).raw).toEqual(shown.raw);
    expect(validDays(ca.server().certPem)).toBeGreaterThan(30);
  });
});

describe('what Caddy is given', { timeout: 60_000 }, () => {
  test('is for its owner alone and holds no key of the CA', async () => {
    const ca = await openAuthority(input({ proxyHosts: ['admin.example'] }));
    const proxy = join(folder, 'proxy');
    writeProxyFiles(proxy, ca);
    expect(statSync(proxy).mode & 0o777).toBe(0o700);
    const names = ['admin.pem', 'upstream.pem', 'ca.pem', 'ca-before.pem'];
    expect(readdirSync(proxy).toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(statSync(join(proxy, name)).mode & 0o777).toBe(0o600);
    const read = (name: string): string => readFileSync(join(proxy, name), 'utf8');
    const root = new X509Certificate(read('ca.pem'));
    for (const key of ['admin.pem', 'upstream.pem'])
      expect(root.checkPrivateKey(createPrivateKey(read(key)))).toBe(false);
    expect(new X509Certificate(read('admin.pem')).checkHost('admin.example')).toBe('admin.example');
    expect(read('ca-before.pem')).toBe(read('ca.pem'));
    await ca.rotate({ nowMs: clock.nowMs(), keepOld: true });
    writeProxyFiles(proxy, ca);
    expect(read('ca-before.pem')).not.toBe(read('ca.pem'));
  });

  test('fits together whenever Caddy reads it: the pairs that its file names match after each write', async () => {
    const ca = await openAuthority(input({ proxyHosts: ['admin.example'] }));
    const proxy = join(folder, 'proxy');
    writeProxyFiles(proxy, ca);
    const caddyfile = readFileSync(new URL('../../../../caddy/Caddyfile', import.meta.url), 'utf8');
    const pairs = [
      ...caddyfile.matchAll(/tls(?:_client_auth)? \{\$PROXY_DIR\}\/(\S+) \{\$PROXY_DIR\}\/(\S+)/g),
    ];
    expect(pairs).toHaveLength(2);
    const read = (name = ''): string => readFileSync(join(proxy, name), 'utf8');
    let writes = 0;
    await ca.rotate({ nowMs: clock.nowMs(), keepOld: false });
    writeProxyFiles(proxy, ca, (path, text) => {
      writePrivateFile(path, text);
      writes += 1;
      for (const [, cert, key] of pairs)
        expect(new X509Certificate(read(cert)).checkPrivateKey(createPrivateKey(read(key)))).toBe(true);
    });
    expect(writes).toBe(4);
  });

  test('is nothing in direct mode, and is made when the mode changes', async () => {
    const direct = await openAuthority(input());
    expect(direct.proxy()).toBeUndefined();
    const proxied = await openAuthority(input({ proxyHosts: ['admin.example'] }));
    expect(proxied.proxy()).toBeDefined();
    expect(proxied.rootPems()).toEqual(direct.rootPems());
  });
});
