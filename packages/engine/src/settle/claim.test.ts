import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { claim } from './claim.ts';
import { outrun } from './outside.fixture.ts';
import { record } from './record.ts';
import { approvedPost, insertReply, runOutbox, tamper, useWorld } from './world.fixture.ts';

const at = useWorld();

describe('a claim', () => {
  test('takes nothing before its time', async () => {
    const id = await approvedPost(at.world, 'hello');
    await tamper(at.world, 'effect', { id }, { notBefore: at.world.clock.nowMs() + 1 });
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'gone' });
    expect((await at.world.effect(id)).state).toBe('approved');
  });

  test('is held under panic and takes nothing', async () => {
    const id = await insertReply(at.world, 'hello');
    at.world.panic.turnOn('test', 0);
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'held' });
    expect((await at.world.effect(id)).state).toBe('approved');
  });

  test.each(['effect', 'approval'])('that lost the race for its %s wrote nothing at all', async (table) => {
    const id = await approvedPost(at.world, 'hello');
    const deps = { ...at.world.deps, store: outrun(at.world.deps.store, table) };
    expect(await claim(deps, id)).toEqual({ kind: 'gone' });
    const effect = await at.world.effect(id);
    expect([effect.state, effect.attempts]).toEqual(['approved', 0]);
    expect((await at.world.approval(String(effect.approval))).state).toBe('granted');
    expect(await at.world.actions(id)).toEqual(['effect.propose']);
  });

  test('of a refused effect that lost the race wrote nothing either', async () => {
    const id = await approvedPost(at.world, 'hello');
    await tamper(at.world, 'effect', { id }, { recipients: ['elsewhere'] });
    const deps = { ...at.world.deps, store: outrun(at.world.deps.store, 'effect') };
    expect(await claim(deps, id)).toEqual({ kind: 'gone' });
    expect(await at.world.actions(id)).not.toContain('effect.refuse');
  });
});

describe('the signed head of the log', () => {
  test('is on the disk before an approved effect is ours, and knows of its claim', async () => {
    const id = await approvedPost(at.world, 'hello');
    expect((await claim(at.world.deps, id)).kind).toBe('claimed');
    const { audit } = at.world.opened;
    const [event] = await audit.tail(1, { action: 'effect.perform', subject: id });
    expect(event?.data).toMatchObject({ class: 'E1' });
    expect((await audit.checkpoints()).at(-1)?.seq).toBeGreaterThanOrEqual(event?.seq ?? Number.NaN);
  });

  test('is not asked of an answer', async () => {
    const { audit } = at.world.opened;
    const id = await insertReply(at.world, 'hello');
    const before = (await audit.checkpoints()).length;
    expect((await claim(at.world.deps, id)).kind).toBe('claimed');
    expect(await audit.checkpoints()).toHaveLength(before);
  });

  test('that cannot be written: nothing leaves, the approval is given back, and it leaves once when it can', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    const { checkpoints } = world.opened.paths;
    renameSync(checkpoints, `${checkpoints}.kept`);
    mkdirSync(checkpoints);
    await runOutbox(world);
    const left = () => world.chat.sent.filter(({ effectId }) => effectId === id);
    expect(left()).toEqual([]);
    const effect = await world.effect(id);
    expect([effect.state, effect.error?.code]).toEqual(['approved', 'audit.head.unavailable']);
    expect((await world.approval(String(effect.approval))).state).toBe('granted');
    // A log that cannot be signed uses up none of the tries that the outside may need.
    expect(effect.attempts).toBe(0);
    rmdirSync(checkpoints);
    renameSync(`${checkpoints}.kept`, checkpoints);
    await world.clock.advance(world.deps.config.deliverBackoffMaxMs);
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('done');
    expect(left()).toHaveLength(1);
  });
});

describe('an outcome', () => {
  async function claimed() {
    const id = await approvedPost(at.world, 'hello');
    const taken = await claim(at.world.deps, id);
    if (taken.kind !== 'claimed') throw new Error('not claimed');
    return taken.effect;
  }

  const receipt = { kind: 'receipt', receipt: { externalId: 'x' } } as const;

  test.each([
    ['whose effect was ended meanwhile', { state: 'uncertain' as const }],
    ['whose effect a newer process holds', { claimEpoch: 99 }],
  ])('%s changes nothing', async (_name, change) => {
    const effect = await claimed();
    await tamper(at.world, 'effect', { id: effect.id }, change);
    expect(await record(at.world.deps, effect, receipt)).toBeUndefined();
    expect((await at.world.effect(effect.id)).receipts).toEqual([]);
    expect(await at.world.actions(effect.id)).not.toContain('effect.done');
  });

  test('gives no approval back that is not its own consumed one', async () => {
    const effect = await claimed();
    await tamper(at.world, 'approval', { effect: effect.id }, { state: 'void' });
    const retry = {
      kind: 'retry',
      error: { code: 'x', kind: 'unavailable', message: 'x' },
      notBefore: 0,
      isDoubtful: false,
    } as const;
    await expect(record(at.world.deps, effect, retry)).rejects.toMatchObject({ code: 'settle.approval.bug' });
    expect((await at.world.effect(effect.id)).state).toBe('performing');
  });
});
