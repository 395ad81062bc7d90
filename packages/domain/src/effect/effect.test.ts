import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../base/index.ts';
import {
  assertIntact,
  EFFECT_STATES,
  type Effect,
  type EffectBytes,
  type EffectState,
  effectBytes,
  effectDigest,
} from './effect.ts';
import { type EffectEvent, isFinalEffect, moveEffect, nextEffectState } from './machine.ts';

const BYTES: EffectBytes = {
  kind: 'message.post',
  sink: { connector: 'memory', account: 'demo', address: 'news' },
  recipients: ['news', 'board'],
  payloads: [{ text: 'one' }, { text: 'two' }],
};
const EVENTS: readonly EffectEvent[] = [
  'approve',
  'deny',
  'withdraw',
  'supersede',
  'expire',
  'claim',
  'succeed',
  'reject',
  'retry',
  'lose',
  'resolve_sent',
  'resolve_not_sent',
  'panic',
];

describe('the digest of an effect', () => {
  const changes: readonly (readonly [string, Partial<EffectBytes>])[] = [
    ['kind', { kind: 'message.posts' }],
    ['connector', { sink: { ...BYTES.sink, connector: 'memory2' } }],
    ['account', { sink: { ...BYTES.sink, account: 'demo2' } }],
    ['address', { sink: { ...BYTES.sink, address: 'new' } }],
    ['a recipient', { recipients: ['news'] }],
    ['order of recipients', { recipients: ['board', 'news'] }],
    ['one byte of a payload', { payloads: [{ text: 'onE' }, { text: 'two' }] }],
    ['order of payloads', { payloads: [{ text: 'two' }, { text: 'one' }] }],
    ['a further member', { payloads: [{ text: 'one', silent: true }, { text: 'two' }] }],
    ['a missing payload', { payloads: [{ text: 'one' }] }],
  ];
  it.each(changes)('changes with %s', (_what, change) => {
    expect(effectDigest({ ...BYTES, ...change })).not.toBe(effectDigest(BYTES));
  });

  it('is of what leaves and of nothing else', () => {
    const more = { ...BYTES, state: 'approved', summary: 'x', attempts: 3 };
    expect(effectDigest(more)).toBe(effectDigest(BYTES));
    expect(effectBytes(BYTES)).toBe(
      '{"kind":"message.post","payloads":[{"text":"one"},{"text":"two"}],"recipients":["news","board"],"sink":{"account":"demo","address":"news","connector":"memory"}}',
    );
  });

  it('equal digests mean equal payloads', () => {
    const payloads = fc.array(
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
        noNullPrototype: true,
      }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(payloads, payloads, (a, b) => {
        const one = effectDigest({ ...BYTES, payloads: a as JsonObject[] }); // safe: made of JSON values
        const two = effectDigest({ ...BYTES, payloads: b as JsonObject[] }); // safe: as above
        if (one === two) expect(a).toEqual(b);
        else expect(a).not.toStrictEqual(b);
      }),
    );
  });

  it('a stored effect whose bytes differ is refused', () => {
    const effect = { ...BYTES, id: 'efct_00000000', digest: effectDigest(BYTES) } as unknown as Effect; // safe: only bytes, id and digest are looked at
    expect(() => assertIntact(effect)).not.toThrow();
    expect(() => assertIntact({ ...effect, recipients: ['all'] })).toThrow(
      expect.objectContaining({ code: 'effect.digest.conflict' }),
    );
  });
});

describe('the effect machine', () => {
  // Written out again: the table of the source is not its own witness.
  const MOVES: readonly (readonly [EffectState, EffectEvent, EffectState])[] = [
    ['proposed', 'approve', 'approved'],
    ['proposed', 'deny', 'denied'],
    ['proposed', 'withdraw', 'withdrawn'],
    ['proposed', 'supersede', 'superseded'],
    ['proposed', 'expire', 'expired'],
    ['proposed', 'panic', 'void'],
    ['approved', 'claim', 'performing'],
    ['approved', 'withdraw', 'withdrawn'],
    ['approved', 'deny', 'denied'],
    ['approved', 'supersede', 'superseded'],
    ['approved', 'expire', 'expired'],
    ['approved', 'panic', 'void'],
    ['performing', 'succeed', 'done'],
    ['performing', 'reject', 'rejected'],
    ['performing', 'retry', 'approved'],
    ['performing', 'lose', 'uncertain'],
    ['performing', 'panic', 'uncertain'],
    ['uncertain', 'resolve_sent', 'done'],
    ['uncertain', 'resolve_not_sent', 'rejected'],
  ];

  it('moves exactly as written, and refuses every other event', () => {
    for (const state of EFFECT_STATES) {
      for (const event of EVENTS) {
        const expected = MOVES.find(([from, what]) => from === state && what === event)?.[2];
        expect(nextEffectState(state, event), `${state} ${event}`).toBe(expected);
        const move = (): EffectState => moveEffect({ id: 'efct_00000000' as Effect['id'], state }, event); // safe: of the right form
        if (expected === undefined)
          expect(move).toThrow(expect.objectContaining({ code: 'effect.state.conflict' }));
        else expect(move()).toBe(expected);
      }
    }
  });

  it('final states never move', () => {
    expect(EFFECT_STATES.filter(isFinalEffect)).toEqual([
      'denied',
      'withdrawn',
      'superseded',
      'expired',
      'done',
      'rejected',
      'void',
    ]);
  });

  it('is performed only after an approval, at most once per claim, and after panic never', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 }), (events) => {
        let state: EffectState = 'proposed';
        let wasApproved = false;
        let open = 0;
        for (const event of events) {
          const next = nextEffectState(state, event);
          if (next === undefined) continue;
          if (event === 'approve') wasApproved = true;
          if (next === 'performing') {
            expect(wasApproved).toBe(true);
            open += 1;
          }
          // Only an outcome that is known to be nothing leads back.
          if (state === 'performing' && next === 'approved') expect(event).toBe('retry');
          if (event === 'panic') expect(['void', 'uncertain']).toContain(next);
          state = next;
        }
        if (state === 'done') expect(open).toBeGreaterThan(0);
      }),
    );
  });

  it('words of the object prototype are no events', () => {
    for (const word of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(nextEffectState('proposed', word as EffectEvent)).toBeUndefined(); // safe: deliberately unknown
  });
});
