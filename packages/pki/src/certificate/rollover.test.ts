import { AppError, parseId } from '@agent-runtime/domain';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClientKey, newClientKey, signBytes } from '../key/index.ts';
import {
  type Ca,
  type CaSet,
  endorseCa,
  type Issued,
  issueClientCert,
  newCa,
  removeCa,
  rootsPem,
  rotateCa,
  trustedRoots,
  verifyClientCert,
  verifyEndorsement,
} from './index.ts';

const PATIENT = { timeout: 120_000 };
const DAY_MS = 86_400_000;
const OLD_MS = Date.UTC(2017, 0, 10);
/** In the last days of the old CA. */
const NOW_MS = OLD_MS + 3640 * DAY_MS;
const instanceId = 'instance-1';
const userId = parseId('user', 'user_0123456789');

let old: Ca;
let next: Ca;
let foreign: Ca;
let key: ClientKey;
beforeAll(async () => {
  [old, next, foreign, key] = await Promise.all([
    newCa({ commonName: 'agent-runtime CA', nowMs: OLD_MS }),
    newCa({ commonName: 'agent-runtime CA', nowMs: NOW_MS }),
    newCa({ commonName: 'agent-runtime CA', nowMs: NOW_MS }),
    newClientKey(),
  ]);
}, PATIENT.timeout);

const issue = (set: CaSet): Issued =>
  issueClientCert({
    ca: set.current,
    publicKey: key.publicKey,
    subject: { instanceId, userId },
    nowMs: NOW_MS,
  });

/** The fingerprint of the CA by which it is accepted, or the reason of the refusal. */
function judge(set: CaSet, { der }: Issued, nowMs = NOW_MS): string {
  try {
    return verifyClientCert({ certDer: der, roots: trustedRoots(set, nowMs), instanceId, nowMs })
      .caFingerprint;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof AppError)) throw error;
  return `${error.code} ${(error.detail as { readonly reason: string }).reason}`; // safe: what refusal() writes
}

describe('a rollover', PATIENT, () => {
  it('lets the next CA sign, and keeps the old one until its end or removal', () => {
    const before: CaSet = { current: old, others: [] };
    const after = rotateCa(before, next);
    const [early, late] = [issue(before), issue(after)];
    expect(judge(before, late)).toBe('certificate.client.unauthenticated issuer');
    expect(judge(after, early)).toBe(old.cert.fingerprint);
    expect(judge(after, late)).toBe(next.cert.fingerprint);

    const removed = removeCa(after, old.cert.fingerprint);
    expect(judge(removed, early)).toBe('certificate.client.unauthenticated issuer');
    expect(judge(removed, late)).toBe(next.cert.fingerprint);
    expect(removeCa(after, next.cert.fingerprint)).toEqual(after);

    const afterOldEnd = old.cert.notAfterMs + 1;
    expect(trustedRoots(after, afterOldEnd)).toEqual([next.cert]);
    expect(judge(after, early, afterOldEnd)).toBe('certificate.client.unauthenticated issuer');
    expect(judge(after, late, afterOldEnd)).toBe(next.cert.fingerprint);
  });

  it('gives listeners and proxies the CAs of the hour, and no key', () => {
    const set = rotateCa({ current: old, others: [] }, next);
    expect(rootsPem(set, NOW_MS)).toBe(next.cert.pem + old.cert.pem);
    expect(rootsPem(set, old.cert.notAfterMs + 1)).toBe(next.cert.pem);
    expect(rootsPem(set, OLD_MS)).toBe(old.cert.pem);
    expect(set.others).toEqual([old.cert]);
    expect(Object.keys(set.others[0] ?? {})).not.toContain('privateKey');
  });
});

describe('an endorsement', PATIENT, () => {
  const outcome = (change: Partial<Parameters<typeof verifyEndorsement>[0]>): string => {
    const endorsement = endorseCa({ by: old, next: next.cert });
    try {
      verifyEndorsement({ pinned: old.cert, next: next.cert, endorsement, nowMs: NOW_MS, ...change });
    } catch (error) {
      return reasonOf(error);
    }
    return 'followed';
  };
  const refused = (reason: string): string => `certificate.endorsement.unauthenticated ${reason}`;

  it('leads a client from the CA that it pinned to the next one', () => {
    expect(outcome({})).toBe('followed');
  });

  it('is for one CA, by the pinned one, whole', () => {
    const endorsement = endorseCa({ by: old, next: next.cert });
    const wrong: readonly Partial<Parameters<typeof verifyEndorsement>[0]>[] = [
      { next: foreign.cert },
      { pinned: foreign.cert },
      { pinned: next.cert },
      { endorsement: endorseCa({ by: foreign, next: next.cert }) },
      { endorsement: endorseCa({ by: next, next: next.cert }) },
      { endorsement: endorseCa({ by: old, next: foreign.cert }) },
      { endorsement: endorsement.with(9, (endorsement[9] ?? 0) ^ 1) },
      { endorsement: endorsement.subarray(1) },
      { endorsement: new Uint8Array() },
      // A signature over the certificate for another purpose, and the one inside a certificate.
      { endorsement: signBytes(old.privateKey, next.cert.der) },
      { endorsement: old.cert.der.subarray(-384) },
    ];
    expect(wrong.map(outcome)).toEqual(wrong.map(() => refused('key')));
  });

  it('counts while both are in their dates', () => {
    expect(outcome({ nowMs: old.cert.notAfterMs })).toBe('followed');
    expect(outcome({ nowMs: old.cert.notAfterMs + 1 })).toBe(refused('ca'));
    expect(outcome({ nowMs: next.cert.notBeforeMs - 1 })).toBe(refused('dates'));
    expect(outcome({ nowMs: Number.NaN })).toBe(refused('ca'));
  });
});
