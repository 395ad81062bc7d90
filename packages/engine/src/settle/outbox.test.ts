import { AppError, type Effect, type Store } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { makeOutbox } from './outbox.ts';
import { approvedPost, arrivedOf, insertReply, must, runOutbox, tamper, useWorld } from './world.fixture.ts';

const at = useWorld();

describe('when the disk refuses', () => {
  function failing(store: Store, isFull: (action: string) => boolean): Store {
    return {
      read: store.read,
      epoch: store.epoch,
      commit: (audit, body) => {
        const [first] = [audit].flat();
        if (!isFull(must(first).action)) return store.commit(audit, body);
        throw new AppError({
          code: 'database.disk.unavailable',
          kind: 'unavailable',
          message: 'The disk is full.',
        });
      },
    };
  }

  test('no decision on record, no delivery; it goes on when there is space', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    let isFull = true;
    const deps = { ...world.deps, store: failing(world.deps.store, () => isFull) };
    const outbox = makeOutbox(deps);
    await outbox.start();
    await outbox.idle();
    expect(world.chat.sent).toEqual([]);
    isFull = false;
    await world.clock.advance(1_000);
    await outbox.idle();
    expect(arrivedOf(world, id)).toHaveLength(1);
    await outbox.drain(0);
  });

  test('an outcome that cannot be written yet is kept until it can, and nothing is sent twice', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    let isFull = true;
    const deps = {
      ...world.deps,
      store: failing(world.deps.store, (action) => isFull && action === 'effect.done'),
    };
    const outbox = makeOutbox(deps);
    await outbox.start();
    await world.clock.settle();
    expect(arrivedOf(world, id)).toHaveLength(1);
    expect((await world.effect(id)).state).toBe('performing');
    isFull = false;
    await world.clock.advance(1_000);
    await outbox.idle();
    expect((await world.effect(id)).state).toBe('done');
    expect(arrivedOf(world, id)).toHaveLength(1);
    await outbox.drain(0);
  });

  test('a process that lost its epoch claims nothing and gives up', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    let tries = 0;
    const stale: Store = {
      read: world.deps.store.read,
      epoch: world.deps.store.epoch - 1,
      commit: async () => {
        tries += 1;
        throw new AppError({
          code: 'database.epoch.conflict',
          kind: 'conflict',
          message: 'Another process took over.',
        });
      },
    };
    const outbox = makeOutbox({ ...world.deps, store: stale });
    await outbox.start();
    await outbox.idle();
    await world.clock.advance(60_000);
    const before = tries;
    expect(before).toBeGreaterThan(0);
    outbox.wake();
    await outbox.idle();
    expect(tries).toBe(before);
    expect(arrivedOf(world, id)).toEqual([]);
    expect(world.clock.sleeping).toBe(0);
  });
});

describe('the worker', () => {
  test('holds no timer while idle and wakes for what is due later', async () => {
    const { world } = at;
    const outbox = await runOutbox(world);
    expect(world.clock.sleeping).toBe(0);
    const id = await insertReply(world, 'later');
    await tamper(world, 'effect', { id }, { notBefore: world.clock.nowMs() + 5_000 });
    outbox.wake();
    await outbox.idle();
    expect([world.clock.sleeping, world.clock.nextDueInMs]).toEqual([1, 5_000]);
    await world.clock.advance(5_000);
    await outbox.idle();
    expect(arrivedOf(world, id)).toHaveLength(1);
    expect(world.clock.sleeping).toBe(0);
  });

  test('drain lets what is on its way finish and claims nothing more', async () => {
    const { world } = at;
    const first = await insertReply(world, 'first');
    await insertReply(world, 'second');
    let answer: () => void = () => {};
    world.chat.onDeliver = () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      });
    const outbox = makeOutbox(world.deps);
    await outbox.start();
    await world.clock.settle();
    const drained = outbox.drain(5_000);
    answer();
    await drained;
    expect((await world.effect(first)).state).toBe('done');
    expect(world.chat.sent).toHaveLength(1);
  });

  test('drain aborts at its deadline; the answer goes out after the restart, the approved effect is uncertain', async () => {
    const { world } = at;
    const reply = await insertReply(world, 'answer');
    const post = await approvedPost(world, 'post');
    world.chat.script = [{ kind: 'hang' }, { kind: 'hang' }];
    const outbox = makeOutbox(world.deps);
    await outbox.start();
    await world.clock.settle();
    const drained = outbox.drain(5_000);
    await world.clock.advance(5_000);
    await drained;
    expect((await world.effect(reply)).state).toBe('approved');
    expect((await world.effect(post)).state).toBe('uncertain');
    const again = await at.restart();
    await again.clock.advance(1_000);
    await runOutbox(again);
    expect(arrivedOf(again, reply)).toHaveLength(1);
    expect(arrivedOf(again, post)).toHaveLength(0);
  });

  test('results of fetches and code start a fresh turn, posts do not', async () => {
    const { world } = at;
    const turns: string[] = [];
    const hooks = { freshTurn: async ({ effect }: { effect: Effect }) => void turns.push(effect.id) };
    const post = await approvedPost(world, 'post');
    const fetched = await approvedPost(world, 'fetch');
    await tamper(world, 'effect', { id: fetched }, { class: 'F' });
    const outbox = makeOutbox(world.deps, hooks);
    await outbox.start();
    await outbox.idle();
    expect((await world.effect(post)).state).toBe('done');
    expect(turns).toEqual([fetched]);
  });
});
