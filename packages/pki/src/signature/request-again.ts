import type { KeyObject } from 'node:crypto';
import { isSignedBy, type KeyId } from '../key/index.ts';
import { COMPONENTS, readSignatureInput } from './profile.ts';

/** What a kept signature base says was asked. */
export interface KeptRequest {
  readonly keyId: KeyId;
  readonly method: string;
  /** As on the wire, without the query. */
  readonly path: string;
  readonly createdAtMs: number;
}

const NAMES = [...COMPONENTS, '@signature-params'];

/**
 * Reads the signature base of a request that was accepted once, from the audit.
 * @param base text that `verifyRequest` returned as `signatureBase`
 * @returns undefined for any other text: signatures for other purposes never fit
 */
export function readSignatureBase(base: string): KeptRequest | undefined {
  const lines = base.split('\n');
  const values = NAMES.map((name, at) => {
    const start = `"${name}": `;
    const line = lines[at] ?? '';
    return line.startsWith(start) ? line.slice(start.length) : undefined;
  });
  const [method, , path] = values;
  const parameters = readSignatureInput(`sig=${values.at(-1)}`);
  const isWhole = lines.length === NAMES.length && !values.includes(undefined);
  if (!isWhole || parameters === undefined || method === undefined || path === undefined) return undefined;
  return { keyId: parameters.keyId, method, path, createdAtMs: parameters.createdSeconds * 1000 };
}

/** True when this key made the signature over that base. Clock, boot and nonce were looked at when the request came in. */
export function isRequestSignature(kept: {
  readonly publicKey: KeyObject;
  readonly base: string;
  readonly signature: Uint8Array;
}): boolean {
  if (readSignatureBase(kept.base) === undefined) return false;
  return isSignedBy(kept.publicKey, new TextEncoder().encode(kept.base), kept.signature);
}
