import type { Work } from '@agent-runtime/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { behindItsBack, codeOf, draft, type Fixture, openFixture } from '../../bench/fixtures.ts';
import { RESTORE_FIRST } from '../tables/index.ts';
import { CLAIM_STATEMENTS } from './claim.ts';

const work = (id: string, more: Partial<Work> = {}): Work => ({
  id,
  workflow: 'chat',
  key: 'k',
  lane: 'l',
  input: { id },
  notBefore: 0,
  ...more,
});
const claim = async (open: Fixture, more: { max?: number; nowMs?: number; lane?: number } = {}) =>
  (
    await open.journal.claim({
      nowMs: more.nowMs ?? 1,
      max: more.max ?? 10,
      laneLimit: () => more.lane ?? 10,
    })
  ).map(({ id }) => id);

describe('put and get', () => {
  test('the same id again changes nothing', async () => {
    const open = await openFixture();
    await open.journal.put([work('a')]);
    await open.journal.put([work('a', { input: { other: true } }), work('b', { notBefore: 9 })]);
    expect(await open.journal.get('a')).toEqual({
      ...work('a'),
      seq: 1,
      state: 'queued',
      attempts: 0,
    });
    expect((await open.journal.list({ limit: 10 })).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(await open.journal.get('c')).toBeUndefined();
  });

  test('list filters by state and key', async () => {
    const open = await openFixture();
    await open.journal.put([work('a', { key: 'x' }), work('b', { key: 'y' }), work('c', { key: 'y' })]);
    await claim(open, { max: 1 });
    const ids = async (filter: object) =>
      (await open.journal.list({ limit: 10, ...filter })).map(({ id }) => id);
    expect(await ids({ state: 'running' })).toEqual(['a']);
    expect(await ids({ key: 'y' })).toEqual(['b', 'c']);
    expect(await ids({ key: 'y', state: 'running' })).toEqual([]);
    expect(await ids({ limit: 1 })).toEqual(['a']);
  });
});

describe('claim', () => {
  test('one running work per key, in order; other keys do not wait', async () => {
    const open = await openFixture();
    await open.journal.put([work('a1', { key: 'a' }), work('a2', { key: 'a' }), work('b1', { key: 'b' })]);
    expect(await claim(open)).toEqual(['a1', 'b1']);
    expect(await claim(open)).toEqual([]);
    await open.journal.finish('a1', 'done');
    expect(await claim(open)).toEqual(['a2']);
    expect(await open.journal.get('a2')).toMatchObject({ state: 'running', attempts: 1 });
  });

  test('an earlier work of the key that is not due yet holds the later ones back', async () => {
    const open = await openFixture();
    await open.journal.put([work('late', { notBefore: 50 }), work('now')]);
    expect(await claim(open, { nowMs: 49 })).toEqual([]);
    expect(await open.journal.nextDueMs(49)).toBe(50);
    expect(await open.journal.nextDueMs(50)).toBeUndefined();
    expect(await claim(open, { nowMs: 50 })).toEqual(['late']);
  });

  test('a lane has its limit; a full lane does not stop the others', async () => {
    const open = await openFixture();
    const lane = (name: string, count: number) =>
      Array.from({ length: count }, (_, at) => work(`${name}${at}`, { key: `${name}${at}`, lane: name }));
    await open.journal.put([...lane('busy', 5), ...lane('calm', 2)]);
    const take = () =>
      open.journal.claim({ nowMs: 1, max: 10, laneLimit: (name) => (name === 'busy' ? 2 : 10) });
    expect((await take()).map(({ id }) => id)).toEqual(['busy0', 'busy1', 'calm0', 'calm1']);
    expect(await take()).toEqual([]);
    await open.journal.finish('busy1', 'failed', 'why');
    expect((await take()).map(({ id }) => id)).toEqual(['busy2']);
    expect(await open.journal.get('busy1')).toMatchObject({ state: 'failed', error: 'why' });
  });

  test('at most `max`, oldest first over all lanes; none for 0', async () => {
    const open = await openFixture();
    await open.journal.put([
      work('1', { key: '1', lane: 'z' }),
      work('2', { key: '2', lane: 'a' }),
      work('3', { key: '3', lane: 'z' }),
    ]);
    expect(await claim(open, { max: 0 })).toEqual([]);
    expect(await claim(open, { max: 2 })).toEqual(['1', '2']);
  });

  test('two claims at once never take the same work', async () => {
    const open = await openFixture();
    await open.journal.put(Array.from({ length: 50 }, (_, at) => work(`w${at}`, { key: `k${at}` })));
    const taken = (
      await Promise.all(Array.from({ length: 20 }, () => claim(open, { max: 3, lane: 100 })))
    ).flat();
    expect(taken).toHaveLength(50);
    expect(new Set(taken).size).toBe(50);
  });

  test('any interleaving of claims and ends keeps each key in order and alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(9), { maxLength: 30 }),
        async (keys, moves) => {
          const open = await openFixture();
          await open.journal.put(
            keys.map((key, at) => work(`w${at}`, { key: `k${key}`, lane: `l${key % 2}` })),
          );
          const running: string[] = [];
          const started = new Map<string, number[]>();
          const step = async (move: number): Promise<void> => {
            if (move >= 5 && running.length > 0) {
              const [ended = ''] = running.splice(move % running.length, 1);
              return open.journal.finish(ended, 'done');
            }
            for (const item of await open.journal.claim({ nowMs: 1, max: 1 + move, laneLimit: () => 2 })) {
              started.set(item.key, [...(started.get(item.key) ?? []), item.seq]);
              running.push(item.id);
            }
            const items = await open.journal.list({ state: 'running', limit: 100 });
            expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
            for (const lane of ['l0', 'l1'])
              expect(items.filter((item) => item.lane === lane).length).toBeLessThanOrEqual(2);
          };
          for (const move of moves) await step(move);
          for (const order of started.values()) expect(order).toEqual(order.toSorted((a, b) => a - b));
          await open.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  test('every look at the queue goes through an index, also with a long queue of one key', async () => {
    const open = await openFixture();
    await open.journal.put(Array.from({ length: 300 }, (_, at) => work(`w${at}`, { key: `${at % 12}` })));
    const plan = behindItsBack(open.paths.database, (database) =>
      CLAIM_STATEMENTS.flatMap((sql) => {
        const params = Array.from(sql.matchAll(/\?/g), () => 1);
        const rows = database.prepare(`explain query plan ${sql}`).all(...params);
        return rows.map((row) => String((row as { detail: unknown }).detail)); // safe: a column that SQLite always gives
      }),
    );
    const looks = plan.filter((line) => /journal_work|work|earlier|other/.test(line));
    expect(looks.filter((line) => line.startsWith('SCAN') && !line.includes('USING'))).toEqual([]);
    // One probe of an earlier work of the key: bounded by all three, not read through.
    expect(looks).toContainEqual(
      expect.stringMatching(/^SEARCH earlier USING .*journal_work_key \(key=\? AND state=\? AND seq<\?\)/),
    );
    expect(looks).toContainEqual(
      expect.stringMatching(/^SEARCH other USING .*journal_work_key \(key=\? AND state=\?\)/),
    );
    expect(looks).toContainEqual(
      expect.stringMatching(/^SEARCH work USING .*journal_work_lane \(state=\? AND lane=\?\)/),
    );
    expect(plan.filter((line) => line.includes('TEMP B-TREE'))).toEqual([]);
  });
});

describe('steps', () => {
  test('are recorded with the commit they belong to, and the first value stays', async () => {
    const open = await openFixture();
    await open.journal.put([work('a')]);
    await open.store.commit(draft('run.step'), async (tx) => {
      await tx.recordStep('a', 'one', { tokens: 3 });
      await tx.recordStep('a', 'two', null);
    });
    await open.store.commit(draft('run.step'), async (tx) => tx.recordStep('a', 'one', 'other'));
    const failing = open.store.commit(draft('run.step'), async (tx) => {
      await tx.recordStep('a', 'three', 1);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect([...(await open.journal.steps('a'))]).toEqual([
      ['one', { tokens: 3 }],
      ['two', null],
    ]);
    expect(await open.journal.steps('b')).toEqual(new Map());
  });

  test('work ends together with what it wrote, and only once', async () => {
    const open = await openFixture();
    await open.journal.put([work('a'), work('b', { key: 'b' })]);
    await claim(open);
    const end = (state: 'done' | 'failed', fails: boolean) =>
      open.store.commit(draft('run.end'), async (tx) => {
        await tx.finishWork('a', state, 'because');
        if (fails) throw new Error('no');
      });
    await expect(end('done', true)).rejects.toThrow('no');
    expect((await open.journal.get('a'))?.state).toBe('running');
    await end('failed', false);
    await end('done', false);
    expect(await open.journal.get('a')).toMatchObject({ state: 'failed', error: 'because' });
  });
});

describe('cancel, release, recover', () => {
  test('queued work never starts; running work keeps its key until it has ended', async () => {
    const open = await openFixture();
    await open.journal.put([work('a'), work('b'), work('c')]);
    await claim(open);
    expect(await open.journal.cancel('b', 'not needed')).toBe('queued');
    expect(await open.journal.cancel('a', 'not needed')).toBe('running');
    expect(await open.journal.cancel('b', 'again')).toBeUndefined();
    expect(await open.journal.cancel('nobody', 'x')).toBeUndefined();
    expect(await claim(open)).toEqual([]);
    await open.journal.finish('a', 'cancelled');
    expect(await claim(open)).toEqual(['c']);
    expect(await open.journal.get('b')).toMatchObject({ state: 'cancelled', error: 'not needed' });
  });

  test('released work is first in its key again, and the start is not counted', async () => {
    const open = await openFixture();
    await open.journal.put([work('a'), work('b')]);
    await claim(open);
    await open.journal.release('a');
    expect(await open.journal.get('a')).toMatchObject({ state: 'queued', attempts: 0 });
    expect(await claim(open)).toEqual(['a']);
    await open.journal.finish('a', 'done');
    await open.journal.release('a');
    expect((await open.journal.get('a'))?.state).toBe('done');
  });

  test('what a dead process left running is queued again at its old place, unless its attempts are spent', async () => {
    const open = await openFixture();
    await open.journal.put([work('poison', { key: 'p' }), work('a1'), work('a2')]);
    await claim(open);
    await open.journal.release('a1');
    await claim(open);
    expect(await open.journal.recover(1)).toEqual([]);
    await open.close();

    const again = await openFixture({ dataDir: open.dataDir });
    expect(await again.journal.recover(2)).toEqual([]);
    expect(await claim(again)).toEqual(['poison', 'a1']);
    await again.close();

    const last = await openFixture({ dataDir: open.dataDir });
    const spent = await last.journal.recover(2);
    expect(spent.map(({ id, state, attempts }) => [id, state, attempts])).toEqual([
      ['poison', 'failed', 2],
      ['a1', 'failed', 2],
    ]);
    expect(spent[0]?.error).toContain('attempts');
    expect(await claim(last)).toEqual(['a2']);
  });
});

test.each([
  ['input of work', `update journal_work set input = '{"run":'`, (open: Fixture) => claim(open)],
  ['step', `update journal_step set value = '{"kind"'`, (open: Fixture) => open.journal.steps('a')],
] as const)('a damaged %s says to restore first', async (_, sql, look) => {
  const open = await openFixture();
  await open.journal.put([work('a')]);
  await open.store.commit(draft('run.step'), (tx) => tx.recordStep('a', 'one', { tokens: 3 }));
  behindItsBack(open.paths.database, (database) => database.exec(sql));
  const refusal = await Promise.resolve(look(open)).catch((thrown: unknown) => thrown);
  expect(refusal).toMatchObject({ code: 'database.file.unavailable', message: RESTORE_FIRST });
});

test('journal writes pass crash points and are refused after close', async () => {
  const open = await openFixture();
  await open.close();
  expect(await codeOf(open.journal.put([work('a')]))).toBe('database.closed.unavailable');
});
