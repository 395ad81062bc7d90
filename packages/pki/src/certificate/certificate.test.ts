import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { AppError, parseId } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey } from '../key/index.ts';
import {
  type Ca,
  caFingerprint,
  type Issued,
  issueClientCert,
  issueProxyCert,
  issueServerCert,
  newCa,
  verifyClientCert,
  verifyProxyCert,
  verifyServerCert,
} from './index.ts';

// Generous, for machines that do other things meanwhile.
const PATIENT = { timeout: 120_000 };
const NOW_MS = Date.UTC(2026, 10, 30, 12, 0, 0, 250);
const DAY_MS = 86_400_000;
const instanceId = 'instance-1';
const userId = parseId('user', 'user_0123456789');

let ca: Ca;
let foreign: Ca;
let key: ClientKey;
beforeAll(async () => {
  const commonName = 'agent-runtime CA 2026';
  [ca, foreign, key] = await Promise.all([
    newCa({ commonName, nowMs: NOW_MS }),
    newCa({ commonName, nowMs: NOW_MS }),
    newClientKey(),
  ]);
}, PATIENT.timeout);

const client = (nowMs = NOW_MS): Issued =>
  issueClientCert({ ca, publicKey: key.publicKey, subject: { instanceId, userId }, nowMs });
const proxy = (): Issued => issueProxyCert({ ca, publicKey: key.publicKey, instanceId, nowMs: NOW_MS });
const server = (dnsNames: readonly string[], ipAddresses: readonly string[]): Issued =>
  issueServerCert({ ca, publicKey: key.publicKey, dnsNames, ipAddresses, nowMs: NOW_MS });

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

/** The reason in the log, or `accepted`. */
function asClient(
  certDer: Uint8Array,
  more: { readonly nowMs?: number; readonly roots?: Ca[] } = {},
): string {
  const { nowMs = NOW_MS, roots = [ca] } = more;
  try {
    verifyClientCert({ certDer, roots: roots.map(({ cert }) => cert), instanceId, nowMs });
  } catch (error) {
    if (error instanceof AppError) return (error.detail as { readonly reason: string }).reason; // safe: written by refusal()
    throw error;
  }
  return 'accepted';
}

describe("a person's certificate", PATIENT, () => {
  it('names user, instance, key and life, and may authenticate a client', () => {
    const issued = client();
    const seen = new X509Certificate(issued.der);
    expect(seen.subject).toBe('CN=user_0123456789');
    expect(seen.subjectAltName).toBe('URI:urn:agent-runtime:instance-1:user:user_0123456789');
    expect(seen.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(seen.ca).toBe(false);
    expect(seen.checkIssued(new X509Certificate(ca.cert.der))).toBe(true);
    const roots = [foreign.cert, ca.cert];
    const verified = verifyClientCert({ certDer: issued.der, roots, instanceId, nowMs: NOW_MS });
    expect(verified).toEqual({
      userId,
      keyId: key.keyId,
      serial: seen.serialNumber.toLowerCase(),
      notBeforeMs: seen.validFromDate.getTime(),
      notAfterMs: seen.validToDate.getTime(),
      caFingerprint: caFingerprint(ca.cert.der),
    });
    const { serial, notBeforeMs, notAfterMs } = verified;
    expect(issued).toMatchObject({ serial, notBeforeMs, notAfterMs, caFingerprint: ca.cert.fingerprint });
    expect(notAfterMs).toBe(Math.floor(NOW_MS / 1000) * 1000 + 30 * DAY_MS);
    expect(client().serial).not.toBe(serial);
  });

  it('is good from its first to its last instant', () => {
    const { der, notBeforeMs, notAfterMs } = client();
    expect(asClient(der, { nowMs: notBeforeMs })).toBe('accepted');
    expect(asClient(der, { nowMs: notAfterMs })).toBe('accepted');
    expect(asClient(der, { nowMs: notAfterMs + 1 })).toBe('dates');
    // The CA begins in the same instant, so it is the one that is too early.
    expect(asClient(der, { nowMs: notBeforeMs - 1 })).toBe('ca');
    const later = client(NOW_MS + DAY_MS);
    expect(asClient(later.der, { nowMs: later.notBeforeMs - 1 })).toBe('dates');
    expect(asClient(der, { nowMs: Number.NaN })).toBe('ca');
  });

  it('does not outlive its CA, which signs nothing after its end', () => {
    const { notAfterMs } = ca.cert;
    const last = client(notAfterMs - DAY_MS);
    expect(last.notAfterMs).toBe(notAfterMs);
    expect(asClient(last.der, { nowMs: notAfterMs })).toBe('accepted');
    expect(asClient(last.der, { nowMs: notAfterMs + 1 })).toBe('ca');
    expect(codeOf(() => client(notAfterMs + 1))).toBe('certificate.ca.conflict');
  });

  it('is good in any century: the dates change their form in 2050', async () => {
    const nowMs = Date.UTC(2049, 11, 20);
    const late = await newCa({ commonName: 'late', nowMs });
    const subject = { instanceId, userId };
    const { der } = issueClientCert({ ca: late, publicKey: key.publicKey, subject, nowMs });
    expect(new X509Certificate(der).validToDate.getTime()).toBe(Date.UTC(2050, 0, 19));
    expect(asClient(der, { roots: [late], nowMs })).toBe('accepted');
  });

  it('is refused without a CA, with another one, elsewhere, with one text', () => {
    const { der } = client();
    expect(asClient(der, { roots: [] })).toBe('issuer');
    expect(asClient(der, { roots: [foreign] })).toBe('issuer');
    const roots = [ca.cert];
    for (const elsewhere of ['instance-2', 'instance-1:user', '']) {
      const check = () => verifyClientCert({ certDer: der, roots, instanceId: elsewhere, nowMs: NOW_MS });
      expect(codeOf(check)).toBe('certificate.client.unauthenticated');
      expect(check).not.toThrow(/instance|issuer|profile/);
    }
  });

  it('is made for the ids and keys that we use only', () => {
    const issue = (subject: { readonly instanceId: string; readonly userId: string }) =>
      codeOf(() =>
        issueClientCert({
          ca,
          publicKey: key.publicKey,
          subject: subject as { readonly instanceId: string; readonly userId: typeof userId }, // safe: refused at run time too
          nowMs: NOW_MS,
        }),
      );
    expect(issue({ instanceId, userId: 'admin' })).toBe('base.id.invalid');
    expect(issue({ instanceId, userId: 'user_0123456789:x' })).toBe('base.id.invalid');
    expect(issue({ instanceId: 'a:b', userId })).toBe('certificate.instance.invalid');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const subject = { instanceId, userId };
    expect(codeOf(() => issueClientCert({ ca, publicKey, subject, nowMs: NOW_MS }))).toBe(
      'key.shape.invalid',
    );
  });
});

describe("the proxy's and the server's certificate", PATIENT, () => {
  it('are good for what they are, and nothing else', () => {
    const roots = [ca.cert];
    const certs = { client: client().der, proxy: proxy().der, server: server(['localhost'], []).der };
    const outcomes = Object.entries(certs).map(([kind, certDer]) => {
      const input = { certDer, roots, nowMs: NOW_MS };
      return [
        kind,
        codeOf(() => verifyClientCert({ ...input, instanceId })),
        codeOf(() => verifyProxyCert({ ...input, instanceId })),
        codeOf(() => verifyServerCert({ ...input, host: 'localhost' })),
      ];
    });
    const [noClient, noProxy, noServer] = ['client', 'proxy', 'server'].map(
      (what) => `certificate.${what}.unauthenticated`,
    );
    const passed = 'nothing was thrown';
    expect(outcomes).toEqual([
      ['client', passed, noProxy, noServer],
      ['proxy', noClient, passed, noServer],
      ['server', noClient, noProxy, passed],
    ]);
  });

  it('say so to OpenSSL too', () => {
    const seen = new X509Certificate(proxy().der);
    expect(seen.subjectAltName).toBe('URI:urn:agent-runtime:instance-1:proxy:caddy');
    expect(seen.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    const listener = new X509Certificate(server(['admin.test'], ['127.0.0.1', '2001:db8::7']).der);
    expect(listener.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(listener.checkHost('admin.test')).toBe('admin.test');
    expect(listener.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(listener.checkIP('2001:db8::7')).toBe('2001:db8::7');
  });

  it('the proxy is one of this instance and of this time', () => {
    const { der, notAfterMs } = proxy();
    const input = { certDer: der, roots: [ca.cert], instanceId, nowMs: NOW_MS };
    expect(verifyProxyCert(input)).toMatchObject({ keyId: key.keyId, notAfterMs });
    for (const wrong of [
      { instanceId: 'instance-2' },
      { nowMs: notAfterMs + 1 },
      { roots: [foreign.cert] },
    ]) {
      expect(codeOf(() => verifyProxyCert({ ...input, ...wrong }))).toBe('certificate.proxy.unauthenticated');
    }
  });

  it('the server is the one that was dialled', () => {
    const { der } = server(['admin.test', 'localhost'], ['127.0.0.1', '::1', '::ffff:10.0.0.1']);
    const dial = (host: string): string =>
      codeOf(() => verifyServerCert({ certDer: der, roots: [ca.cert], host, nowMs: NOW_MS }));
    const right = [
      'admin.test',
      'ADMIN.test',
      'localhost',
      '127.0.0.1',
      '::1',
      '0:0:0:0:0:0:0:1',
      '::ffff:a00:1',
    ];
    for (const host of right) expect([host, dial(host)]).toEqual([host, 'nothing was thrown']);
    const wrong = [
      '',
      'admin',
      'x.admin.test',
      'admin.test.',
      '127.0.0.2',
      '::2',
      '10.0.0.1',
      '127.1',
      'fe80::1%eth0',
    ];
    for (const host of wrong)
      expect([host, dial(host)]).toEqual([host, 'certificate.server.unauthenticated']);
  });

  it('is made for names that a client can dial', () => {
    const bad: readonly (readonly [readonly string[], readonly string[]])[] = [
      [[], []],
      [['*.test'], []],
      [['UPPER.test'], []],
      [['a..b'], []],
      [['-a.test'], []],
      [['a\0.test'], []],
      [['x'.repeat(64)], []],
      [[], ['localhost']],
      [[], ['1.2.3']],
      [[], ['fe80::1%eth0']],
      [Array.from({ length: 17 }, (_, at) => `h${at}.test`), []],
    ];
    for (const [dns, ip] of bad) expect(codeOf(() => server(dns, ip))).toBe('certificate.host.invalid');
  });
});
