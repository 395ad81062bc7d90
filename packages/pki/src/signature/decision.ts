import type { KeyObject } from 'node:crypto';
import { type ClientKey, isSignedBy, type KeyId, signBytes } from '../key/index.ts';
import { refusal } from './refusal.ts';

/**
 * Put before the bytes of a decision. A request's base starts with `"@method"`, a certificate request with 0x30 and a
 * TLS handshake proof with spaces, so a signature made for one purpose is never good for another.
 */
const PURPOSE = new TextEncoder().encode('agent-runtime decision v1\n');

/** A person's signature under a decision about an effect, kept with the approval and in the audit. */
export interface DecisionSignature {
  readonly keyId: KeyId;
  /** rsa-pss-sha512, 384 bytes. */
  readonly signature: Uint8Array;
}

/**
 * Signs a decision.
 * @param canonicalBytes UTF-8 of the RFC 8785 JSON of {approval, effect, digest, decision, expiry, auditHead}
 * @throws never. Cost about 1 ms.
 */
export function signDecision(decision: {
  readonly canonicalBytes: Uint8Array;
  readonly key: ClientKey;
}): DecisionSignature {
  const { canonicalBytes, key } = decision;
  return { keyId: key.keyId, signature: signBytes(key.privateKey, withPurpose(canonicalBytes)) };
}

/**
 * Returns when these exact bytes were signed by this key as a decision. It throws and has no result to forget.
 * @param decision.canonicalBytes rebuilt by the verifier from its own record, never taken from the signer
 * @throws AppError signature.decision.unauthenticated
 */
export function verifyDecision(decision: {
  readonly canonicalBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: KeyObject;
}): void {
  const { canonicalBytes, signature, publicKey } = decision;
  if (!isSignedBy(publicKey, withPurpose(canonicalBytes), signature)) throw refusal('decision');
}

function withPurpose(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([PURPOSE, bytes]);
}
