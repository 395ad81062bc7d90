import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { AppError, parseId } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey, signBytes } from '../key/index.ts';
import { algorithm, ascii, bitString, hex, int, name, OID, seq, signed, tlv } from './builder.fixture.ts';
import {
  type Ca,
  caFingerprint,
  exportCaKey,
  type Issued,
  importCa,
  issueClientCert,
  issueProxyCert,
  issueServerCert,
  makeCsr,
  newCa,
  readCa,
  readCsr,
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
let other: ClientKey;
beforeAll(async () => {
  const commonName = 'agent-runtime CA 2026';
  [ca, foreign, key, other] = await Promise.all([
    newCa({ commonName, nowMs: NOW_MS }),
    newCa({ commonName, nowMs: NOW_MS }),
    newClientKey(),
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

describe('a CA', PATIENT, () => {
  it('signs itself, may sign certificates and no CA, and lasts ten years', () => {
    const seen = new X509Certificate(ca.cert.der);
    expect(seen.ca).toBe(true);
    expect(seen.verify(ca.cert.publicKey)).toBe(true);
    expect(seen.subject).toBe('CN=agent-runtime CA 2026');
    expect(seen.issuer).toBe(seen.subject);
    expect(seen.validFromDate.getTime()).toBe(Date.UTC(2026, 10, 30, 11, 55));
    expect(seen.validToDate.getTime()).toBe(Date.UTC(2036, 10, 27, 12));
    expect(seen.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(seen.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(ca.cert.fingerprint);
    expect(new X509Certificate(ca.cert.pem).raw.equals(ca.cert.der)).toBe(true);
    // basicConstraints: critical, CA, path 0. keyUsage: critical, keyCertSign and cRLSign.
    expect(Buffer.from(ca.cert.der).includes(hex('0603551d130101ff040830060101ff020100'))).toBe(true);
    expect(Buffer.from(ca.cert.der).includes(hex('0603551d0f0101ff040403020106'))).toBe(true);
  });

  it('comes back from its certificate and key, and from nothing else', () => {
    const pkcs8Der = exportCaKey(ca);
    const stored = { certDer: ca.cert.der, pkcs8Der };
    const again = importCa(stored);
    expect(again.cert.fingerprint).toBe(ca.cert.fingerprint);
    expect(again.privateKey.equals(ca.privateKey)).toBe(true);
    const wrong = [
      { ...stored, pkcs8Der: exportCaKey(foreign) },
      { ...stored, pkcs8Der: pkcs8Der.subarray(1) },
      { ...stored, pkcs8Der: new Uint8Array() },
      { ...stored, certDer: client().der },
      { ...stored, certDer: ascii(ca.cert.pem) },
    ];
    for (const variant of wrong) expect(codeOf(() => importCa(variant))).toBe('certificate.ca.invalid');
  });

  it('is read only when each of its bytes is ours', () => {
    expect(readCa(ca.cert.der)).toEqual(ca.cert);
    for (let at = 0; at < ca.cert.der.length; at += 7) {
      const changed = ca.cert.der.with(at, (ca.cert.der[at] ?? 0) ^ 1);
      expect(codeOf(() => readCa(changed))).toBe('certificate.ca.invalid');
    }
  });

  it('signed by itself but of another profile is none', () => {
    const body = ca.cert.der.subarray(4, -404);
    const sign = (from: string, to: string): Uint8Array => {
      const changed = Buffer.from(Buffer.from(body).toString('hex').replace(from, to), 'hex');
      return signed(changed, {
        outerAlgorithm: algorithm(OID.sha512Rsa),
        signer: ca.privateKey,
        hash: 'sha512',
      });
    };
    expect(codeOf(() => readCa(sign('zz', '')))).toBe('nothing was thrown');
    const changes = [
      ['020100', '020101'], // path 1
      ['0403020106', '0403020104'], // no cRLSign
      ['551d0f0101ff', '551d0f010100'], // not critical
      ['a003020102', 'a003020101'], // version 2
      ['333631313237', '333631313238'], // a day longer
      [Buffer.from('CA 2026').toString('hex'), Buffer.from('CA\t2026').toString('hex')],
    ] as const;
    for (const [from, to] of changes) {
      expect(codeOf(() => readCa(sign(from, to)))).toBe('certificate.ca.invalid');
    }
  });

  it('needs a name that can be shown, and a clock that is set', async () => {
    const bad = [
      { commonName: '' },
      { commonName: 'x'.repeat(65) },
      { commonName: 'a\0b' },
      { commonName: 'ä' },
    ];
    for (const { commonName } of bad) {
      await expect(newCa({ commonName, nowMs: NOW_MS })).rejects.toMatchObject({
        code: 'certificate.name.invalid',
      });
    }
    for (const nowMs of [Number.NaN, 0, Number.POSITIVE_INFINITY]) {
      await expect(newCa({ commonName: 'x', nowMs })).rejects.toMatchObject({
        code: 'certificate.clock.bug',
      });
      expect(codeOf(() => client(nowMs))).toBe('certificate.clock.bug');
    }
  });
});

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

describe('a certificate request', PATIENT, () => {
  it('hands over its key', () => {
    expect(readCsr(makeCsr(key)).equals(key.publicKey)).toBe(true);
  });

  const info = (subject: Uint8Array, more: readonly Uint8Array[] = [tlv(0xa0)]): Buffer =>
    seq(int(hex('00')), subject, key.publicKey.export({ type: 'spki', format: 'der' }), ...more);
  const with512 = { outerAlgorithm: algorithm(OID.sha512Rsa), hash: 'sha512' };
  const request = (body: Uint8Array, by = key): Buffer => signed(body, { ...with512, signer: by.privateKey });

  it('may say what it wants: subject and attributes count for nothing', () => {
    const wish = seq(tlv(0x06, hex('2a864886f70d01090e')), tlv(0x31, seq()));
    for (const body of [info(name(ascii('overlord'))), info(seq()), info(seq(), [tlv(0xa0, wish)])]) {
      expect(readCsr(request(body)).equals(key.publicKey)).toBe(true);
    }
  });

  it('proves the possession of one strong key, in DER, or is refused', () => {
    const good = makeCsr(key);
    const body = info(seq());
    const weak = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const weakBody = seq(
      int(hex('00')),
      seq(),
      weak.publicKey.export({ type: 'spki', format: 'der' }),
      tlv(0xa0),
    );
    const wrong: readonly Uint8Array[] = [
      request(body, other),
      signed(weakBody, { ...with512, signer: weak.privateKey }),
      signed(body, { signer: key.privateKey, outerAlgorithm: algorithm(OID.sha256Rsa), hash: 'sha256' }),
      signed(body, { signer: key.privateKey, outerAlgorithm: algorithm(OID.sha512Rsa), hash: 'sha1' }),
      seq(body, algorithm(OID.sha512Rsa), bitString(signBytes(key.privateKey, body))),
      request(info(seq(), [])),
      request(info(seq(), [tlv(0xa0), tlv(0xa0)])),
      request(seq(int(hex('01')), seq(), key.publicKey.export({ type: 'spki', format: 'der' }), tlv(0xa0))),
      request(Buffer.concat([hex('308300'), body.subarray(2)])),
      request(Buffer.concat([hex('3080'), body.subarray(4), hex('0000')])),
      request(info(Buffer.from('3080'.repeat(500), 'hex'))),
      request(info(name(Buffer.alloc(4_000, 0x61)))),
      request(Buffer.alloc(0)),
      request(ascii('hello')),
      Buffer.concat([good, hex('00')]),
      good.subarray(0, -1),
      good.with(200, (good[200] ?? 0) ^ 1),
      client().der,
      ca.cert.der,
      new Uint8Array(),
      ascii('-----BEGIN CERTIFICATE REQUEST-----'),
    ];
    const codes = wrong.map((der) => codeOf(() => readCsr(der)));
    expect(codes).toEqual(wrong.map(() => 'certificate.request.invalid'));
  });
});
