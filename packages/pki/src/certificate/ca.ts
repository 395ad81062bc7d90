import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import { newClientKey } from '../key/index.ts';
import { BACKDATE_MS, findFree, type Issuer, isBodyOf, notAfterOf, SERIAL_BYTES, writeBody } from './body.ts';
import { isSignedWith, signBody, splitSigned } from './envelope.ts';
import { certificatePem } from './pem.ts';
import { keyIdentifier } from './profile.ts';

/** SHA-256 of a certificate's DER, 64 hex digits. */
export type Fingerprint = string;

declare const checked: unique symbol;

/**
 * A CA's certificate that was found to be one of ours, by `readCa`: what is trusted, and all that a client needs. Its
 * dates are compared with the clock at each use.
 */
export interface CaCert extends Issuer {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly fingerprint: Fingerprint;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly [checked]: true;
}

/** A CA that can sign. `privateKey` is the most precious secret of an appliance. */
export interface Ca {
  readonly cert: CaCert;
  readonly privateKey: KeyObject;
}

// The dates a certificate can write without doubt: before 2000 the short form of a year reads as another century.
const FIRST_MS = Date.UTC(2000, 0, 2);
const LAST_MS = Date.UTC(9980, 0, 1);
const COMMON_NAME = /^[\x20-\x7e]{1,64}$/;

/**
 * Makes a CA: RSA of 3072 bits, signs itself, good for 10 years. Give each a name of its own, e.g. with its year: people
 * tell them apart by it during a rollover. Cost: a few hundred milliseconds, off the main thread.
 * @param input.commonName 1 to 64 printable ASCII characters
 * @throws AppError certificate.name.invalid, certificate.clock.bug
 */
export async function newCa(input: { readonly commonName: string; readonly nowMs: number }): Promise<Ca> {
  const { commonName, nowMs } = input;
  if (!COMMON_NAME.test(commonName)) {
    throw new AppError({
      code: 'certificate.name.invalid',
      kind: 'invalid',
      message: 'The name of a CA has 1 to 64 letters, digits, spaces or signs of ASCII.',
    });
  }
  const notBeforeMs = startOf(nowMs);
  const { privateKey, publicKey } = await newClientKey();
  const issuer = selfIssuer(commonName, publicKey, notBeforeMs);
  const free = { serial: newSerial(), publicKey, notBeforeMs };
  const der = signBody(writeBody({ kind: 'ca', commonName }, free, issuer), privateKey);
  return { cert: readCa(der), privateKey };
}

/**
 * Reads a CA certificate that we made: exact profile, signed by itself. Cost about 1 ms: read once, keep the result.
 * @throws AppError certificate.ca.invalid
 */
export function readCa(der: Uint8Array): CaCert {
  const cert = findCa(der);
  if (cert === undefined) throw invalidCa();
  return cert;
}

function findCa(der: Uint8Array): CaCert | undefined {
  const signed = splitSigned(der);
  if (signed === undefined) return undefined;
  const found = findFree(signed.body);
  if (found === undefined || !COMMON_NAME.test(found.commonName)) return undefined;
  const { publicKey, notBeforeMs, commonName } = found;
  const issuer = selfIssuer(commonName, publicKey, notBeforeMs);
  const isOurs =
    isSignedWith(signed, publicKey) && isBodyOf(signed.body, { kind: 'ca', commonName }, found, issuer);
  if (!isOurs) return undefined;
  const facts = { ...issuer, publicKey, notBeforeMs, der, pem: certificatePem(der) };
  return { ...facts, fingerprint: caFingerprint(der) } as CaCert; // safe: this is the check that the brand stands for
}

/** SHA-256 of the certificate: what an invite code carries the beginning of, and what people compare. */
export function caFingerprint(certDer: Uint8Array): Fingerprint {
  return createHash('sha256').update(certDer).digest('hex');
}

/** The private key as PKCS#8 DER, unencrypted: to be encrypted with the master key before it is written anywhere. */
export function exportCaKey(ca: Pick<Ca, 'privateKey'>): Uint8Array {
  return new Uint8Array(ca.privateKey.export({ type: 'pkcs8', format: 'der' }));
}

/**
 * Puts a stored CA together again.
 * @throws AppError certificate.ca.invalid: the certificate is none of ours, or the key is damaged or another's
 */
export function importCa(stored: { readonly certDer: Uint8Array; readonly pkcs8Der: Uint8Array }): Ca {
  const cert = readCa(stored.certDer);
  const privateKey = readPrivateKey(stored.pkcs8Der);
  if (!createPublicKey(privateKey).equals(cert.publicKey))
    throw invalidCa('the key is of another certificate');
  return { cert, privateKey };
}

function readPrivateKey(pkcs8Der: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8Der), format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw invalidCa(undefined, cause);
  }
}

/** A fresh serial: 126 random bits behind the bits 01. */
export function newSerial(): Uint8Array {
  const bytes = new Uint8Array(randomBytes(SERIAL_BYTES));
  return bytes.with(0, ((bytes[0] ?? 0) & 0x3f) | 0x40);
}

/** The first instant of a certificate made now, in whole seconds. @throws AppError certificate.clock.bug */
export function startOf(nowMs: number): number {
  const isUsable = nowMs >= FIRST_MS && nowMs <= LAST_MS;
  if (isUsable) return Math.floor((nowMs - BACKDATE_MS) / 1000) * 1000;
  throw new AppError({
    code: 'certificate.clock.bug',
    kind: 'bug',
    message: 'No certificate was made: the clock of this machine is wrong. Set it, then try again.',
    detail: { nowMs },
  });
}

function selfIssuer(commonName: string, publicKey: KeyObject, notBeforeMs: number): Issuer {
  const notAfterMs = notAfterOf({ kind: 'ca', commonName }, notBeforeMs, Number.POSITIVE_INFINITY);
  return { commonName, keyIdentifier: keyIdentifier(publicKey), notAfterMs };
}

function invalidCa(detail?: string, cause?: unknown): AppError {
  return new AppError({
    code: 'certificate.ca.invalid',
    kind: 'invalid',
    message:
      'The stored CA cannot be read: certificate or key is damaged. Restore them from a backup, or make a new CA.',
    detail,
    cause,
  });
}
