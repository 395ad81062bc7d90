import { describe, expect, test } from 'vitest';
import { type Effects, makeEffects } from '../effects.ts';
import { fault } from '../settle/outside.fixture.ts';
import {
  approvedPost,
  arrivedOf,
  insertReply,
  proposePost,
  useWorld,
  type World,
} from '../settle/world.fixture.ts';
import { expireQuestions, makeDeadlines } from './index.ts';

const HOUR_MS = 3_600_000;
const LIFE_MS = 24 * HOUR_MS;
const YEARS_MS = 10 * 365 * LIFE_MS;
const JUMPS = [
  ['one hour on', HOUR_MS],
  ['one hour back', -HOUR_MS],
  ['ten years on', YEARS_MS],
  ['ten years back', -YEARS_MS],
] as const;

const at = useWorld();

async function started(world: World): Promise<Effects> {
  const effects = makeEffects(world.deps, { abortRuns: () => {} });
  await effects.start();
  return effects;
}

const stateOf = async (id: string): Promise<string> => (await at.world.effect(id)).state;

describe('the wall clock jumps', () => {
  test.each(JUMPS)('%s: a question lasts no longer than its lifetime on the steady clock', async (_, ms) => {
    const { world } = at;
    const effects = await started(world);
    const { effect } = await proposePost(world, 'hello');
    await world.clock.advance(world.deps.config.sweepMs);
    world.clock.jumpWall(ms);
    await world.clock.advance(LIFE_MS - 2 * world.deps.config.sweepMs);
    expect(await stateOf(effect.id)).toBe(ms > 0 ? 'expired' : 'proposed');
    await world.clock.advance(2 * world.deps.config.sweepMs);
    expect(await stateOf(effect.id)).toBe('expired');
    await effects.drain(0);
  });

  test('back before the first sweep: the lifetime counts, not what the wall claims is left', async () => {
    const { world } = at;
    const effects = await started(world);
    const { effect } = await proposePost(world, 'hello');
    world.clock.jumpWall(-YEARS_MS);
    await world.clock.advance(LIFE_MS + world.deps.config.sweepMs);
    expect(await stateOf(effect.id)).toBe('expired');
    await effects.drain(0);
  });

  test('on and back again: what expired does not come back, a new question lasts its lifetime', async () => {
    const { world } = at;
    const effects = await started(world);
    const old = await proposePost(world, 'old');
    world.clock.jumpWall(YEARS_MS);
    await world.clock.advance(world.deps.config.sweepMs);
    expect(await stateOf(old.effect.id)).toBe('expired');
    world.clock.jumpWall(-YEARS_MS);
    const fresh = await proposePost(world, 'fresh');
    await world.clock.advance(LIFE_MS - 2 * world.deps.config.sweepMs);
    expect(await stateOf(old.effect.id)).toBe('expired');
    expect(await stateOf(fresh.effect.id)).toBe('proposed');
    await effects.drain(0);
  });

  test('back, then a restart: what was approved and could not leave still ends', async () => {
    const first = await started(at.world);
    const id = await approvedPost(at.world, 'hello');
    at.world.clock.jumpWall(-YEARS_MS);
    await first.drain(0);
    const again = await at.restart();
    // Panic would end it and the outbox would send it: only the sweep is at work here.
    const deadlines = makeDeadlines(again.clock);
    expect(await expireQuestions(again.deps, deadlines)).toBe(0);
    await again.clock.advance(LIFE_MS);
    expect(await expireQuestions(again.deps, deadlines)).toBe(1);
    expect((await again.effect(id)).state).toBe('expired');
  });

  test.each(JUMPS)('%s: an answer that may leave now does', async (_, ms) => {
    const { world } = at;
    const effects = await started(world);
    const reply = await insertReply(world, 'answer');
    world.clock.jumpWall(ms);
    effects.outbox.wake();
    await effects.outbox.idle();
    expect(arrivedOf(world, reply)).toHaveLength(1);
    expect((await world.opened.audit.verify()).isIntact).toBe(true);
    await effects.drain(0);
  });

  test.each(JUMPS)('%s: what waits for its next try neither hangs nor bursts', async (_, ms) => {
    const { world } = at;
    const effects = await started(world);
    const tries: number[] = [];
    world.chat.onDeliver = () => {
      tries.push(world.clock.monotonicMs());
      if (tries.length < 4) throw fault('unavailable');
    };
    const reply = await insertReply(world, 'answer');
    effects.outbox.wake();
    await effects.outbox.idle();
    world.clock.jumpWall(ms);
    await world.clock.advance(2 * HOUR_MS);
    await effects.outbox.idle();
    // At most the backoffs and, after a small step back, that step longer; never all at once.
    expect(arrivedOf(world, reply)).toHaveLength(1);
    expect(tries).toHaveLength(4);
    expect((tries[3] ?? 0) - (tries[1] ?? 0)).toBeGreaterThanOrEqual(2 * world.deps.config.deliverBackoffMs);
    await effects.drain(0);
  });
});
