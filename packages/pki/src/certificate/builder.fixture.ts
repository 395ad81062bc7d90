// Writes certificates by hand, without the code under test: a good one, and any that differs from it in one place.
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** One DER value. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content]);
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  if (length < 0x100) return Uint8Array.of(0x81, length);
  return Uint8Array.of(0x82, length >> 8, length & 0xff);
}

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
export const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
export const seq = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
export const int = (bytes: Uint8Array): Buffer => tlv(0x02, bytes);
export const octets = (...parts: readonly Uint8Array[]): Buffer => tlv(0x04, ...parts);
export const bitString = (bytes: Uint8Array, unused = 0): Buffer => tlv(0x03, Uint8Array.of(unused), bytes);
export const TRUE = hex('0101ff');
export const NULL = hex('0500');

/** Object identifiers as the bytes of their content. */
export const OID = {
  commonName: hex('550403'),
  basicConstraints: hex('551d13'),
  keyUsage: hex('551d0f'),
  extKeyUsage: hex('551d25'),
  subjectKeyId: hex('551d0e'),
  authorityKeyId: hex('551d23'),
  altName: hex('551d11'),
  clientAuth: hex('2b06010505070302'),
  serverAuth: hex('2b06010505070301'),
  rsa: hex('2a864886f70d010101'),
  rsaPss: hex('2a864886f70d01010a'),
  sha512Rsa: hex('2a864886f70d01010d'),
  sha384Rsa: hex('2a864886f70d01010c'),
  sha256Rsa: hex('2a864886f70d01010b'),
  sha1Rsa: hex('2a864886f70d010105'),
  md5Rsa: hex('2a864886f70d010104'),
  ecdsaSha512: hex('2a8648ce3d040304'),
} as const;

export const oid = (content: Uint8Array): Buffer => tlv(0x06, content);
export const algorithm = (id: Uint8Array, parameters: Uint8Array = NULL): Buffer => seq(oid(id), parameters);

/** @param string tag of the string type; UTF8String unless told */
export function name(text: Uint8Array, string = 0x0c): Buffer {
  return seq(tlv(0x31, seq(oid(OID.commonName), tlv(string, text))));
}

export function extension(id: Uint8Array, value: Uint8Array, critical: Uint8Array = Buffer.alloc(0)): Buffer {
  return seq(oid(id), critical, octets(value));
}

export const utcTime = (text: string): Buffer => tlv(0x17, ascii(text));
export const generalizedTime = (text: string): Buffer => tlv(0x18, ascii(text));

export function keyId(key: KeyObject): Buffer {
  const bits = createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({
    type: 'pkcs1',
    format: 'der',
  });
  return createHash('sha256').update(bits).digest().subarray(0, 20);
}

export const EXTENSION_NAMES = [
  'basicConstraints',
  'keyUsage',
  'extKeyUsage',
  'subjectKeyId',
  'authorityKeyId',
  'altName',
] as const;
export type ExtensionName = (typeof EXTENSION_NAMES)[number];

/** Every part of a certificate as its DER, so that one can be replaced. */
export interface Parts {
  readonly version: Uint8Array;
  readonly serial: Uint8Array;
  readonly innerAlgorithm: Uint8Array;
  readonly issuer: Uint8Array;
  readonly validity: Uint8Array;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  /** Between key and extensions, where unique ids would be. */
  readonly uniqueIds: Uint8Array;
  readonly extensions: readonly Uint8Array[];
  /** Behind the extensions. */
  readonly behind: Uint8Array;
  readonly outerAlgorithm: Uint8Array;
  readonly signer: KeyObject;
  readonly hash: string;
}

export interface GoodInput {
  readonly caName: string;
  readonly caKey: KeyObject;
  readonly caPublicKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly serial: Uint8Array;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly instanceId: string;
  readonly userId: string;
}

export function uriName(text: Uint8Array | string): Buffer {
  return tlv(0x86, typeof text === 'string' ? ascii(text) : text);
}

/** The parts of a person's certificate as docs/rooms/certificate.md describes it. */
export function goodParts(input: GoodInput): Parts {
  const uri = `urn:agent-runtime:${input.instanceId}:user:${input.userId}`;
  return {
    version: tlv(0xa0, int(hex('02'))),
    serial: int(input.serial),
    innerAlgorithm: algorithm(OID.sha512Rsa),
    issuer: name(ascii(input.caName)),
    validity: seq(utcTime(input.notBefore), utcTime(input.notAfter)),
    subject: name(ascii(input.userId)),
    spki: input.publicKey.export({ type: 'spki', format: 'der' }),
    uniqueIds: Buffer.alloc(0),
    extensions: [
      extension(OID.basicConstraints, seq(), TRUE),
      extension(OID.keyUsage, bitString(hex('80'), 7), TRUE),
      extension(OID.extKeyUsage, seq(oid(OID.clientAuth))),
      extension(OID.subjectKeyId, octets(keyId(input.publicKey))),
      extension(OID.authorityKeyId, seq(tlv(0x80, keyId(input.caPublicKey)))),
      extension(OID.altName, seq(uriName(uri))),
    ],
    behind: Buffer.alloc(0),
    outerAlgorithm: algorithm(OID.sha512Rsa),
    signer: input.caKey,
    hash: 'sha512',
  };
}

/** The signed part. */
export function bodyOf(parts: Parts): Buffer {
  return seq(
    parts.version,
    parts.serial,
    parts.innerAlgorithm,
    parts.issuer,
    parts.validity,
    parts.subject,
    parts.spki,
    parts.uniqueIds,
    tlv(0xa3, seq(...parts.extensions)),
    parts.behind,
  );
}

/** Signs a signed part of any content and wraps it. */
export function signed(body: Uint8Array, parts: Pick<Parts, 'outerAlgorithm' | 'signer' | 'hash'>): Buffer {
  return seq(body, parts.outerAlgorithm, bitString(sign(parts.hash, body, parts.signer)));
}

export function build(parts: Parts): Buffer {
  return signed(bodyOf(parts), parts);
}
