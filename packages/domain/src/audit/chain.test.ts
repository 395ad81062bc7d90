import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Digest, sha256 } from '../base/index.ts';
import {
  type AuditEvent,
  auditHash,
  type Checkpoint,
  chainVerifier,
  checkpointBytes,
  GENESIS,
} from './chain.ts';

function chainOf(length: number): AuditEvent[] {
  const events: AuditEvent[] = [];
  let previousHash: Digest = GENESIS;
  for (let seq = 1; seq <= length; seq += 1) {
    const record = {
      seq,
      at: seq * 10,
      action: 'task.create',
      actor: 'user_ann00000',
      subject: `task_${seq}`,
      data: { n: seq },
      previousHash,
    };
    const hash = auditHash(record);
    events.push({ ...record, hash });
    previousHash = hash;
  }
  return events;
}

// Stands for Ed25519, which this floor does not have: only who knows the word makes a signature that verifies.
const sign = (bytes: string): string => sha256(`the key ${bytes}`);
function checkpointOf(event: Pick<AuditEvent, 'seq' | 'hash'>): Checkpoint {
  const head = { seq: event.seq, hash: event.hash, at: 5, keyId: 'k1' };
  return { ...head, signature: sign(checkpointBytes(head)) };
}
const verifySignature = (checkpoint: Checkpoint, bytes: string): boolean =>
  checkpoint.signature === sign(bytes);

function problemsOf(events: readonly AuditEvent[], checkpoints: readonly Checkpoint[] = []) {
  const verifier = chainVerifier(checkpoints, verifySignature);
  for (const event of events) verifier.add(event);
  return verifier.finish();
}
const kindsOf = (events: readonly AuditEvent[], checkpoints: readonly Checkpoint[] = []) =>
  problemsOf(events, checkpoints).problems.map((problem) => problem.kind);

const CHAIN = chainOf(12);
const HEADS = [CHAIN[4], CHAIN[11]].filter((event) => event !== undefined).map(checkpointOf);
const at = (i: number): AuditEvent =>
  CHAIN[i] ??
  (() => {
    throw new Error('no such record');
  })();

describe('a good chain', () => {
  it('has no problem, and says its length and head', () => {
    expect(problemsOf(CHAIN, HEADS)).toEqual({ problems: [], count: 12, head: at(11).hash });
    expect(problemsOf([])).toEqual({ problems: [], count: 0, head: GENESIS });
  });

  it('may begin with a signed nothing', () => {
    expect(kindsOf(CHAIN, [checkpointOf({ seq: 0, hash: GENESIS })])).toEqual([]);
    expect(kindsOf(CHAIN, [checkpointOf({ seq: 0, hash: at(0).hash })])).toEqual(['truncated']);
    const both = [checkpointOf({ seq: 0, hash: GENESIS }), checkpointOf({ seq: 0, hash: at(0).hash })];
    expect(kindsOf(CHAIN, both)).toEqual(['truncated']);
  });
});

describe('what an editor of the log may do is found', () => {
  it('flip: any change of any field of any record', () => {
    const field = fc.constantFrom<keyof AuditEvent>(
      'seq',
      'at',
      'action',
      'actor',
      'subject',
      'workspace',
      'context',
      'data',
      'previousHash',
      'hash',
    );
    fc.assert(
      fc.property(fc.nat({ max: 11 }), field, fc.jsonValue(), (i, key, value) => {
        const changed = { ...at(i), [key]: value } as unknown as AuditEvent; // safe: deliberately anything
        fc.pre(JSON.stringify(changed) !== JSON.stringify(at(i)) && !(key === 'at' && Object.is(value, -0)));
        expect(kindsOf(CHAIN.with(i, changed)).length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['no object of a kind', { toString: false }],
    ['a list', [4]],
    ['text', '4'],
    ['half a number', 4.5],
    ['nothing', null],
  ])('flip of the number to %s', (_name, seq) => {
    const changed = { ...at(3), seq } as unknown as AuditEvent; // safe: deliberately anything
    expect(problemsOf(CHAIN.with(3, changed)).problems).toEqual([
      { kind: 'hash', seq: 4, text: 'record 4 was changed: it has no number' },
    ]);
  });

  it('flip with the hash made again: the next record does not follow', () => {
    for (let i = 0; i < 11; i += 1) {
      const { hash: _old, ...record } = { ...at(i), actor: 'user_eve00000' };
      expect(kindsOf(CHAIN.with(i, { ...record, hash: auditHash(record) }))).toContain('link');
    }
  });

  it('a further member is a change', () => {
    expect(kindsOf(CHAIN.with(3, { ...at(3), note: 'x' } as AuditEvent))).toEqual(['hash']);
  });

  it('delete: any record but the last, and the last against a checkpoint', () => {
    for (let i = 0; i < 11; i += 1)
      expect(kindsOf(CHAIN.toSpliced(i, 1))).toEqual(expect.arrayContaining(['gap', 'link']));
    expect(kindsOf(CHAIN.slice(0, 11), HEADS)).toEqual(['truncated']);
  });

  it('insert: a copy or a foreign record anywhere', () => {
    for (let i = 0; i <= 12; i += 1) {
      expect(kindsOf(CHAIN.toSpliced(i, 0, at(3))), String(i)).not.toEqual([]);
      const record = { ...at(3), seq: i + 1, previousHash: at(Math.max(0, i - 1)).hash, subject: 'forged' };
      const forged = { ...record, hash: auditHash(record) };
      if (i < 12) expect(kindsOf(CHAIN.toSpliced(i, 0, forged)), String(i)).not.toEqual([]);
    }
  });

  it('says what is missing and what stands in the wrong place', () => {
    expect(kindsOf(CHAIN.toSpliced(5, 1))[0]).toBe('gap');
    expect(kindsOf(CHAIN.toSpliced(5, 0, at(2)))[0]).toBe('order');
    expect(kindsOf(CHAIN.toSpliced(5, 0, at(4)))[0]).toBe('order');
  });

  it('swap: any two records', () => {
    for (let i = 0; i < 12; i += 1) {
      for (let j = i + 1; j < 12; j += 1)
        expect(kindsOf(CHAIN.with(i, at(j)).with(j, at(i))), `${i} ${j}`).not.toEqual([]);
    }
  });

  it('truncate: any tail that was signed', () => {
    for (let length = 0; length < 12; length += 1)
      expect(kindsOf(CHAIN.slice(0, length), HEADS)).toContain('truncated');
  });

  it('truncate: the head, with the rest numbered anew', () => {
    expect(kindsOf(CHAIN.slice(3))).toEqual(['gap', 'link']);
    expect(kindsOf(CHAIN.slice(3).map((event, i) => ({ ...event, seq: i + 1 })))).toContain('hash');
  });

  it('rollback and another history from there: against the signed head', () => {
    const other: AuditEvent[] = CHAIN.slice(0, 8);
    let previousHash = at(7).hash;
    for (let seq = 9; seq <= 20; seq += 1) {
      const record = { ...at(seq % 12), seq, previousHash, subject: 'other history' };
      const { hash: _old, ...rest } = record;
      previousHash = auditHash(rest);
      other.push({ ...rest, hash: previousHash });
    }
    expect(kindsOf(other)).toEqual([]);
    expect(kindsOf(other, HEADS)).toEqual(['checkpoint']);
  });

  it('a checkpoint whose signature is false, or cannot be looked at', () => {
    const [head] = HEADS;
    if (head === undefined) throw new Error('no checkpoint');
    for (const change of [{ signature: 'x' }, { seq: 6 }, { hash: GENESIS }, { at: 6 }, { keyId: 'k2' }])
      expect(kindsOf(CHAIN, [{ ...head, ...change }]), JSON.stringify(change)).toEqual(['checkpoint']);
    const failing = chainVerifier([head], () => {
      throw new Error('no such key');
    });
    expect(failing.finish().problems.map((problem) => problem.kind)).toEqual(['checkpoint']);
  });

  it('two signed heads that contradict each other', () => {
    expect(kindsOf(CHAIN, [checkpointOf(at(4)), checkpointOf({ seq: 5, hash: at(6).hash })])).toEqual([
      'checkpoint',
    ]);
  });

  it('any list of records that is not this chain or a beginning of it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 11 }), { maxLength: 14 }), (order) => {
        const isBeginning = order.every((value, i) => value === i);
        expect(kindsOf(order.map(at)).length === 0).toBe(isBeginning);
        expect(kindsOf(order.map(at), HEADS).length === 0).toBe(isBeginning && order.length === 12);
      }),
      { numRuns: 500 },
    );
  });

  it('records with no canonical form are a problem, not a crash; and the list of problems is bounded', () => {
    expect(kindsOf([{ ...at(0), actor: '\ud800' }])).toEqual(['hash']);
    expect(kindsOf([{ ...at(0), at: Number.NaN }])).toEqual(['hash']);
    expect(kindsOf(Array.from({ length: 5000 }, () => at(3))).length).toBeLessThan(110);
  });
});

describe('hashes', () => {
  it('do not depend on the order of members, and cover the one before', () => {
    const { hash, ...record } = at(3);
    expect(auditHash(Object.fromEntries(Object.entries(record).reverse()) as typeof record)).toBe(hash); // safe: the same members
    expect(auditHash({ ...record, previousHash: GENESIS })).not.toBe(hash);
  });
});
