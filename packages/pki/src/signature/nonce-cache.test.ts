import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NonceCache, type NonceUse } from './nonce-cache.ts';

const at = (nowMs: number, nonce: string, keyId = 'key'): NonceUse => ({
  keyId,
  nonce,
  nowMs,
  acceptableUntilMs: nowMs + 60_000,
});

describe('the nonce cache', () => {
  it('lets a nonce pass once per key', () => {
    const cache = new NonceCache();
    expect(cache.use(at(0, 'a'))).toBe('fresh');
    expect(cache.use(at(60_000, 'a'))).toBe('seen');
    expect(cache.use(at(60_000, 'b'))).toBe('fresh');
    expect(cache.use(at(60_000, 'a', 'other key'))).toBe('fresh');
  });

  it('forgets only what can no longer be accepted', () => {
    const cache = new NonceCache();
    cache.use(at(0, 'a'));
    cache.use(at(1_000, 'b'));
    cache.use(at(60_001, 'c'));
    expect(cache.size).toBe(2);
    expect(cache.use({ ...at(60_001, 'b'), acceptableUntilMs: 61_000 })).toBe('seen');
    cache.use(at(61_001, 'd'));
    expect(cache.size).toBe(2);
  });

  it('refuses when full rather than forget a live nonce', () => {
    const cache = new NonceCache({ capacity: 3 });
    expect(['a', 'b', 'c', 'd'].map((nonce) => cache.use(at(0, nonce)))).toEqual([
      'fresh',
      'fresh',
      'fresh',
      'full',
    ]);
    expect(cache.use(at(0, 'a'))).toBe('seen');
    expect(cache.size).toBe(3);
    expect(cache.use(at(60_001, 'd'))).toBe('fresh');
  });

  it('gives one key only its share, so that it cannot lock the others out', () => {
    const cache = new NonceCache({ capacity: 10, capacityPerKey: 2 });
    expect(['a', 'b', 'c'].map((nonce) => cache.use(at(0, nonce, 'busy')))).toEqual([
      'fresh',
      'fresh',
      'full',
    ]);
    expect(cache.use(at(0, 'a', 'quiet'))).toBe('fresh');
    expect(cache.use(at(60_001, 'c', 'busy'))).toBe('fresh');
  });

  it('stays shut for what it forgot when the clock is set back', () => {
    const cache = new NonceCache();
    const captured = at(0, 'a');
    cache.use(captured);
    cache.use(at(3_600_000, 'b'));
    expect(cache.use({ ...captured, nowMs: 1_000 })).toBe('late');
    expect(cache.use(at(1_000, 'new'))).toBe('fresh');
  });

  it('refuses an instant that is no number', () => {
    expect(new NonceCache().use({ ...at(0, 'a'), acceptableUntilMs: Number.NaN })).toBe('late');
  });

  it('property: no signature passes twice and memory is bounded, whatever the clock does', () => {
    const uses = fc.array(
      fc.record({
        keyId: fc.constantFrom('k1', 'k2', 'k3'),
        nonce: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        nowMs: fc.integer({ min: 0, max: 300 }),
        acceptableUntilMs: fc.integer({ min: 0, max: 400 }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(uses, (list) => {
        const cache = new NonceCache({ capacity: 8, capacityPerKey: 4 });
        const passed = new Set<string>();
        for (const use of list) {
          const name = `${use.keyId} ${use.nonce} ${use.acceptableUntilMs}`;
          if (cache.use(use) === 'fresh') {
            expect(passed.has(name)).toBe(false);
            passed.add(name);
          }
          expect(cache.size).toBeLessThanOrEqual(8);
        }
      }),
      { numRuns: 500 },
    );
  });
});
