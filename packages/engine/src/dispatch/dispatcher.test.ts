import { AppError, type Run, type StoreReader, type Work } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { useStage } from '../run/run.fixture.ts';
import { must } from '../settle/world.fixture.ts';
import { makeDispatcher } from './index.ts';

const stage = useStage();

/** Runs that wait for a dispatcher: accepted by an engine whose own one was stopped. */
async function waiting(...texts: readonly string[]): Promise<readonly Run[]> {
  stage.script = () => [{ kind: 'hang' }];
  for (const text of texts) await stage.tell(text);
  const runs = await stage.world.deps.store.read.find('run', {}, { orderBy: 'createdAt' });
  await stage.world.clock.settle();
  await stage.world.deps.store.commit({ action: 'dispatch.enqueue', actor: 'test', subject: 'test' }, (tx) =>
    tx.update('run', { id: { in: runs.map((run) => run.id) } }, { state: 'queued', dispatchedAt: undefined }),
  );
  return runs;
}

/** A dispatcher over the stage's store that hands its work to the test. */
function handing(read: (inner: StoreReader) => StoreReader, refusals = 0) {
  const taken: Work[] = [];
  let left = refusals;
  const { store } = stage.world.deps;
  const dispatcher = makeDispatcher(
    { store: { ...store, read: read(store.read) }, clock: stage.world.clock, log: stage.deps.log },
    {
      enqueue: async (work) => {
        left -= 1;
        if (left >= 0)
          throw new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'full' });
        taken.push(...work);
      },
      register: () => undefined,
      schedule: async () => undefined,
      cancel: async () => false,
      list: async () => [],
      start: async () => undefined,
      drain: async () => undefined,
    },
  );
  return { dispatcher, taken };
}

describe('runs that wait', () => {
  test('of one instant go in the order of their messages, however the rows come', async () => {
    const runs = await waiting('one', 'two', 'three');
    const reversed = (inner: StoreReader): StoreReader => ({
      ...inner,
      find: async (table, where, options) => [...(await inner.find(table, where, options))].reverse(),
    });
    const { dispatcher, taken } = handing(reversed);
    dispatcher.wake();
    await dispatcher.idle();
    const messages = await stage.world.deps.store.read.find(
      'context_message',
      { direction: 'in' },
      { orderBy: 'seq' },
    );
    const expected = messages.map((message) => must(runs.find((run) => run.input === message.id)).id);
    expect(taken.map((work) => work.id)).toEqual(expected);
    expect(taken[0]).toMatchObject({ workflow: 'run', key: runs[0]?.conversation, lane: runs[0]?.workspace });
  });

  test('are handed over once, and again after a refusal', async () => {
    await waiting('one', 'two');
    const { dispatcher, taken } = handing((inner) => inner, 1);
    dispatcher.wake();
    await stage.world.clock.settle();
    expect(taken).toEqual([]);
    await stage.world.clock.advance(1_000);
    await dispatcher.idle();
    dispatcher.wake();
    await dispatcher.idle();
    expect(taken).toHaveLength(2);
  });

  test('stay where they are once it is stopped', async () => {
    await waiting('one');
    const { dispatcher, taken } = handing((inner) => inner);
    await dispatcher.stop();
    dispatcher.wake();
    await dispatcher.idle();
    expect(taken).toEqual([]);
  });
});
