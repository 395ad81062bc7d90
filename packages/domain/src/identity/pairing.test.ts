import { describe, expect, test } from 'vitest';
import { makeRedactor } from '../base/index.ts';
import { isPairingLive, type Pairing, pairingCode, pairingHash } from './pairing.ts';

const FORM = /^(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/;

describe('a pairing code', () => {
  test('has seven groups of letters that nobody misreads, other ones for each secret', () => {
    const codes = Array.from({ length: 200 }, (_, n) => pairingCode(`secret-${n}`));
    for (const code of codes) expect(code).toMatch(FORM);
    expect(new Set(codes).size).toBe(200);
    // Every place of the code differs somewhere: none of its 140 bits stands still.
    for (let at = 0; at < 34; at += 1)
      if (at % 5 !== 4) expect(new Set(codes.map((code) => code[at])).size, `${at}`).toBeGreaterThan(20);
  });

  test('is known however it was typed, and by nothing else', () => {
    const hash = pairingHash('0123-10AB-0000-0000-0000-0000-000Z');
    for (const typed of [
      '0123-10ab-0000-0000-0000-0000-000z',
      ' O123 LOAB OOOO 0000 0000 0000 000Z\n',
      '0i23IoAB0000000000000000000Z',
    ])
      expect(pairingHash(typed), typed).toBe(hash);
    expect(pairingHash('0123-10AB-0000-0000-0000-0000-000Y')).not.toBe(hash);
    expect(pairingHash('')).not.toBe(hash);
  });

  test('is hidden by the redactor', () => {
    const code = pairingCode('secret');
    expect(makeRedactor(() => []).text(`It is ${code}.`)).toBe('It is [redacted].');
  });

  test('ends at its instant', () => {
    const pairing = { expiresAt: 1_000 } as Pairing; // safe: only its end is looked at
    expect([isPairingLive(pairing, 999), isPairingLive(pairing, 1_000)]).toEqual([true, false]);
    expect(isPairingLive({ ...pairing, expiresAt: Number.NaN }, 0)).toBe(false);
  });
});
