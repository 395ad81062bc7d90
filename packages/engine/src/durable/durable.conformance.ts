import { AppError, type AuditDraft, type Durable, type JsonObject, type Work } from '@agent-runtime/domain';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** One engine of durable work under test, on its own data. */
export interface DurableHarness {
  readonly durable: Durable;
  nowMs(): number;
  /** Moves its clock. */
  advance(ms: number): Promise<void>;
  /** Resolves when nothing runs and nothing is due now. */
  idle(): Promise<void>;
  /** How often it has looked for work so far. */
  looks(): number;
  /** The process dies where it stands; another one opens the same data. What is registered there starts nothing before `start`. */
  crash(): Promise<DurableHarness>;
  close(): Promise<void>;
}

export interface DurableOptions {
  /** Works of one lane at a time. */
  readonly laneLimit: number;
  readonly maxAttempts: number;
}

const OPTIONS: DurableOptions = { laneLimit: 3, maxAttempts: 3 };
const AUDIT: AuditDraft = { action: 'durable.step', actor: 'test', subject: 'work' };

const work = (id: string, more: Partial<Work> = {}): Work => ({
  id,
  workflow: 'job',
  key: id,
  lane: 'lane',
  input: { id },
  notBefore: 0,
  ...more,
});

/** What a workflow that notes everything saw, and a gate for each work that waits. */
interface Notes {
  readonly begun: string[];
  readonly ended: string[];
  readonly failed: { readonly id: string; readonly code: string }[];
  readonly attempts: number[];
  mostAtOnce: number;
  /** Lets a waiting work go on. */
  open(id: string): void;
  /** Resolves when this work has begun. */
  isBegun(id: string): Promise<void>;
}

/** A workflow that waits at a gate, if its input says so, and notes what happens to it. */
function noting(durable: Durable, name = 'job'): Notes {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const starts = new Map<string, PromiseWithResolvers<void>>();
  const of = (map: typeof gates, id: string): PromiseWithResolvers<void> => {
    const known = map.get(id) ?? Promise.withResolvers<void>();
    map.set(id, known);
    return known;
  };
  let running = 0;
  const notes: Notes = {
    begun: [],
    ended: [],
    failed: [],
    attempts: [],
    mostAtOnce: 0,
    open: (id) => of(gates, id).resolve(),
    isBegun: (id) => of(starts, id).promise,
  };
  durable.register(name, {
    run: async (input, context) => {
      const id = String(input.id);
      running += 1;
      notes.mostAtOnce = Math.max(notes.mostAtOnce, running);
      notes.begun.push(id);
      notes.attempts.push(context.attempt);
      of(starts, id).resolve();
      try {
        if (input.waits === true) await orAborted(of(gates, id).promise, context.signal);
        if (input.throws === true)
          throw new AppError({ code: 'durable.work.rejected', kind: 'rejected', message: 'It will not do.' });
      } finally {
        running -= 1;
      }
      notes.ended.push(id);
    },
    onFailed: async (input, error) => {
      notes.failed.push({ id: String(input.id), code: error.code });
    },
  });
  return notes;
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const stop = (): void =>
    aborted.reject(
      new AppError({ code: 'durable.work.cancelled', kind: 'cancelled', message: String(signal.reason) }),
    );
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return Promise.race([promise, aborted.promise]);
}

/** What every engine of durable work must do. Run it against each of them. */
export function durableConformance(
  name: string,
  open: (options: DurableOptions) => Promise<DurableHarness>,
): void {
  describe(`durable work: ${name}`, () => {
    let at: DurableHarness;
    beforeEach(async () => {
      at = await open(OPTIONS);
    });
    afterEach(() => at.close());

    const begin = async (): Promise<Notes> => {
      const notes = noting(at.durable);
      await at.durable.start();
      return notes;
    };
    const stateOf = async (id: string) =>
      (await at.durable.list({ limit: 1_000 })).find((item) => item.id === id)?.state;

    test('runs what is enqueued, once, and again only under another id', async () => {
      const notes = await begin();
      await at.durable.enqueue([work('a')]);
      await at.idle();
      await at.durable.enqueue([work('a'), work('b')]);
      await at.idle();
      expect(notes.ended).toEqual(['a', 'b']);
      expect(await stateOf('a')).toBe('done');
    });

    test('starts nothing before it is started, and then what was enqueued before', async () => {
      const notes = noting(at.durable);
      await at.durable.enqueue([work('early')]);
      await at.idle();
      expect(notes.begun).toEqual([]);
      await at.durable.start();
      await at.idle();
      expect(notes.ended).toEqual(['early']);
    });

    test('works of one key run one after the other, in order; of other keys beside them', async () => {
      const notes = await begin();
      const waiting = (id: string, key: string) => work(id, { key, input: { id, waits: true } });
      await at.durable.enqueue([waiting('a1', 'a'), waiting('a2', 'a'), waiting('b1', 'b')]);
      await Promise.all([notes.isBegun('a1'), notes.isBegun('b1')]);
      notes.open('b1');
      notes.open('a2');
      await at.advance(1);
      expect(notes.begun).not.toContain('a2');
      notes.open('a1');
      await at.idle();
      expect(notes.ended.filter((id) => id.startsWith('a'))).toEqual(['a1', 'a2']);
      expect(notes.mostAtOnce).toBe(2);
    });

    test('a lane holds at most its limit at a time; another lane is not held up', async () => {
      const notes = await begin();
      const ids = ['1', '2', '3', '4', '5'];
      await at.durable.enqueue(ids.map((id) => work(id, { input: { id, waits: true } })));
      await Promise.all(['1', '2', '3'].map((id) => notes.isBegun(id)));
      await at.durable.enqueue([work('other', { lane: 'elsewhere' })]);
      await notes.isBegun('other');
      expect(notes.begun.filter((id) => id !== 'other')).toEqual(['1', '2', '3']);
      for (const id of ids) notes.open(id);
      await at.idle();
      expect(notes.ended.filter((id) => id !== 'other').sort()).toEqual(ids);
    });

    test('waits for its instant, and looks for nothing while it waits', async () => {
      const notes = await begin();
      await at.durable.enqueue([work('later', { notBefore: at.nowMs() + 5_000 })]);
      await at.idle();
      const looked = at.looks();
      await at.advance(4_999);
      expect(notes.begun).toEqual([]);
      expect(at.looks()).toBe(looked);
      await at.advance(1);
      await at.idle();
      expect(notes.ended).toEqual(['later']);
      const after = at.looks();
      await at.advance(3_600_000);
      expect(at.looks()).toBe(after);
    });

    test('a schedule makes one work for each name and instant, also after a restart', async () => {
      const notes = await begin();
      const due = at.nowMs() + 1_000;
      const { id: _id, notBefore: _notBefore, ...daily } = work('daily');
      await at.durable.schedule('digest', due, daily);
      await at.durable.schedule('digest', due, daily);
      await at.advance(1_000);
      await at.idle();
      expect(notes.ended).toHaveLength(1);
      at = await at.crash();
      const again = await begin();
      await at.durable.schedule('digest', due, daily);
      await at.durable.schedule('digest', due + 1, daily);
      await at.advance(10);
      await at.idle();
      expect(again.ended).toHaveLength(1);
    });

    test('a recorded step is not performed again, and gives the same value', async () => {
      const performed: string[] = [];
      const values: unknown[] = [];
      const hang = Promise.withResolvers<void>();
      const reached = Promise.withResolvers<void>();
      const register = (isFirst: boolean): void =>
        at.durable.register('job', {
          run: async (_input, { step }) => {
            for (const name of ['one', 'two']) {
              const value = await step(
                name,
                async () => {
                  performed.push(name);
                  return performed.length;
                },
                async (_tx, count) => ({ name, count }),
                AUDIT,
              );
              values.push(value);
              if (isFirst && name === 'one') {
                reached.resolve();
                await hang.promise;
              }
            }
          },
          onFailed: async () => undefined,
        });
      register(true);
      await at.durable.start();
      await at.durable.enqueue([work('a')]);
      await reached.promise;
      at = await at.crash();
      register(false);
      await at.durable.start();
      await at.idle();
      expect(performed).toEqual(['one', 'two']);
      expect(values).toEqual([
        { name: 'one', count: 1 },
        { name: 'one', count: 1 },
        { name: 'two', count: 2 },
      ]);
      expect(await stateOf('a')).toBe('done');
    });

    test('a step and what it writes happen together or not at all', async () => {
      let tries = 0;
      at.durable.register('job', {
        run: async (_input, { step }) => {
          await step(
            'write',
            async () => undefined,
            async (tx) => {
              tries += 1;
              await tx.insert('notify_notice', { key: 'once', at: 1 });
              if (tries === 1)
                throw new AppError({ code: 'durable.record.rejected', kind: 'rejected', message: 'no' });
              return null;
            },
            AUDIT,
          );
        },
        onFailed: async () => undefined,
      });
      await at.durable.start();
      await at.durable.enqueue([work('a'), work('b')]);
      await at.idle();
      // The first one left no row behind, or the second could not have written it.
      expect([await stateOf('a'), await stateOf('b')].sort()).toEqual(['done', 'failed']);
    });

    test('what a dead process left running goes on first, and keeps its place in its key', async () => {
      const notes = await begin();
      await at.durable.enqueue(
        ['a1', 'a2'].map((id) => work(id, { key: 'a', input: { id, waits: id === 'a1' } })),
      );
      await notes.isBegun('a1');
      at = await at.crash();
      const again = await begin();
      again.open('a1');
      await at.idle();
      expect(again.ended).toEqual(['a1', 'a2']);
      expect(again.attempts).toEqual([2, 1]);
    });

    test('work that ends each process is poison: it fails after its attempts, and its key goes on', async () => {
      const poison = work('poison', { key: 'a', input: { id: 'poison', waits: true } });
      let notes = await begin();
      await at.durable.enqueue([poison, work('next', { key: 'a' })]);
      for (let n = 1; n <= OPTIONS.maxAttempts; n += 1) {
        await notes.isBegun('poison');
        expect(notes.failed).toEqual([]);
        at = await at.crash();
        notes = await begin();
      }
      await at.idle();
      expect(notes.failed).toEqual([{ id: 'poison', code: 'durable.attempts.exhausted' }]);
      expect(notes.ended).toEqual(['next']);
      expect(await stateOf('poison')).toBe('failed');
    });

    test('what throws fails once, is told why, and holds nobody up', async () => {
      const notes = await begin();
      await at.durable.enqueue([
        work('bad', { key: 'a', input: { id: 'bad', throws: true } }),
        work('good', { key: 'a' }),
      ]);
      await at.idle();
      expect(notes.failed).toEqual([{ id: 'bad', code: 'durable.work.rejected' }]);
      expect(notes.ended).toEqual(['good']);
      expect(await stateOf('bad')).toBe('failed');
    });

    test('work of an unknown workflow fails, and its key goes on', async () => {
      const notes = await begin();
      await at.durable.enqueue([
        work('strange', { key: 'a', workflow: 'nothing' }),
        work('good', { key: 'a' }),
      ]);
      await at.idle();
      expect(notes.ended).toEqual(['good']);
      expect(await stateOf('strange')).toBe('failed');
    });

    test('a work whose last word fails still ends, and so does its key', async () => {
      at.durable.register('bad', {
        run: async () => {
          throw new AppError({ code: 'durable.work.rejected', kind: 'rejected', message: 'no' });
        },
        onFailed: async () => {
          throw new Error('not even that');
        },
      });
      const notes = await begin();
      await at.durable.enqueue([work('bad', { key: 'a', workflow: 'bad' }), work('good', { key: 'a' })]);
      await at.idle();
      expect(notes.ended).toEqual(['good']);
      expect(await stateOf('bad')).toBe('failed');
    });

    test('cancelled in the queue it never starts; running it is told, and begins no further step', async () => {
      const notes = noting(at.durable);
      let isStepped = false;
      const reached = Promise.withResolvers<JsonObject>();
      at.durable.register('steps', {
        run: async (input, { signal, step }) => {
          reached.resolve(input);
          await new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => resolve(), { once: true }),
          );
          await step(
            'late',
            async () => {
              isStepped = true;
            },
            async () => null,
            AUDIT,
          );
        },
        onFailed: async () => undefined,
      });
      await at.durable.start();
      await at.durable.enqueue([
        work('running', { workflow: 'steps', key: 'a' }),
        work('queued', { key: 'a' }),
        work('free', { key: 'b' }),
      ]);
      await reached.promise;
      expect(await at.durable.cancel('queued', 'abort')).toBe(true);
      expect(await at.durable.cancel('running', 'abort')).toBe(true);
      await at.idle();
      expect(isStepped).toBe(false);
      expect(notes.begun).toEqual(['free']);
      expect(await stateOf('queued')).toBe('cancelled');
      expect(await at.durable.cancel('queued', 'abort')).toBe(false);
      expect(await at.durable.cancel('unknown', 'abort')).toBe(false);
    });

    test('a drain takes nothing new, waits for what runs, then leaves it resumable without costing a start', async () => {
      const notes = await begin();
      await at.durable.enqueue(['1', 'slow'].map((id) => work(id, { input: { id, waits: true } })));
      await Promise.all([notes.isBegun('1'), notes.isBegun('slow')]);
      const drained = at.durable.drain(2_000);
      await at.durable.enqueue([work('late')]);
      notes.open('1');
      await at.advance(1_999);
      expect(notes.ended).toEqual(['1']);
      await at.advance(1);
      await drained;
      expect(notes.failed).toEqual([]);
      expect([await stateOf('1'), await stateOf('slow'), await stateOf('late')]).toEqual([
        'done',
        'queued',
        'queued',
      ]);
      at = await at.crash();
      const again = await begin();
      again.open('slow');
      await at.idle();
      expect([...again.ended].sort()).toEqual(['late', 'slow']);
      expect(again.attempts).toEqual([1, 1]);
    });

    test('lists by state and key', async () => {
      await begin();
      await at.durable.enqueue([work('a', { key: 'k' }), work('b', { notBefore: at.nowMs() + 9_000 })]);
      await at.idle();
      const ids = async (filter: Parameters<Durable['list']>[0]) =>
        (await at.durable.list(filter)).map((item) => item.id);
      expect(await ids({ state: 'queued', limit: 9 })).toEqual(['b']);
      expect(await ids({ key: 'k', limit: 9 })).toEqual(['a']);
      expect(await ids({ limit: 1 })).toEqual(['a']);
    });
  });
}
