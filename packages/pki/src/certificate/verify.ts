import { isIP } from 'node:net';
import { AppError, type UserId } from '@agent-runtime/domain';
import { type KeyId, keyIdOf } from '../key/index.ts';
import { type Found, findFree, isBodyOf, notAfterOf } from './body.ts';
import type { CaCert, Fingerprint } from './ca.ts';
import { isSignedWith, type Signed, splitSigned } from './envelope.ts';
import { addressBytes, clientProfile, proxyProfile, serverProfile } from './issue.ts';
import { isWithin } from './lifetime.ts';
import { type Profile, readServerNames, type ServerNames } from './profile.ts';
import { type Refused, refusal } from './refusal.ts';

/** A certificate that a peer showed, and by what it is judged. */
export interface CertificateToVerify {
  /** The peer's own certificate and nothing else. CAs that a peer sends along are not looked at. */
  readonly certDer: Uint8Array;
  /** The CAs we trust, from our own store. */
  readonly roots: readonly CaCert[];
  readonly nowMs: number;
}

export interface VerifiedCert {
  /** 32 hex digits: what a revocation names. */
  readonly serial: string;
  /** The certified key, as the request signatures name it. */
  readonly keyId: KeyId;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Which of the roots signed it. */
  readonly caFingerprint: Fingerprint;
}

export interface VerifiedClientCert extends VerifiedCert {
  readonly userId: UserId;
}

/**
 * Accepts a person's certificate: signed by a trusted CA that is in its dates, in its own dates, and byte for byte what
 * we would have written for its user, key, serial and start. Revocation is the caller's: ask by serial and by key id.
 * @throws AppError certificate.client.unauthenticated
 */
export function verifyClientCert(
  input: CertificateToVerify & { readonly instanceId: string },
): VerifiedClientCert {
  const leaf = readLeaf('client', input);
  const userId = leaf.found.commonName as UserId; // safe: clientProfile refuses what is none, before anyone sees it
  const profile = attempt(() => clientProfile({ instanceId: input.instanceId, userId }));
  return { ...accept(leaf, profile), userId };
}

/**
 * Accepts the proxy's certificate, by the same rules.
 * @throws AppError certificate.proxy.unauthenticated
 */
export function verifyProxyCert(input: CertificateToVerify & { readonly instanceId: string }): VerifiedCert {
  const leaf = readLeaf('proxy', input);
  const profile = attempt(() => proxyProfile(input.instanceId));
  return accept(leaf, profile);
}

/**
 * Accepts the server's certificate, by the same rules, when it names the host that was dialled.
 * @param input.host the name or address of the URL, without port or brackets
 * @throws AppError certificate.server.unauthenticated
 */
export function verifyServerCert(input: CertificateToVerify & { readonly host: string }): VerifiedCert {
  const leaf = readLeaf('server', input);
  const names = readServerNames(leaf.found.extensions);
  const profile = attempt(() => serverProfile(names));
  const verified = accept(leaf, profile);
  if (!isNamed(names, input.host)) throw refusal('server', 'host');
  return verified;
}

interface Leaf {
  readonly refused: Refused;
  readonly nowMs: number;
  readonly signed: Signed;
  readonly issuer: CaCert;
  readonly found: Found;
}

// The signature comes before everything that takes the certificate apart: a stranger's bytes reach no parser.
function readLeaf(refused: Refused, { certDer, roots, nowMs }: CertificateToVerify): Leaf {
  const signed = splitSigned(certDer);
  if (signed === undefined) throw refusal(refused, 'form');
  const issuer = roots.find(({ publicKey }) => isSignedWith(signed, publicKey));
  if (issuer === undefined) throw refusal(refused, 'issuer');
  if (!isWithin(issuer, nowMs)) throw refusal(refused, 'ca');
  const found = findFree(signed.body);
  if (found === undefined) throw refusal(refused, 'profile');
  return { refused, nowMs, signed, issuer, found };
}

function accept({ refused, nowMs, signed, issuer, found }: Leaf, profile: Profile | undefined): VerifiedCert {
  if (profile === undefined || !isBodyOf(signed.body, profile, found, issuer))
    throw refusal(refused, 'profile');
  const life = {
    notBeforeMs: found.notBeforeMs,
    notAfterMs: notAfterOf(profile, found.notBeforeMs, issuer.notAfterMs),
  };
  if (!isWithin(life, nowMs)) throw refusal(refused, 'dates');
  return {
    serial: Buffer.from(found.serial).toString('hex'),
    keyId: keyIdOf(found.publicKey),
    ...life,
    caFingerprint: issuer.fingerprint,
  };
}

function isNamed(names: ServerNames, host: string): boolean {
  if (isIP(host) === 0) return names.dns.includes(host.toLowerCase());
  const address = attempt(() => addressBytes(host));
  return address !== undefined && names.ip.some((ip) => Buffer.compare(ip, address) === 0);
}

/** What a rule of ours refuses to write is no profile of ours. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
