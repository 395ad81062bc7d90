import { AppError } from '@agent-runtime/domain';
import asn1 from 'node-forge/lib/asn1.js';

/** One ASN.1 value, written or read. */
export interface Der {
  readonly tagClass: number;
  readonly type: number;
  readonly constructed: boolean;
  /** Children, or bytes as one character per byte. */
  readonly value: string | readonly Der[];
}

const UNIVERSAL = 0x00;
const CONTEXT = 0x80;
const TAG = {
  boolean: 1,
  integer: 2,
  bits: 3,
  octets: 4,
  nothing: 5,
  oid: 6,
  utf8: 12,
  sequence: 16,
  set: 17,
  utcTime: 23,
  generalizedTime: 24,
} as const;
// What we read is six deep; a certificate request of a stranger may try more.
const MAX_DEPTH = 16;

export function sequence(...children: readonly Der[]): Der {
  return asn1.create(UNIVERSAL, TAG.sequence, true, children);
}

export function setOf(child: Der): Der {
  return asn1.create(UNIVERSAL, TAG.set, true, [child]);
}

/** @param bytes big-endian two's complement */
export function integer(bytes: Uint8Array): Der {
  return asn1.create(UNIVERSAL, TAG.integer, false, toBinary(bytes));
}

/** Only `true`: DER leaves out what is false by default. */
export function yes(): Der {
  return asn1.create(UNIVERSAL, TAG.boolean, false, '\xff');
}

export function nothing(): Der {
  return asn1.create(UNIVERSAL, TAG.nothing, false, '');
}

export function oid(dotted: string): Der {
  return asn1.create(UNIVERSAL, TAG.oid, false, asn1.oidToDer(dotted).getBytes());
}

export function utf8(text: string): Der {
  return asn1.create(UNIVERSAL, TAG.utf8, false, toBinary(Buffer.from(text, 'utf8')));
}

export function octets(bytes: Uint8Array): Der {
  return asn1.create(UNIVERSAL, TAG.octets, false, toBinary(bytes));
}

/** @param unusedBits at the end of the last byte, 0 to 7 */
export function bits(bytes: Uint8Array, unusedBits = 0): Der {
  return asn1.create(UNIVERSAL, TAG.bits, false, String.fromCharCode(unusedBits) + toBinary(bytes));
}

/** `[tag] IMPLICIT` of bytes. */
export function taggedBytes(tag: number, bytes: Uint8Array): Der {
  return asn1.create(CONTEXT, tag, false, toBinary(bytes));
}

/** `[tag] EXPLICIT` of values, or `IMPLICIT` of a set of them. */
export function tagged(tag: number, ...children: readonly Der[]): Der {
  return asn1.create(CONTEXT, tag, true, children);
}

/** An instant in whole seconds: UTCTime to the end of 2049, GeneralizedTime after. Source: RFC 5280 section 4.1.2.5. */
export function instant(atMs: number): Der {
  const text = new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  if (text < '2050') return asn1.create(UNIVERSAL, TAG.utcTime, false, text.slice(2));
  return asn1.create(UNIVERSAL, TAG.generalizedTime, false, text);
}

/** @returns epoch ms; NaN or another instant for what `instant` would not have written, so compare by writing again */
export function readInstant(der: Der | undefined): number {
  const text = Buffer.from(contentOf(der)).toString('latin1');
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(
    der?.type === TAG.utcTime ? `20${text}` : text,
  );
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** A value that is there as DER already, e.g. a public key of ours. @throws AppError certificate.der.bug */
export function embed(bytes: Uint8Array): Der {
  const der = decode(bytes);
  if (der !== undefined) return der;
  throw new AppError({
    code: 'certificate.der.bug',
    kind: 'bug',
    message: 'A certificate could not be written. The log has the details.',
    detail: 'embedded bytes are not DER',
  });
}

export function encode(der: Der): Uint8Array {
  return fromBinary(asn1.toDer(der).getBytes());
}

/**
 * Reads one value in DER. BER spellings (long lengths, padded integers, indefinite length) and trailing bytes are
 * refused: what is read gives the same bytes when written.
 * @returns undefined for anything else
 */
export function decode(bytes: Uint8Array): Der | undefined {
  const der = parse(bytes);
  return der !== undefined && Buffer.compare(encode(der), bytes) === 0 ? der : undefined;
}

function parse(bytes: Uint8Array): Der | undefined {
  try {
    return asn1.fromDer(toBinary(bytes), {
      strict: true,
      parseAllBytes: true,
      // Else a key inside a BIT STRING is taken apart, and a signature that looks like a value as well.
      decodeBitStrings: false,
      maxDepth: MAX_DEPTH,
    });
  } catch {
    return undefined;
  }
}

/** @returns the child at this place; undefined when there is none or the value holds bytes */
export function childOf(der: Der | undefined, at: number): Der | undefined {
  const value = der?.value;
  return typeof value === 'object' ? value.at(at) : undefined;
}

export function childrenOf(der: Der | undefined): readonly Der[] {
  return typeof der?.value === 'object' ? der.value : [];
}

/** @returns the bytes of the value; none when it holds children */
export function contentOf(der: Der | undefined): Uint8Array {
  return typeof der?.value === 'string' ? fromBinary(der.value) : new Uint8Array();
}

function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function fromBinary(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
