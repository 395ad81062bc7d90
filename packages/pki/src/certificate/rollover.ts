import { isSignedBy, signBytes } from '../key/index.ts';
import type { Ca, CaCert, Fingerprint } from './ca.ts';
import { isWithin } from './lifetime.ts';
import { refusal } from './refusal.ts';

/** The CAs of one appliance. `current` signs; `others` (older ones, newest first) are still trusted and sign nothing. */
export interface CaSet {
  readonly current: Ca;
  readonly others: readonly CaCert[];
}

/**
 * Put before a new CA when the old one signs it. A certificate starts with 0x30, so no signature over one is ever good
 * as an endorsement; the padding differs as well (PSS here, PKCS#1 v1.5 there).
 */
const PURPOSE = new TextEncoder().encode('agent-runtime next ca v1\n');

/**
 * The next CA takes over: it signs from now on, what the old one signed stays good until that ends or is removed. The
 * old private key is not in the result; endorse the next CA with it, then destroy it.
 */
export function rotateCa(set: CaSet, next: Ca): CaSet {
  return { current: next, others: [set.current.cert, ...set.others] };
}

/** Ends the trust in an older CA, e.g. when the last certificate of it was renewed. The current one stays. */
export function removeCa(set: CaSet, fingerprint: Fingerprint): CaSet {
  return { ...set, others: set.others.filter((cert) => cert.fingerprint !== fingerprint) };
}

/** The CAs to trust at an instant: those that are in their dates, the current one first. */
export function trustedRoots(set: CaSet, nowMs: number): readonly CaCert[] {
  return [set.current.cert, ...set.others].filter((cert) => isWithin(cert, nowMs));
}

/** The same as one PEM text, for TLS listeners and the proxy. */
export function rootsPem(set: CaSet, nowMs: number): string {
  return trustedRoots(set, nowMs)
    .map(({ pem }) => pem)
    .join('');
}

/**
 * The old CA's word that `next` is its successor: by it a client that pinned the old one follows without enrolling again.
 * @returns 384 bytes, public
 */
export function endorseCa(input: { readonly by: Ca; readonly next: CaCert }): Uint8Array {
  return signBytes(input.by.privateKey, withPurpose(input.next));
}

/**
 * Returns when the pinned CA endorsed the next one and both are in their dates; only then may a client trust the next.
 * After two rollovers, go from the pinned one to the second and from that to the third.
 * @throws AppError certificate.endorsement.unauthenticated
 */
export function verifyEndorsement(input: {
  readonly pinned: CaCert;
  readonly next: CaCert;
  readonly endorsement: Uint8Array;
  readonly nowMs: number;
}): void {
  const { pinned, next, endorsement, nowMs } = input;
  if (!isWithin(pinned, nowMs)) throw refusal('endorsement', 'ca');
  if (!isWithin(next, nowMs)) throw refusal('endorsement', 'dates');
  if (!isSignedBy(pinned.publicKey, withPurpose(next), endorsement)) throw refusal('endorsement', 'key');
}

function withPurpose({ der }: CaCert): Uint8Array {
  return Buffer.concat([PURPOSE, der]);
}
