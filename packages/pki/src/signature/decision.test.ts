import { canonicalJson } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey, signBytes } from '../key/index.ts';
import { signDecision, verifyDecision } from './index.ts';

const DECISION = {
  approval: 'appr_0000000000',
  effect: 'efct_0000000000',
  digest: `sha256:${'0'.repeat(64)}`,
  decision: 'approve',
  expiry: '2026-11-21T12:00:00.000Z',
  auditHead: `sha256:${'1'.repeat(64)}`,
};
const bytesOf = (decision: Record<string, string>): Uint8Array =>
  new TextEncoder().encode(canonicalJson(decision));

let key: ClientKey;
let other: ClientKey;
beforeAll(async () => {
  [key, other] = await Promise.all([newClientKey(), newClientKey()]);
}, 60_000);

const refused = expect.objectContaining({
  code: 'signature.decision.unauthenticated',
  kind: 'unauthenticated',
});

describe('a signed decision', () => {
  it('verifies with the key that made it', () => {
    const { keyId, signature } = signDecision({ canonicalBytes: bytesOf(DECISION), key });
    expect(keyId).toBe(key.keyId);
    verifyDecision({ canonicalBytes: bytesOf(DECISION), signature, publicKey: key.publicKey });
  });

  it.each(Object.keys(DECISION))('is refused when its %s is another', (member) => {
    const { signature } = signDecision({ canonicalBytes: bytesOf(DECISION), key });
    const canonicalBytes = bytesOf({ ...DECISION, [member]: 'another' });
    expect(() => verifyDecision({ canonicalBytes, signature, publicKey: key.publicKey })).toThrow(refused);
  });

  it('is refused under another key, changed, or cut', () => {
    const canonicalBytes = bytesOf(DECISION);
    const { signature } = signDecision({ canonicalBytes, key });
    const flipped = signature.with(7, (signature[7] ?? 0) ^ 1);
    const publicKey = key.publicKey;
    expect(() => verifyDecision({ canonicalBytes, signature, publicKey: other.publicKey })).toThrow(refused);
    expect(() => verifyDecision({ canonicalBytes, signature: flipped, publicKey })).toThrow(refused);
    expect(() => verifyDecision({ canonicalBytes, signature: signature.subarray(1), publicKey })).toThrow(
      refused,
    );
    expect(() => verifyDecision({ canonicalBytes, signature: new Uint8Array(), publicKey })).toThrow(refused);
  });

  it('is no signature made for another purpose, even over the same bytes', () => {
    const canonicalBytes = bytesOf(DECISION);
    const signature = signBytes(key.privateKey, canonicalBytes);
    expect(() => verifyDecision({ canonicalBytes, signature, publicKey: key.publicKey })).toThrow(refused);
  });
});
