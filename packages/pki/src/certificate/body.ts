import type { KeyObject } from 'node:crypto';
import { exportPublicKey, importPublicKey } from '../key/index.ts';
import {
  childOf,
  contentOf,
  type Der,
  decode,
  embed,
  encode,
  instant,
  integer,
  readInstant,
  sequence,
  tagged,
} from './der.ts';
import { SIGNATURE_ALGORITHM } from './envelope.ts';
import { commonNameOf, extensionsOf, LIFETIME_MS, nameOf, type Profile } from './profile.ts';

/** How far before the making a certificate starts, for clocks that are behind. */
export const BACKDATE_MS = 300_000;

/** The signing side of a certificate. A CA signs itself, so it is its own issuer. */
export interface Issuer {
  readonly commonName: string;
  /** See `keyIdentifier`. */
  readonly keyIdentifier: Uint8Array;
  /** No certificate outlives its issuer. */
  readonly notAfterMs: number;
}

/** All that differs between two certificates of one profile and issuer. */
export interface Free {
  /** 16 bytes, see `isSerial`. */
  readonly serial: Uint8Array;
  readonly publicKey: KeyObject;
  /** Whole seconds in epoch ms. */
  readonly notBeforeMs: number;
}

export const SERIAL_BYTES = 16;
const VERSION_3 = tagged(0, integer(Uint8Array.of(2)));

/** True for a serial as we make them: 16 bytes that start with the bits 01, so it is positive and has one length. */
export function isSerial(bytes: Uint8Array): boolean {
  return bytes.length === SERIAL_BYTES && (bytes[0] ?? 0) >> 6 === 1;
}

/** The last instant of a certificate, epoch ms. */
export function notAfterOf(profile: Profile, notBeforeMs: number, issuerEndMs: number): number {
  return Math.min(notBeforeMs + BACKDATE_MS + LIFETIME_MS[profile.kind], issuerEndMs);
}

/**
 * Writes the signed part of a certificate. Making and checking use this one function: whatever a certificate says that
 * this would not have written is refused.
 */
export function writeBody(profile: Profile, free: Free, issuer: Issuer): Der {
  const notAfterMs = notAfterOf(profile, free.notBeforeMs, issuer.notAfterMs);
  return sequence(
    VERSION_3,
    integer(free.serial),
    SIGNATURE_ALGORITHM,
    nameOf(issuer.commonName),
    sequence(instant(free.notBeforeMs), instant(notAfterMs)),
    nameOf(commonNameOf(profile)),
    embed(exportPublicKey(free.publicKey)),
    tagged(3, extensionsOf(profile, free.publicKey, issuer.keyIdentifier)),
  );
}

/** What was found in a signed part, by place. True only after `isBodyOf` has said so. */
export interface Found extends Free {
  readonly commonName: string;
  readonly extensions: Der | undefined;
}

/** @returns undefined when a part is not even readable, or the key is not of the one shape */
export function findFree(body: Uint8Array): Found | undefined {
  const der = decode(body);
  const publicKey = readKey(childOf(der, 6));
  const notBeforeMs = readInstant(childOf(childOf(der, 4), 0));
  if (publicKey === undefined || Number.isNaN(notBeforeMs)) return undefined;
  return {
    publicKey,
    notBeforeMs,
    serial: contentOf(childOf(der, 1)),
    commonName: readCommonName(childOf(der, 5)),
    extensions: childOf(childOf(der, 7), 0),
  };
}

/** True when this is, byte for byte, what we would have written for this profile, issuer and these free parts. */
export function isBodyOf(body: Uint8Array, profile: Profile, free: Free, issuer: Issuer): boolean {
  if (!isSerial(free.serial)) return false;
  return Buffer.compare(encode(writeBody(profile, free, issuer)), body) === 0;
}

function readCommonName(name: Der | undefined): string {
  const value = childOf(childOf(childOf(name, 0), 0), 1);
  return Buffer.from(contentOf(value)).toString('utf8');
}

function readKey(spki: Der | undefined): KeyObject | undefined {
  try {
    return spki && importPublicKey(encode(spki));
  } catch {
    return undefined;
  }
}
