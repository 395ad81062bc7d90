import { createHash } from 'node:crypto';

const ALGORITHMS = { 'sha-512': 'sha512', 'sha-256': 'sha256' } as const;
type DigestName = keyof typeof ALGORITHMS;

/** The Content-Digest header of a body, e.g. `sha-512=:…:`. An empty body has one too. Source: RFC 9530 section 2. */
export function contentDigest(body: Uint8Array, name: DigestName = 'sha-512'): string {
  return `${name}=:${createHash(ALGORITHMS[name]).update(body).digest('base64')}:`;
}

/**
 * True when the header is one digest, sha-512 or sha-256, of exactly this body. The header is compared with what we
 * would write and not parsed, so a list of digests of which one fits is false.
 */
export function isContentDigestOf(header: string, body: Uint8Array): boolean {
  return header === contentDigest(body, 'sha-512') || header === contentDigest(body, 'sha-256');
}
