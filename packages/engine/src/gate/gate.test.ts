import { describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import { makeEffects } from '../effects.ts';
import {
  approvedPost,
  arrivedOf,
  BOSS,
  inChat,
  insertReply,
  OPERATOR,
  person,
  proposePost,
  signed,
  TEST_AUDIT,
  tamper,
  useWorld,
  type World,
} from '../settle/world.fixture.ts';
import { settleGate } from './gate.ts';
import { closeGate, isGateClosed } from './index.ts';

const at = useWorld();

const effectsOf = (world: World) => makeEffects(world.deps, { abortRuns: () => {} });

describe('an open gate', () => {
  test('is open, ends nothing and leaves nothing in the log', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    expect(await isGateClosed(world.deps.store.read)).toBe(false);
    expect(await settleGate(world.deps)).toBeUndefined();
    expect((await world.effect(id)).state).toBe('approved');
  });
});

describe('a closed gate', () => {
  test('is settled once: with nothing unfinished nothing is written', async () => {
    const { world } = at;
    await closeGate(world.deps, 'restored');
    expect(await settleGate(world.deps)).toEqual({ ended: 0, uncertain: [] });
    expect(await world.actions('gate')).toEqual(['gate.close']);
    const id = await insertReply(world, 'late');
    expect(await settleGate(world.deps)).toMatchObject({ ended: 1, uncertain: [{ id }] });
    expect(await world.actions('gate')).toEqual(['gate.close', 'gate.settle']);
  });

  test('questions are void, everything that may have left since the backup is uncertain', async () => {
    const { world } = at;
    const pending = await proposePost(world, 'pending');
    const approved = await approvedPost(world, 'approved');
    const performing = await approvedPost(world, 'performing');
    await tamper(world, 'effect', { id: performing }, { state: 'performing', claimEpoch: 1 });
    const reply = await insertReply(world, 'answer');
    const { uncertain } = await closeGate(world.deps, 'restored');
    expect((await world.effect(pending.effect.id)).state).toBe('void');
    expect((await world.approval(pending.approval.id)).state).toBe('void');
    for (const id of [approved, performing, reply]) expect((await world.effect(id)).state).toBe('uncertain');
    const [granted] = await world.deps.store.read.find('approval', { effect: approved });
    expect(granted?.state).toBe('void');
    expect(uncertain.map((effect) => effect.id)).toContain(approved);
    expect(await isGateClosed(world.deps.store.read)).toBe(true);
  });

  test('nothing is sent until a signed request opens it, and nothing old afterwards', async () => {
    const old = await approvedPost(at.world, 'old');
    // The store itself closes the gate when a restored database does not fit its signed heads.
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'restored', at: 0 }),
    );
    const world = await at.restart();
    const effects = effectsOf(world);
    await effects.start();
    await effects.outbox.idle();
    // People can look at it before they open.
    expect((await world.effect(old)).state).toBe('uncertain');
    const late = await insertReply(world, 'slipped in');
    effects.outbox.wake();
    await effects.outbox.idle();
    expect(world.chat.sent).toEqual([]);
    await effects.openGate(signed(BOSS));
    await effects.outbox.idle();
    expect(world.chat.sent).toEqual([]);
    expect((await world.effect(late)).state).toBe('uncertain');
    const fresh = await insertReply(world, 'new');
    effects.outbox.wake();
    await effects.outbox.idle();
    expect(arrivedOf(world, fresh)).toEqual([{ text: 'new' }]);
    await effects.drain(0);
  });

  test.each<readonly [string, Actor]>([
    ['from chat', inChat(BOSS)],
    ['from the unsigned socket', { principal: person(BOSS), via: 'socket' }],
    ['by an operator', signed(OPERATOR)],
  ])('is not opened %s', async (_name, actor) => {
    await closeGate(at.world.deps, 'restored');
    await expect(effectsOf(at.world).openGate(actor)).rejects.toMatchObject({ code: 'gate.open.denied' });
    expect(await isGateClosed(at.world.deps.store.read)).toBe(true);
  });

  test('with panic on top: what may have left since the backup is uncertain, not void', async () => {
    const old = await approvedPost(at.world, 'old');
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'restored', at: 0 }),
    );
    at.world.panic.turnOn('test', 0);
    const effects = effectsOf(at.world);
    await effects.start();
    expect((await at.world.effect(old)).state).toBe('uncertain');
    await effects.drain(0);
  });

  test('opening an open gate ends nothing', async () => {
    const id = await approvedPost(at.world, 'ready');
    await effectsOf(at.world).openGate(signed(BOSS));
    expect((await at.world.effect(id)).state).toBe('approved');
  });
});
