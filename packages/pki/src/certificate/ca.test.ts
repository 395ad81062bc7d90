import { X509Certificate } from 'node:crypto';
import { AppError, parseId } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { newClientKey } from '../key/index.ts';
import { algorithm, ascii, hex, OID, signed } from './builder.fixture.ts';
import { type Ca, exportCaKey, type Issued, importCa, issueClientCert, newCa, readCa } from './index.ts';

// Generous, for machines that do other things meanwhile.
const PATIENT = { timeout: 120_000 };
const NOW_MS = Date.UTC(2026, 10, 30, 12, 0, 0, 250);

let ca: Ca;
let foreign: Ca;
let personCert: (nowMs: number) => Issued;
beforeAll(async () => {
  const commonName = 'agent-runtime CA 2026';
  const [mine, other, { publicKey }] = await Promise.all([
    newCa({ commonName, nowMs: NOW_MS }),
    newCa({ commonName, nowMs: NOW_MS }),
    newClientKey(),
  ]);
  ca = mine;
  foreign = other;
  const subject = { instanceId: 'instance-1', userId: parseId('user', 'user_0123456789') };
  personCert = (nowMs) => issueClientCert({ ca, publicKey, subject, nowMs });
}, PATIENT.timeout);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
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
      { ...stored, certDer: personCert(NOW_MS).der },
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
      expect(codeOf(() => personCert(nowMs))).toBe('certificate.clock.bug');
    }
  });
});
