import { AppError } from '@agent-runtime/domain';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeCsr } from '../certificate/index.ts';
import { type ClientKey, newClientKey } from '../key/index.ts';
import { fromCrockford, toCrockford } from './crockford.ts';
import {
  INVITE_LIFETIME_MS,
  inviteProof,
  isCaOfInvite,
  newInvite,
  parseInvite,
  serverProof,
  verifyInviteProof,
  verifyServerProof,
} from './index.ts';

const NOW_MS = 1_795_219_200_000;
const caFingerprint = 'ab54a98ceb1f0ad2'.repeat(4);
const HOW = { nowMs: NOW_MS, caFingerprint };
const serverIdentity = new TextEncoder().encode('the chain of the server');

let key: ClientKey;
let request: Uint8Array;
let otherDer: Uint8Array;
beforeAll(async () => {
  const [mine, other] = await Promise.all([newClientKey(), newClientKey()]);
  key = mine;
  request = makeCsr(mine);
  otherDer = makeCsr(other);
}, 60_000);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

describe('an invite code', () => {
  it('has sixteen groups of four, 136 secret bits, 120 of the CA, and lives 10 minutes', () => {
    const { code, stored } = newInvite(HOW);
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){15}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(stored.inviteId).toMatch(/^invt_[0-9a-hjkmnp-tv-z]{8}$/);
    expect(stored.proofKey).toHaveLength(32);
    expect(stored.expiresAtMs).toBe(NOW_MS + INVITE_LIFETIME_MS);
    expect(new Set(Array.from({ length: 100 }, () => newInvite(HOW).code)).size).toBe(100);
  });

  it('is not what the server stores', () => {
    const { code, stored } = newInvite(HOW);
    const secret = code.replaceAll('-', '').slice(8).toLowerCase();
    const text = JSON.stringify({ ...stored, proofKey: toCrockford(stored.proofKey.subarray(0, 30)) });
    expect(text).not.toContain(secret.slice(0, 8));
  });

  it('is read as a person would type it', () => {
    const { code, stored } = newInvite(HOW);
    const { inviteId, proofKey } = stored;
    const caPrefix = caFingerprint.slice(0, 30);
    const typed = [
      code,
      code.toLowerCase(),
      code.replaceAll('-', ''),
      ` ${code.replaceAll('-', ' ')}\n`,
      code.replaceAll('0', 'O').replaceAll('1', 'l'),
      code.replaceAll('0', 'o').replaceAll('1', 'I'),
    ];
    for (const text of typed) expect(parseInvite(text)).toEqual({ inviteId, proofKey, caPrefix });
  });

  it('with any one character wrong, two swapped, or cut is refused without being repeated', () => {
    const { code } = newInvite(HOW);
    const plain = code.replaceAll('-', '');
    for (let at = 0; at < plain.length; at++) {
      const wrong = plain[at] === 'A' ? 'B' : 'A';
      expect(codeOf(() => parseInvite(plain.slice(0, at) + wrong + plain.slice(at + 1)))).toBe(
        'invite.code.invalid',
      );
      const swapped = plain.slice(0, at) + plain.slice(at + 1, at + 2) + plain[at] + plain.slice(at + 2);
      if (swapped !== plain) expect(codeOf(() => parseInvite(swapped))).toBe('invite.code.invalid');
    }
    for (const text of ['', plain.slice(1), `${plain}0`, plain.replace(/.$/, 'U'), 'x'.repeat(1_000_000)]) {
      expect(codeOf(() => parseInvite(text))).toBe('invite.code.invalid');
    }
    expect(() => parseInvite(plain.slice(1))).not.toThrow(new RegExp(plain.slice(1, 9)));
  });

  it('survives any text: AppError or nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(codeOf(() => parseInvite(text))).toBe('invite.code.invalid');
      }),
    );
  }, 300_000); // fast-check needs seconds to know all of Unicode
});

describe("the CA's fingerprint in a code", () => {
  it('tells that CA from any other', () => {
    const invite = parseInvite(newInvite(HOW).code);
    expect(isCaOfInvite(invite, caFingerprint)).toBe(true);
    const wrong = [
      caFingerprint.replace(/^./, '0'),
      `${caFingerprint.slice(0, 29)}0${caFingerprint.slice(30)}`,
      caFingerprint.slice(0, 30),
      caFingerprint.toUpperCase(),
      `${caFingerprint}0`,
      '',
    ];
    for (const other of wrong) expect(isCaOfInvite(invite, other)).toBe(false);
  });

  it('is not left out', () => {
    for (const bad of ['', caFingerprint.slice(1), 'x'.repeat(64), caFingerprint.toUpperCase()]) {
      expect(codeOf(() => newInvite({ nowMs: NOW_MS, caFingerprint: bad }))).toBe('invite.fingerprint.bug');
    }
  });
});

describe('base32', () => {
  it('property: reads what it wrote, and has one form', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (bytes) => {
        const text = toCrockford(bytes);
        expect(text).toHaveLength(16);
        expect(fromCrockford(text, 10)).toEqual(bytes);
        expect(fromCrockford(text, 5)).toBeUndefined();
      }),
    );
    for (const text of ['0000000u', '0000000!', '000000é0']) expect(fromCrockford(text, 5)).toBeUndefined();
    expect(toCrockford(Uint8Array.of(0, 0, 0, 0, 31))).toBe('0000000z');
  });
});

describe("the client's proof", () => {
  it('opens the invite for its request', () => {
    const { code, stored } = newInvite(HOW);
    const proof = inviteProof({ invite: parseInvite(code), request });
    expect(proof).toHaveLength(32);
    const nowMs = NOW_MS + INVITE_LIFETIME_MS - 1;
    verifyInviteProof({ invite: stored, request, proof, nowMs });
  });

  it('fits no other request, invite, direction or length, and no time after the end; all get one answer', () => {
    const { code, stored } = newInvite(HOW);
    const invite = parseInvite(code);
    const proof = inviteProof({ invite, request });
    const valid = { invite: stored, request, proof, nowMs: NOW_MS };
    const reflected = serverProof({ invite, serverIdentity, keyId: key.keyId });
    const variants = [
      { ...valid, request: otherDer },
      { ...valid, invite: newInvite(HOW).stored },
      { ...valid, invite: { ...stored, inviteId: newInvite(HOW).stored.inviteId } },
      { ...valid, proof: reflected },
      { ...valid, proof: proof.subarray(1) },
      { ...valid, proof: new Uint8Array() },
      { ...valid, proof: proof.with(0, (proof[0] ?? 0) ^ 1) },
      { ...valid, nowMs: stored.expiresAtMs },
      { ...valid, nowMs: Number.NaN },
    ];
    for (const variant of variants) {
      expect(codeOf(() => verifyInviteProof(variant))).toBe('invite.proof.unauthenticated');
    }
  });
});

describe("the server's proof", () => {
  it('convinces a client with the code, for this server and this key only', () => {
    const { code, stored } = newInvite(HOW);
    const proof = serverProof({ invite: stored, serverIdentity, keyId: key.keyId });
    const claim = { invite: parseInvite(code), serverIdentity, keyId: key.keyId, proof };
    verifyServerProof(claim);
    const variants = [
      { ...claim, serverIdentity: new TextEncoder().encode('the chain of another server') },
      { ...claim, keyId: key.keyId.replace(/^./, (char) => (char === 'A' ? 'B' : 'A')) as typeof key.keyId }, // safe: a test value
      { ...claim, invite: parseInvite(newInvite(HOW).code) },
      { ...claim, proof: inviteProof({ invite: stored, request }) },
      { ...claim, proof: proof.subarray(1) },
      { ...claim, proof: new Uint8Array() },
    ];
    for (const variant of variants) {
      expect(codeOf(() => verifyServerProof(variant))).toBe('invite.server.unauthenticated');
    }
  });

  it('binds where one part ends and the next begins', () => {
    const { stored } = newInvite(HOW);
    const split = (identity: string, rest: string): Uint8Array =>
      serverProof({
        invite: stored,
        serverIdentity: new TextEncoder().encode(identity),
        keyId: rest as typeof key.keyId, // safe: only the bytes matter here
      });
    expect(split('ab', 'c')).not.toEqual(split('a', 'bc'));
  });
});
