import { type KeyObject, sign, verify } from 'node:crypto';
import { SIGNATURE_BYTES } from '../key/index.ts';
import { bits, type Der, encode, nothing, oid, sequence } from './der.ts';

/** sha512WithRSAEncryption: PKCS#1 v1.5, because OpenSSL and Go take it in every chain without parameters to agree on. */
export const SIGNATURE_ALGORITHM: Der = sequence(oid('1.2.840.113549.1.1.13'), nothing());

/** Most bytes of a certificate or request that are looked at. Ours have 1,050 to 1,400. */
export const MAX_SIGNED_BYTES = 4096;

// All bytes between the signed part and the signature are known: algorithm, then a BIT STRING of 384 bytes.
const BITS_HEADER = Uint8Array.of(0x03, 0x82, 0x01, 0x81, 0x00);
const BEFORE_SIGNATURE = Buffer.concat([encode(SIGNATURE_ALGORITHM), BITS_HEADER]);
const HEADER_BYTES = 4;
const TAIL_BYTES = BEFORE_SIGNATURE.length + SIGNATURE_BYTES;

export interface Signed {
  /** What was signed, DER: a TBSCertificate or CertificationRequestInfo. */
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** SEQUENCE {body, algorithm, signature}: the outer form of certificates and certificate requests alike. */
export function signBody(body: Der, privateKey: KeyObject): Uint8Array {
  const signature = sign('sha512', encode(body), privateKey);
  return encode(sequence(body, SIGNATURE_ALGORITHM, bits(signature)));
}

/**
 * Takes the outer form apart by its lengths alone: no parser sees a byte before its signature is known to be good.
 * @returns undefined when the bytes are not one such value and nothing else
 */
export function splitSigned(der: Uint8Array): Signed | undefined {
  if (der.length > MAX_SIGNED_BYTES || der.length < HEADER_BYTES + TAIL_BYTES) return undefined;
  const inner = der.length - HEADER_BYTES;
  const header = Uint8Array.of(0x30, 0x82, inner >> 8, inner & 0xff);
  const bodyEnd = der.length - TAIL_BYTES;
  const signatureAt = bodyEnd + BEFORE_SIGNATURE.length;
  if (Buffer.compare(der.subarray(0, HEADER_BYTES), header) !== 0) return undefined;
  if (Buffer.compare(der.subarray(bodyEnd, signatureAt), BEFORE_SIGNATURE) !== 0) return undefined;
  return { body: der.subarray(HEADER_BYTES, bodyEnd), signature: der.subarray(signatureAt) };
}

/** True when the key's other half signed exactly these bytes. @param publicKey of the one shape, see the key room */
export function isSignedWith(signed: Signed, publicKey: KeyObject): boolean {
  return verify('sha512', signed.body, publicKey, signed.signature);
}
