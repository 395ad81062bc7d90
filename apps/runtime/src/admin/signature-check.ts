import type { KeyObject } from 'node:crypto';
import type { KeptSignature, SignatureCheck } from '@agent-runtime/domain';
import {
  importPublicKey,
  isRequestSignature,
  keyIdOf,
  readSignatureBase,
  verifyDecision,
} from '@agent-runtime/pki';

/** The cryptography of packages/pki for signatures that the log keeps. Keys are read once each. */
export function makeSignatureCheck(): SignatureCheck {
  const keys = new Map<string, KeyObject | undefined>();
  const keyOf = (publicKey: string): KeyObject | undefined => {
    if (!keys.has(publicKey)) keys.set(publicKey, readKey(publicKey));
    return keys.get(publicKey);
  };
  return {
    keyIdOf: (publicKey) => {
      const key = keyOf(publicKey);
      return key === undefined ? undefined : keyIdOf(key);
    },
    isDecision: (kept) => isDecision(keyOf(kept.publicKey), kept),
    isRequest: ({ publicKey, signed, signature }) => {
      const key = keyOf(publicKey);
      return (
        key !== undefined &&
        isRequestSignature({ publicKey: key, base: signed, signature: bytesOf(signature) })
      );
    },
    readRequest: readSignatureBase,
  };
}

function isDecision(publicKey: KeyObject | undefined, { signed, signature }: KeptSignature): boolean {
  if (publicKey === undefined) return false;
  try {
    const canonicalBytes = new TextEncoder().encode(signed);
    verifyDecision({ canonicalBytes, signature: bytesOf(signature), publicKey });
    return true;
  } catch {
    return false;
  }
}

function readKey(publicKey: string): KeyObject | undefined {
  try {
    return importPublicKey(bytesOf(publicKey));
  } catch {
    return undefined;
  }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
