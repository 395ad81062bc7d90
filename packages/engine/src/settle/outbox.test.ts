import { AppError, type Effect, type Store, type StoreReader } from '@agent-runtime/domain';
import { memoryLiveFeed } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { makeOutbox } from './outbox.ts';
import { fault } from './outside.fixture.ts';
import {
  approvedPost,
  arrivedOf,
  BOSS,
  insertReply,
  MEMBER,
  must,
  OPERATOR,
  person,
  runOutbox,
  tamper,
  useWorld,
} from './world.fixture.ts';

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

  test.each([
    ['what is no fault of the disk', fault('bug')],
    ['what is no error of ours', Object.assign(new Error('x'), { kind: 'unavailable' })],
  ])('%s is not tried again: it would be for ever', async (_name, thrown) => {
    const { world } = at;
    const id = await insertReply(world, 'hello');
    let tries = 0;
    const store: Store = {
      ...world.deps.store,
      commit: (audit, body) => {
        if (must([audit].flat()[0]).action !== 'effect.done') return world.deps.store.commit(audit, body);
        tries += 1;
        return Promise.reject(thrown);
      },
    };
    const outbox = makeOutbox({ ...world.deps, store });
    await outbox.start();
    await world.clock.advance(60_000);
    await outbox.idle();
    expect([tries, world.clock.sleeping]).toEqual([1, 0]);
    expect((await world.effect(id)).state).toBe('performing');
    await outbox.drain(0);
  });

  test.each(['panic', 'the gate'])('%s leaves what an older process began to its own rule', async (what) => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    await tamper(world, 'effect', { id }, { state: 'performing', claimEpoch: 0 });
    if (what === 'panic') world.panic.turnOn('test', 0);
    else
      await world.deps.store.commit({ action: 'gate.close', actor: 'test', subject: 'gate' }, (tx) =>
        tx.insert('gate_state', { id: 'gate', isClosed: true, reason: '', at: 0 }),
      );
    const outbox = await runOutbox(world);
    expect((await world.effect(id)).state).toBe('performing');
    await outbox.drain(0);
  });

  test.each([
    ['older', -1, (id: string) => id],
    ['of a smaller id', 0, (id: string) => id.replace(/^efct_/, 'efct_z')],
  ])('of two answers to one place the one that is %s leaves first', async (_name, ms, rename) => {
    const { world } = at;
    const first = await insertReply(world, 'first');
    const second = await insertReply(world, 'second');
    const { createdAt } = await world.effect(first);
    await tamper(
      world,
      'effect',
      { id: first },
      { id: rename(first).slice(0, first.length) as Effect['id'] },
    ); // safe: alphabet of ids
    await tamper(world, 'effect', { id: second }, { createdAt: createdAt + ms });
    await runOutbox(world);
    expect(world.chat.sent.map((sent) => sent.payload.text)).toEqual(['second', 'first']);
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

  test('claims nothing before its start, nor after its end', async () => {
    const { world } = at;
    const first = await insertReply(world, 'first');
    const outbox = makeOutbox(world.deps);
    outbox.wake();
    await outbox.idle();
    expect((await world.effect(first)).state).toBe('approved');
    await outbox.start();
    await outbox.idle();
    expect((await world.effect(first)).state).toBe('done');
    await outbox.drain(0);
    const second = await insertReply(world, 'second');
    outbox.wake();
    await outbox.idle();
    expect((await world.effect(second)).state).toBe('approved');
  });

  test('looks once more after many calls, not once for each', async () => {
    const { world } = at;
    let looks = 0;
    const read: StoreReader = {
      ...world.deps.store.read,
      find: (table, where, options) => {
        looks += 1;
        return world.deps.store.read.find(table, where, options);
      },
    };
    const outbox = makeOutbox({ ...world.deps, store: { ...world.deps.store, read } });
    await outbox.start();
    await outbox.idle();
    looks = 0;
    for (let call = 0; call < 9; call += 1) outbox.wake();
    await outbox.idle();
    expect(looks).toBe(2);
    // Under panic nothing is read at all.
    world.panic.turnOn('test', 0);
    outbox.wake();
    await outbox.idle();
    expect(looks).toBe(2);
  });

  test('performs eight at once, and the others afterwards', async () => {
    const { world } = at;
    for (let n = 0; n < 10; n += 1) await approvedPost(world, `post ${n}`);
    world.chat.onDeliver = () => 'hang';
    const outbox = makeOutbox(world.deps);
    await outbox.start();
    await world.clock.settle();
    expect(await world.deps.store.read.count('effect', { state: 'performing' })).toBe(8);
    world.chat.onDeliver = undefined;
    expect(outbox.abort()).toHaveLength(8);
    await outbox.idle();
    const posts = { kind: 'message.post', state: 'done' } as const;
    expect(await world.deps.store.read.count('effect', posts)).toBeGreaterThanOrEqual(2);
    expect(await world.deps.store.read.count('effect', { state: 'performing' })).toBe(0);
    await outbox.drain(0);
  });

  test('stops what belongs to one principal, or everything', async () => {
    const { world } = at;
    const mine = await approvedPost(world, 'mine');
    const other = await approvedPost(world, 'other');
    await tamper(world, 'effect', { id: other }, { requester: person(BOSS) });
    world.chat.onDeliver = (sent) => ([mine, other].some((id) => id === sent.effectId) ? 'hang' : undefined);
    const outbox = makeOutbox(world.deps);
    await outbox.start();
    await world.clock.settle();
    expect(outbox.abort(OPERATOR)).toEqual([]);
    expect(outbox.abort(MEMBER)).toEqual([mine]);
    await world.clock.settle();
    expect((await world.effect(mine)).state).toBe('uncertain');
    expect((await world.effect(other)).state).toBe('performing');
    expect(outbox.abort()).toEqual([other]);
    await outbox.idle();
    expect((await world.effect(other)).state).toBe('uncertain');
    await outbox.drain(0);
  });

  test('goes on with what comes next where an effect was taken away under its hands', async () => {
    const { world } = at;
    const first = await insertReply(world, 'first');
    const second = await insertReply(world, 'second');
    world.chat.onDeliver = async (sent) => {
      if (sent.effectId === first) await tamper(world, 'effect', { id: first }, { state: 'void' });
    };
    const outbox = await runOutbox(world);
    expect((await world.effect(first)).state).toBe('void');
    expect((await world.effect(second)).state).toBe('done');
    await outbox.drain(0);
  });

  test('tells what it does and what came of it', async () => {
    const { world } = at;
    const live = memoryLiveFeed();
    const counted: unknown[] = [];
    const metrics = { ...world.deps.metrics, count: (...all: unknown[]) => void counted.push(all) };
    const id = await approvedPost(world, 'hello');
    const outbox = makeOutbox({ ...world.deps, live, metrics });
    await outbox.start();
    await outbox.idle();
    const told = live.events.filter((event) => event.data.id === id).map((event) => event.kind);
    expect(told).toEqual(['effect.performing', 'effect.done']);
    expect(counted).toContainEqual(['effect_settled_total', { state: 'done', class: 'E1' }]);
    await outbox.drain(0);
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
    const code = await approvedPost(world, 'code');
    await tamper(world, 'effect', { id: code }, { class: 'K' });
    const outbox = makeOutbox(world.deps, hooks);
    await outbox.start();
    await outbox.idle();
    expect((await world.effect(post)).state).toBe('done');
    expect(turns.sort()).toEqual([fetched, code].sort());
  });
});
