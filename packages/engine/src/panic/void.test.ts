import type { Effect } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import {
  approvedPost,
  insertReply,
  proposePost,
  TEST_AUDIT,
  tamper,
  useWorld,
} from '../settle/world.fixture.ts';
import { type VoidInput, voidUnfinished } from './void.ts';

const at = useWorld();

const end = (change: Partial<VoidInput> = {}) =>
  at.world.deps.store.commit(TEST_AUDIT, (tx) =>
    voidUnfinished(tx, {
      nowMs: 7,
      actor: 'test',
      why: 'It was stopped.',
      // Their cards are effects too, and not looked at here.
      isMeant: ({ kind }) => kind !== 'message.notice',
      isApprovedDoubtful: false,
      ...change,
    }),
  );
const begun = { receipts: [{ externalId: 'x' }] };

describe('what has not finished ends', () => {
  test.each<readonly [Effect['state'], Partial<Effect>, boolean, string]>([
    ['proposed', {}, false, 'void'],
    ['approved', {}, false, 'void'],
    ['approved', begun, false, 'uncertain'],
    ['performing', {}, false, 'uncertain'],
    ['performing', begun, false, 'uncertain'],
    // After a restore also what was only approved may have left.
    ['proposed', {}, true, 'void'],
    ['approved', {}, true, 'uncertain'],
    ['performing', {}, true, 'uncertain'],
  ])('%s with %j, doubtful %s: %s', async (state, change, isApprovedDoubtful, expected) => {
    const { effect, approval } = await proposePost(at.world, 'one\n\ntwo');
    await tamper(at.world, 'effect', { id: effect.id }, { state, ...change });
    const voided = await end({ isApprovedDoubtful });
    expect(voided.ended).toBe(1);
    expect(voided.uncertain.map(({ id, state: now }) => [id, now])).toEqual(
      expected === 'uncertain' ? [[effect.id, 'uncertain']] : [],
    );
    const row = await at.world.effect(effect.id);
    expect(row).toMatchObject({ state: expected, settledAt: 7 });
    expect(row.error).toMatchObject(
      expected === 'uncertain'
        ? { code: 'panic.effect.uncertain', message: expect.stringContaining('may have left') }
        : { code: 'panic.effect.cancelled', message: 'It was stopped. Nothing of it left.' },
    );
    expect(await at.world.approval(approval.id)).toMatchObject({ state: 'void', decidedAt: 7 });
    const [event] = await at.world.opened.audit.tail(1, { action: 'effect.void', subject: effect.id });
    expect(event?.data).toMatchObject({ from: state, state: expected });
  });

  test('what is over stays as it is, and so does what is not meant', async () => {
    const done = await approvedPost(at.world, 'done');
    await tamper(at.world, 'effect', { id: done }, { state: 'done' });
    await tamper(at.world, 'approval', { effect: done }, { state: 'consumed' });
    const other = await insertReply(at.world, 'other');
    expect(await end({ isMeant: ({ id }) => id === done })).toEqual({ ended: 0, uncertain: [] });
    expect((await at.world.effect(done)).state).toBe('done');
    expect((await at.world.effect(other)).state).toBe('approved');
    expect((await end()).ended).toBe(1);
    const [approval] = await at.world.deps.store.read.find('approval', { effect: done });
    expect(approval?.state).toBe('consumed');
  });
});
