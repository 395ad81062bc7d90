import { generateKeyPairSync } from 'node:crypto';
import { AppError, parseId } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey, signBytes } from '../key/index.ts';
import { algorithm, ascii, bitString, hex, int, name, OID, seq, signed, tlv } from './builder.fixture.ts';
import { type Ca, issueClientCert, makeCsr, newCa, readCsr } from './index.ts';

// Generous, for machines that do other things meanwhile.
const PATIENT = { timeout: 120_000 };
const nowMs = Date.UTC(2026, 10, 30, 12);

let ca: Ca;
let key: ClientKey;
let other: ClientKey;
beforeAll(async () => {
  [ca, key, other] = await Promise.all([
    newCa({ commonName: 'agent-runtime CA 2026', nowMs }),
    newClientKey(),
    newClientKey(),
  ]);
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
    const subject = { instanceId: 'instance-1', userId: parseId('user', 'user_0123456789') };
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
      issueClientCert({ ca, publicKey: key.publicKey, subject, nowMs }).der,
      ca.cert.der,
      new Uint8Array(),
      ascii('-----BEGIN CERTIFICATE REQUEST-----'),
    ];
    const codes = wrong.map((der) => codeOf(() => readCsr(der)));
    expect(codes).toEqual(wrong.map(() => 'certificate.request.invalid'));
  });
});
