import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UserId } from '../base/index.ts';
import {
  APPROVAL_STATES,
  type Approval,
  castVote,
  close,
  consume,
  DEFAULT_EXPIRY_MS,
  grantersOf,
  isExpired,
  missingReleases,
  raiseTier,
  TIERS,
  type Vote,
} from './approval.ts';

// safe: ids of the right form
const ANN = 'user_ann00000' as UserId;
const BOB = 'user_bob00000' as UserId;
const CEM = 'user_cem00000' as UserId;
const DIGEST = 'sha256:aa' as const;
const OTHER = 'sha256:bb' as const;
const NOW = 1000;

function approvalOf(more: Partial<Approval> = {}): Approval {
  return {
    id: 'appr_00000000',
    effect: 'efct_00000000',
    digest: DIGEST,
    workspace: 'garden',
    context: 'general',
    tier: 'medium',
    state: 'pending',
    approverRole: 'operator',
    needed: 1,
    releasers: [],
    votes: [],
    createdAt: 0,
    expiresAt: 2000,
    ...more,
  } as Approval; // safe: ids and slugs of the right form
}
const vote = (person: UserId, decision: Vote['decision'] = 'grant', more: Partial<Vote> = {}): Vote => ({
  person,
  decision,
  digest: DIGEST,
  at: NOW,
  via: 'signed',
  ...more,
});
const failsWith = (code: string) => expect.objectContaining({ code });

describe('votes', () => {
  it('one grant is enough where one is needed', () => {
    expect(castVote(approvalOf(), vote(ANN))).toMatchObject({
      state: 'granted',
      decidedAt: NOW,
      votes: [{ person: ANN }],
    });
  });

  it('several means several people, not several votes', () => {
    const first = castVote(approvalOf({ needed: 2 }), vote(ANN));
    expect(first.state).toBe('pending');
    expect(() => castVote(first, vote(ANN))).toThrow(failsWith('approval.vote.conflict'));
    expect(castVote(first, vote(BOB)).state).toBe('granted');
  });

  it('one denial ends it, also after grants', () => {
    const first = castVote(approvalOf({ needed: 2 }), vote(ANN));
    const denied = castVote(first, vote(BOB, 'deny'));
    expect(denied).toMatchObject({ state: 'denied', decidedAt: NOW });
    expect(() => castVote(denied, vote(CEM))).toThrow(failsWith('approval.state.conflict'));
  });

  it('a vote on other bytes is a conflict', () => {
    for (const decision of ['grant', 'deny', 'release'] as const)
      expect(() =>
        castVote(approvalOf({ releasers: [ANN] }), vote(ANN, decision, { digest: OTHER })),
      ).toThrow(failsWith('approval.digest.conflict'));
  });

  it('nothing counts at or after expiry, nor at a broken time', () => {
    for (const at of [2000, 9999, Number.NaN])
      expect(() => castVote(approvalOf(), vote(ANN, 'grant', { at }))).toThrow(
        failsWith('approval.state.conflict'),
      );
    expect(isExpired(approvalOf(), 1999)).toBe(false);
    expect(isExpired(approvalOf({ expiresAt: Number.NaN }), 0)).toBe(true);
  });

  it('says what became of it', () => {
    const told = (approval: Approval, at: number): string => {
      try {
        castVote(approval, vote(ANN, 'grant', { at }));
        return '';
      } catch (thrown) {
        return String(thrown);
      }
    };
    expect(told(approvalOf(), 2000)).toContain('is expired');
    expect(told(approvalOf({ state: 'granted' }), 2000)).toContain('is expired');
    expect(told(approvalOf({ state: 'granted' }), NOW)).toContain('is granted');
    expect(told(approvalOf({ state: 'denied' }), 2000)).toContain('is denied');
  });

  it('only an open question takes votes', () => {
    for (const state of APPROVAL_STATES.filter((name) => name !== 'pending'))
      expect(() => castVote(approvalOf({ state }), vote(ANN)), state).toThrow(
        failsWith('approval.state.conflict'),
      );
  });

  it('private text is released by its owners before anybody grants', () => {
    const open = approvalOf({ releasers: [ANN, BOB] });
    expect(() => castVote(open, vote(CEM))).toThrow(failsWith('approval.release.denied'));
    const one = castVote(open, vote(ANN, 'release'));
    expect(missingReleases(one)).toEqual([BOB]);
    expect(() => castVote(one, vote(CEM))).toThrow(failsWith('approval.release.denied'));
    const both = castVote(one, vote(BOB, 'release'));
    expect(both.state).toBe('pending');
    expect(castVote(both, vote(CEM)).state).toBe('granted');
  });

  it('a release is no grant, and nobody releases what is not theirs', () => {
    const released = castVote(approvalOf({ releasers: [ANN] }), vote(ANN, 'release'));
    expect(grantersOf(released)).toEqual([]);
    expect(() => castVote(approvalOf({ releasers: [ANN] }), vote(BOB, 'release'))).toThrow(
      failsWith('approval.release.invalid'),
    );
    // Who owns the text may also be who approves.
    expect(castVote(released, vote(ANN)).state).toBe('granted');
  });

  it('a release of other bytes does not count', () => {
    const stale = approvalOf({ releasers: [ANN], votes: [vote(ANN, 'release', { digest: OTHER })] });
    expect(missingReleases(stale)).toEqual([ANN]);
  });

  it('only a release releases, not another vote of the same person', () => {
    for (const decision of ['grant', 'deny'] as const)
      expect(missingReleases(approvalOf({ releasers: [ANN], votes: [vote(ANN, decision)] }))).toEqual([ANN]);
  });

  it('only a grant grants, even where a broken row needs nobody', () => {
    expect(castVote(approvalOf({ needed: 0, releasers: [ANN] }), vote(ANN, 'release')).state).toBe('pending');
  });

  it('granters are distinct people who granted these bytes', () => {
    const votes = [
      vote(ANN),
      vote(ANN),
      vote(BOB, 'deny'),
      vote(CEM, 'grant', { digest: OTHER }),
      vote(BOB, 'release'),
    ];
    expect(grantersOf(approvalOf({ votes }))).toEqual([ANN]);
  });

  it('no sequence of votes grants with fewer distinct people than needed, or with a release missing', () => {
    const person = fc.constantFrom(ANN, BOB, CEM);
    const anyVote = fc.record({
      person,
      decision: fc.constantFrom<Vote['decision']>('grant', 'deny', 'release'),
      digest: fc.constantFrom(DIGEST, DIGEST, OTHER),
      at: fc.integer({ min: 0, max: 2500 }),
      via: fc.constant('signed' as const),
    });
    fc.assert(
      fc.property(
        fc.array(anyVote),
        fc.integer({ min: 1, max: 3 }),
        fc.subarray([ANN, BOB]),
        (votes, needed, releasers) => {
          let approval = approvalOf({ needed, releasers });
          const accepted: Vote[] = [];
          for (const one of votes) {
            try {
              approval = castVote(approval, one);
              accepted.push(one);
            } catch {
              // A refused vote leaves nothing behind.
            }
          }
          const grants = accepted.filter((one) => one.decision === 'grant');
          expect(approval.votes).toEqual(accepted);
          expect(accepted.every((one) => one.digest === DIGEST && one.at < 2000)).toBe(true);
          if (approval.state === 'granted') {
            expect(new Set(grants.map((one) => one.person)).size).toBe(needed);
            expect(accepted.some((one) => one.decision === 'deny')).toBe(false);
          }
          if (grants.length > 0)
            for (const user of releasers)
              expect(accepted.some((one) => one.decision === 'release' && one.person === user)).toBe(true);
        },
      ),
    );
  });
});

describe('use', () => {
  it('is single: a used approval is used up', () => {
    const used = consume(approvalOf({ state: 'granted' }), DIGEST, NOW);
    expect(used.state).toBe('consumed');
    expect(() => consume(used, DIGEST, NOW)).toThrow(failsWith('approval.state.conflict'));
  });

  it('needs the state granted, these bytes, in time', () => {
    for (const state of APPROVAL_STATES.filter((name) => name !== 'granted'))
      expect(() => consume(approvalOf({ state }), DIGEST, NOW), state).toThrow(
        failsWith('approval.state.conflict'),
      );
    expect(() => consume(approvalOf({ state: 'granted' }), OTHER, NOW)).toThrow(
      failsWith('approval.digest.conflict'),
    );
    expect(() => consume(approvalOf({ state: 'granted' }), DIGEST, 2000)).toThrow(
      failsWith('approval.state.conflict'),
    );
  });

  it('withdrawal, edit, expiry and panic end what is open or granted, never what is final', () => {
    for (const end of ['withdrawn', 'superseded', 'expired', 'void'] as const) {
      for (const state of APPROVAL_STATES) {
        const act = (): Approval => close(approvalOf({ state }), end, NOW);
        if (state === 'pending' || state === 'granted')
          expect(act()).toMatchObject({ state: end, decidedAt: NOW });
        else expect(act, `${state} ${end}`).toThrow(failsWith('approval.state.conflict'));
      }
    }
  });
});

describe('tiers', () => {
  it('are only raised', () => {
    for (const tier of TIERS) {
      for (const floor of [undefined, ...TIERS, 'odd' as never]) {
        // safe: one is deliberately unknown
        const raised = raiseTier(tier, floor);
        expect(TIERS.indexOf(raised)).toBeGreaterThanOrEqual(TIERS.indexOf(tier));
        expect([tier, floor]).toContain(raised);
      }
      expect(raiseTier(tier, 'high')).toBe('high');
    }
  });

  it('high ends after four hours, the others after a day', () => {
    expect(DEFAULT_EXPIRY_MS).toEqual({ low: 86_400_000, medium: 86_400_000, high: 14_400_000 });
  });
});
