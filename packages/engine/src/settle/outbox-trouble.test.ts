import { AppError, type Effect, type Store, type StoreReader } from '@agent-runtime/domain';
import type { RecordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { makeOutbox } from './outbox.ts';
import { fault } from './outside.fixture.ts';
import { approvedPost, arrivedOf, insertReply, must, tamper, useWorld, type World } from './world.fixture.ts';

const at = useWorld();

const full = (): AppError =>
  new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'The disk is full.' });

/** A store whose commits of one action meet `thrown()` as long as it gives something. */
function failing(world: World, action: string, thrown: () => unknown, onTry = (): void => undefined): Store {
  const { store } = world.deps;
  return {
    read: store.read,
    epoch: store.epoch,
    commit: async (audit, body) => {
      if (must([audit].flat()[0]).action !== action) return store.commit(audit, body);
      onTry();
      const what = thrown();
      if (what !== undefined) throw what;
      return store.commit(audit, body);
    },
  };
}

/** A reader that lets a test do something between the look at the queue and what comes of it. */
function pausing(world: World, pause: () => Promise<void>): Store {
  const read: StoreReader = {
    ...world.deps.store.read,
    find: async (table, where, options) => {
      const rows = await world.deps.store.read.find(table, where, options);
      // The start looks at what is performing first; only the queue is meant.
      if (JSON.stringify(where) === '{"state":"approved"}') await pause();
      return rows;
    },
  };
  return { ...world.deps.store, read };
}

const errorsOf = (world: World): number =>
  (world.deps.log as RecordingLogger).lines.filter((line) => line.level === 'error').length; // safe: the world made it

test('after its end it does not even look', async () => {
  const { world } = at;
  let looks = 0;
  const store = pausing(world, async () => {
    looks += 1;
  });
  const outbox = makeOutbox({ ...world.deps, store });
  await outbox.start();
  await outbox.drain(0);
  const before = looks;
  outbox.wake();
  await outbox.idle();
  await world.clock.settle();
  expect([before > 0, looks]).toEqual([true, before]);
});

describe('between the look and the claim', () => {
  test('a stop: nothing is claimed any more', async () => {
    const { world } = at;
    const id = await insertReply(world, 'late');
    let look = (): void => undefined;
    const isLooking = new Promise<void>((resolve) => {
      look = resolve;
    });
    let go = (): void => undefined;
    const mayGo = new Promise<void>((resolve) => {
      go = resolve;
    });
    const store = pausing(world, async () => {
      look();
      await mayGo;
    });
    const outbox = makeOutbox({ ...world.deps, store });
    const started = outbox.start();
    await isLooking;
    const drained = outbox.drain(1_000);
    go();
    await Promise.all([started, drained]);
    expect((await world.effect(id)).state).toBe('approved');
    expect(world.chat.sent).toEqual([]);
  });

  test('an effect that is gone is no trouble, and the next one leaves', async () => {
    const { world } = at;
    const gone = await insertReply(world, 'gone');
    const next = await insertReply(world, 'next');
    let isFirst = true;
    const store = pausing(world, async () => {
      if (isFirst) await tamper(world, 'effect', { id: gone }, { state: 'void' });
      isFirst = false;
    });
    const outbox = makeOutbox({ ...world.deps, store });
    await outbox.start();
    await outbox.idle();
    expect(arrivedOf(world, next)).toHaveLength(1);
    expect([arrivedOf(world, gone).length, errorsOf(world)]).toEqual([0, 0]);
    await outbox.drain(0);
  });
});

describe('an outcome that the disk refuses', () => {
  test('is tried again after twice the time, up to the longest wait', async () => {
    const { world } = at;
    await insertReply(world, 'hello');
    const tries: number[] = [];
    const began = world.clock.nowMs();
    const store = failing(world, 'effect.done', full, () => void tries.push(world.clock.nowMs() - began));
    const outbox = makeOutbox({ ...world.deps, store });
    await outbox.start();
    await world.clock.settle();
    await world.clock.advance(32_000);
    expect(tries).toEqual([0, 1_000, 3_000, 7_000, 15_000, 23_000, 31_000]);
    await outbox.drain(0);
  });

  test('is given up when the process must end', async () => {
    const { world } = at;
    const id = await insertReply(world, 'hello');
    let tries = 0;
    const store = failing(world, 'effect.done', full, () => {
      tries += 1;
    });
    const outbox = makeOutbox({ ...world.deps, store });
    await outbox.start();
    await world.clock.settle();
    const drained = outbox.drain(500);
    await world.clock.advance(500);
    await drained;
    expect(tries).toBeLessThanOrEqual(2);
    expect([(await world.effect(id)).state, world.clock.sleeping]).toEqual(['performing', 0]);
  });
});

describe('trouble', () => {
  test.each<readonly [string, unknown, number]>([
    ['of a full disk is tried again later', full(), 1],
    ['that is a bug is not', fault('bug'), 0],
    ['of another make with the same word is not', Object.assign(new Error('x'), { kind: 'unavailable' }), 0],
    ['that is refused is not', fault('rejected'), 0],
  ])('%s', async (_name, thrown, timers) => {
    const { world } = at;
    await insertReply(world, 'hello');
    const outbox = makeOutbox({ ...world.deps, store: failing(world, 'effect.perform', () => thrown) });
    await outbox.start();
    await outbox.idle();
    expect(world.clock.sleeping).toBe(timers);
    expect(errorsOf(world)).toBe(1);
    await outbox.drain(0);
  });

  test('while it stops leaves no timer behind', async () => {
    const { world } = at;
    await insertReply(world, 'hello');
    let fail = (): void => undefined;
    const mayFail = new Promise<void>((resolve) => {
      fail = resolve;
    });
    const { store } = world.deps;
    const slow: Store = {
      ...store,
      commit: async (audit, body) => {
        if (must([audit].flat()[0]).action !== 'effect.perform') return store.commit(audit, body);
        await mayFail;
        throw full();
      },
    };
    const outbox = makeOutbox({ ...world.deps, store: slow });
    await outbox.start();
    await world.clock.settle();
    const drained = outbox.drain(60_000);
    fail();
    await drained;
    expect(world.clock.sleeping).toBe(0);
  });

  test('that only looks like a lost epoch does not end this process', async () => {
    const { world } = at;
    const id = await insertReply(world, 'hello');
    const like = Object.assign(new Error('x'), { code: 'database.epoch.conflict' });
    let thrown: unknown = like;
    const outbox = makeOutbox({ ...world.deps, store: failing(world, 'effect.perform', () => thrown) });
    await outbox.start();
    await outbox.idle();
    thrown = undefined;
    outbox.wake();
    await outbox.idle();
    expect(arrivedOf(world, id)).toHaveLength(1);
    await outbox.drain(0);
  });
});

test('a fetch that is not over yet starts no fresh turn', async () => {
  const { world } = at;
  const turns: string[] = [];
  const hooks = { freshTurn: async ({ effect }: { effect: Effect }) => void turns.push(effect.id) };
  const fetched = await approvedPost(world, 'fetch');
  await tamper(world, 'effect', { id: fetched }, { class: 'F' });
  world.chat.onDeliver = () => {
    throw fault('unavailable');
  };
  const outbox = makeOutbox(world.deps, hooks);
  await outbox.start();
  await outbox.idle();
  expect([(await world.effect(fetched)).state, turns]).toEqual(['approved', []]);
  await outbox.drain(0);
});
