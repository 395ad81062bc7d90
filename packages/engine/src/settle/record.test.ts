import type { Effect, Store } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { claim } from './claim.ts';
import { DOUBT_CODE, type Ending, record, sayOutcome } from './record.ts';
import { approvedPost, useWorld } from './world.fixture.ts';

const at = useWorld();
const error = { code: 'connectors.test.unavailable', kind: 'unavailable', message: 'x' };
const doubt = { ...error, code: DOUBT_CODE };
const receipt: Ending = { kind: 'receipt', receipt: { externalId: 'x' } };
const retry: Ending = { kind: 'retry', error, notBefore: 5, isDoubtful: false };

async function claimed(text = 'hello'): Promise<Effect> {
  const taken = await claim(at.world.deps, await approvedPost(at.world, text));
  if (taken.kind !== 'claimed') throw new Error('not claimed');
  return taken.effect;
}

describe('what is recorded', () => {
  test.each<readonly [Ending, string, string, boolean]>([
    [receipt, 'done', 'effect.done', true],
    [{ kind: 'reject', error }, 'rejected', 'effect.reject', true],
    [{ kind: 'lose', error }, 'uncertain', 'effect.lose', true],
    [retry, 'approved', 'effect.retry', false],
    [{ ...retry, isDoubtful: true }, 'approved', 'effect.repeat', false],
  ])('%o: it is %s, and the conversation hears of ends alone', async (ending, state, action, isTold) => {
    const effect = await claimed();
    const recorded = await record(at.world.deps, effect, ending);
    expect(recorded?.message !== undefined).toBe(isTold);
    const row = await at.world.effect(effect.id);
    expect(row).toMatchObject({ state, notBefore: ending.kind === 'retry' ? 5 : 0 });
    expect(row.settledAt).toBe(isTold ? at.world.clock.nowMs() : undefined);
    expect((await at.world.actions(effect.id)).at(-1)).toBe(action);
  });

  test('a part that is not the last leaves it on its way', async () => {
    const effect = await claimed('one\n\ntwo');
    expect((await record(at.world.deps, effect, receipt))?.message).toBeUndefined();
    expect(await at.world.effect(effect.id)).toMatchObject({ state: 'performing', receipts: [{}] });
    expect((await at.world.actions(effect.id)).at(-1)).toBe('effect.receipt');
  });

  test('a doubt about an earlier try stays listed, other errors are over', async () => {
    for (const [before, ending, after] of [
      [doubt, receipt, DOUBT_CODE],
      [error, receipt, undefined],
      [doubt, retry, DOUBT_CODE],
      [undefined, retry, error.code],
    ] as const) {
      const effect = { ...(await claimed()), error: before };
      await record(at.world.deps, effect, ending);
      expect((await at.world.effect(effect.id)).error?.code).toBe(after);
    }
  });

  test('a fault of the disk is not taken for an effect that was taken away', async () => {
    const thrown = Object.assign(new Error('x'), { code: 'settle.record.conflict' });
    const store: Store = { ...at.world.deps.store, commit: () => Promise.reject(thrown) };
    await expect(record({ ...at.world.deps, store }, await claimed(), receipt)).rejects.toBe(thrown);
  });
});

test.each<readonly [Partial<Effect>, string]>([
  [{ state: 'done', error: doubt, receipts: [{ externalId: 'x' }] }, 'is done.'],
  [{ state: 'rejected' }, 'was refused. 0 of 2 parts had left; nothing more will.'],
  [
    { state: 'rejected', error, receipts: [{ externalId: 'x' }] },
    'was refused. 1 of 2 parts had left; nothing more will. x',
  ],
  [{ state: 'rejected', error, payloads: [{ text: 'one' }] }, 'was refused. x'],
  [{ state: 'withdrawn', payloads: [{ text: 'one' }] }, 'is withdrawn.'],
])('%o is told as: %s', async (change, words) => {
  const effect = { ...(await claimed('one\n\ntwo')), ...change };
  expect(sayOutcome(effect)).toBe(`${effect.id} ${words}`);
});
