import { createHash, type KeyObject } from 'node:crypto';
import {
  bits,
  childOf,
  childrenOf,
  contentOf,
  type Der,
  decode,
  encode,
  integer,
  octets,
  oid,
  sequence,
  setOf,
  taggedBytes,
  utf8,
  yes,
} from './der.ts';

const DAY_MS = 86_400_000;

/** Who the certificate is for; everything else in it follows from this, the key, the issuer and one instant. */
export type Profile =
  | { readonly kind: 'ca'; readonly commonName: string }
  | { readonly kind: 'client'; readonly instanceId: string; readonly userId: string }
  | { readonly kind: 'proxy'; readonly instanceId: string }
  | { readonly kind: 'server'; readonly names: ServerNames };

/** The names a server answers to. */
export interface ServerNames {
  /** Lower case. */
  readonly dns: readonly string[];
  /** 4 or 16 bytes each. */
  readonly ip: readonly Uint8Array[];
}

export type CertificateKind = Profile['kind'];

/** How long a certificate is good after it was made, in milliseconds. */
export const LIFETIME_MS: Readonly<Record<CertificateKind, number>> = {
  ca: 3650 * DAY_MS,
  client: 30 * DAY_MS,
  proxy: 90 * DAY_MS,
  server: 90 * DAY_MS,
};

/** The one name of the proxy in front of the admin listener. */
export const PROXY_NAME = 'caddy';

/** The subject's common name. People read it; nothing decides by it but the profile it has to fit. */
export function commonNameOf(profile: Profile): string {
  switch (profile.kind) {
    case 'ca':
      return profile.commonName;
    case 'client':
      return profile.userId;
    case 'proxy':
      return PROXY_NAME;
    case 'server':
      return 'agent-runtime server';
    default:
      return profile satisfies never;
  }
}

export function nameOf(commonName: string): Der {
  return sequence(setOf(sequence(oid('2.5.4.3'), utf8(commonName))));
}

/**
 * All extensions of a certificate, in their one order.
 * @param issuerKeyId unused for a CA, which signs itself
 */
export function extensionsOf(profile: Profile, publicKey: KeyObject, issuerKeyId: Uint8Array): Der {
  const keyId = extension('2.5.29.14', octets(keyIdentifier(publicKey)));
  if (profile.kind === 'ca') return sequence(...CA_EXTENSIONS, keyId);
  return sequence(
    ...LEAF_EXTENSIONS,
    extension('2.5.29.37', sequence(oid(profile.kind === 'server' ? SERVER_AUTH : CLIENT_AUTH))),
    keyId,
    extension('2.5.29.35', sequence(taggedBytes(0, issuerKeyId))),
    extension('2.5.29.17', alternativeNames(profile)),
  );
}

/** Names a key inside certificates: 160 bits of SHA-256 over the key's bits. Source: RFC 7093 section 2, method 1. */
export function keyIdentifier(publicKey: KeyObject): Uint8Array {
  const keyBits = publicKey.export({ type: 'pkcs1', format: 'der' });
  return new Uint8Array(createHash('sha256').update(keyBits).digest().subarray(0, 20));
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const URI = 6;
const DNS = 2;
const IP = 7;

const CA_EXTENSIONS: readonly Der[] = [
  // pathLenConstraint 0: it signs leaves and no further CA.
  extension('2.5.29.19', sequence(yes(), integer(Uint8Array.of(0))), 'critical'),
  extension('2.5.29.15', bits(Uint8Array.of(0x06), 1), 'critical'), // keyCertSign, cRLSign
];
const LEAF_EXTENSIONS: readonly Der[] = [
  extension('2.5.29.19', sequence(), 'critical'), // no CA
  extension('2.5.29.15', bits(Uint8Array.of(0x80), 7), 'critical'), // digitalSignature
];

function extension(id: string, value: Der, critical?: 'critical'): Der {
  const content = octets(encode(value));
  return critical ? sequence(oid(id), yes(), content) : sequence(oid(id), content);
}

function alternativeNames(profile: Exclude<Profile, { readonly kind: 'ca' }>): Der {
  switch (profile.kind) {
    case 'client':
      return uri(`urn:agent-runtime:${profile.instanceId}:user:${profile.userId}`);
    case 'proxy':
      return uri(`urn:agent-runtime:${profile.instanceId}:proxy:${PROXY_NAME}`);
    case 'server':
      return sequence(
        ...profile.names.dns.map((name) => taggedBytes(DNS, Buffer.from(name, 'latin1'))),
        ...profile.names.ip.map((address) => taggedBytes(IP, address)),
      );
    default:
      return profile satisfies never;
  }
}

function uri(text: string): Der {
  return sequence(taggedBytes(URI, Buffer.from(text, 'latin1')));
}

/** The names in an alternative-names extension, the last one of a server's certificate; other kinds of name are left out. */
export function readServerNames(extensions: Der | undefined): ServerNames {
  const names = childrenOf(decode(contentOf(childOf(childOf(extensions, -1), -1))));
  const ofType = (type: number): readonly Uint8Array[] =>
    names.filter((name) => name.type === type).map((name) => contentOf(name));
  return { dns: ofType(DNS).map((bytes) => Buffer.from(bytes).toString('latin1')), ip: ofType(IP) };
}
