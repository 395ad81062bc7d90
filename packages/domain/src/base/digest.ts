import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from './json.ts';

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** SHA-256 of bytes or UTF-8 text. */
export function sha256(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** SHA-256 of the canonical JSON of a value. */
export function digestOf(value: Json): Digest {
  return sha256(canonicalJson(value));
}
