import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, type Journal, type StoreTx } from '@agent-runtime/domain';
import { openMemoryStore } from '@agent-runtime/store';
import { type ManualClock, manualClock, recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { type DurableHarness, type DurableOptions, durableConformance } from './durable.conformance.ts';
import { type EmbeddedDurable, makeEmbeddedDurable } from './index.ts';

interface Opened extends DurableHarness {
  readonly durable: EmbeddedDurable;
  readonly clock: ManualClock;
  readonly journal: Journal;
  crash(): Promise<Opened>;
}

const folders: string[] = [];

async function open(
  options: DurableOptions & { readonly wrap?: (journal: Journal) => Journal },
  dataDir = newFolder(),
  clock = manualClock(),
): Promise<Opened> {
  const opened = await openMemoryStore({ dataDir, clock });
  let looks = 0;
  const journal: Journal = (options.wrap ?? ((same) => same))({
    ...opened.journal,
    claim: (input) => {
      looks += 1;
      return opened.journal.claim(input);
    },
  });
  const durable = makeEmbeddedDurable({
    journal,
    store: opened.store,
    clock,
    log: recordingLogger(),
    laneLimit: () => options.laneLimit,
    maxAttempts: options.maxAttempts,
    maxParallel: 32,
  });
  return {
    durable,
    clock,
    journal,
    nowMs: () => clock.nowMs(),
    advance: (ms) => clock.advance(ms),
    idle: () => durable.idle(),
    looks: () => looks,
    crash: async () => {
      await opened.close();
      return open(options, dataDir, clock);
    },
    close: async () => {
      await opened.close();
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'durable-'));
  folders.push(folder);
  return folder;
}

durableConformance('embedded', open);

const full = (): AppError =>
  new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'The disk is full.' });
const job = (id: string, key = id) => ({
  id,
  workflow: 'job',
  key,
  lane: 'lane',
  input: { id },
  notBefore: 0,
});

describe('a disk that refuses', () => {
  test('keeps the work in its place, however long it refuses', async () => {
    let refusals = 3;
    const at = await open({
      laneLimit: 3,
      maxAttempts: 2,
      wrap: (journal) => ({
        ...journal,
        release: (id) => {
          refusals -= 1;
          return refusals >= 0 ? Promise.reject(full()) : journal.release(id);
        },
      }),
    });
    let starts = 0;
    const failed: string[] = [];
    at.durable.register('job', {
      run: async () => {
        starts += 1;
        if (starts === 1) throw full();
      },
      onFailed: async (_input, error) => void failed.push(error.code),
    });
    await at.durable.start();
    await at.durable.enqueue([job('a')]);
    for (let n = 0; n < 6; n += 1) await at.advance(1_000);
    await at.idle();
    expect([starts, failed]).toEqual([2, []]);
    expect((await at.journal.get('a'))?.state).toBe('done');
    await at.close();
  });

  test('is tried again after a while when claiming fails', async () => {
    let refusals = 1;
    const at = await open({
      laneLimit: 3,
      maxAttempts: 2,
      wrap: (journal) => ({
        ...journal,
        claim: (input) => {
          refusals -= 1;
          return refusals >= 0 ? Promise.reject(full()) : journal.claim(input);
        },
      }),
    });
    const ended: string[] = [];
    at.durable.register('job', {
      run: async (input) => void ended.push(String(input.id)),
      onFailed: async () => undefined,
    });
    await at.durable.enqueue([job('a')]);
    await at.durable.start();
    await at.idle();
    expect(ended).toEqual([]);
    await at.advance(1_000);
    await at.idle();
    expect(ended).toEqual(['a']);
    await at.close();
  });
});

describe('the embedded engine alone', () => {
  test('aborts what fits at once and in memory', async () => {
    const at = await open({ laneLimit: 3, maxAttempts: 2 });
    const reasons: unknown[] = [];
    const begun = Promise.withResolvers<void>();
    at.durable.register('job', {
      run: async (input, { signal }) => {
        if (input.id === 'a') begun.resolve();
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        reasons.push([input.id, signal.reason]);
      },
      onFailed: async () => undefined,
    });
    await at.durable.start();
    await at.durable.enqueue([job('a'), job('b')]);
    await begun.promise;
    at.durable.abort((id) => id === 'a', 'revoked');
    await at.advance(1);
    expect(reasons).toEqual([['a', 'revoked']]);
    at.durable.abort(() => true, 'panic');
    await at.idle();
    expect(reasons).toHaveLength(2);
    await at.close();
  });

  test('writes no second end for work that ended in its own commit, and one for work that did not', async () => {
    const ends: string[] = [];
    const at = await open({
      laneLimit: 3,
      maxAttempts: 2,
      wrap: (journal) => ({
        ...journal,
        finish: (id, ...rest) => {
          ends.push(id);
          return journal.finish(id, ...rest);
        },
      }),
    });
    at.durable.register('job', {
      run: async ({ id }, { step }) => {
        const record = async (tx: StoreTx) => {
          if (id === 'own') await tx.finishWork('own', 'done');
          return null;
        };
        await step('last', async () => null, record, { action: 'test.end', actor: 'test', subject: 'job' });
      },
      onFailed: async () => undefined,
    });
    await at.durable.start();
    await at.durable.enqueue([job('own'), job('other')]);
    await at.idle();
    expect(ends).toEqual(['other']);
    expect((await at.journal.get('own'))?.state).toBe('done');
    expect((await at.journal.get('other'))?.state).toBe('done');
    await at.close();
  });

  test('a process whose data another one took over claims nothing more', async () => {
    const dataDir = newFolder();
    const at = await open({ laneLimit: 3, maxAttempts: 2 }, dataDir);
    const fenced = new AppError({
      code: 'database.epoch.conflict',
      kind: 'conflict',
      message: 'Another process took over.',
    });
    let claims = 0;
    const other = makeEmbeddedDurable({
      journal: {
        ...at.journal,
        claim: () => {
          claims += 1;
          return Promise.reject(fenced);
        },
      },
      store: (await openMemoryStore({ clock: at.clock })).store,
      clock: at.clock,
      log: recordingLogger(),
      laneLimit: () => 1,
      maxAttempts: 1,
      maxParallel: 1,
    });
    await other.start();
    await other.idle();
    await at.advance(60_000);
    other.wake();
    await at.advance(60_000);
    expect(claims).toBe(1);
    await at.close();
  });

  test('a broken work of a dead process does not keep the next one from starting', async () => {
    let at = await open({ laneLimit: 3, maxAttempts: 1 });
    const begun = Promise.withResolvers<void>();
    at.durable.register('job', {
      run: async () => {
        begun.resolve();
        await new Promise(() => {});
      },
      onFailed: async () => undefined,
    });
    await at.durable.start();
    await at.durable.enqueue([job('a')]);
    await begun.promise;
    at = await at.crash();
    at.durable.register('job', {
      run: async () => undefined,
      onFailed: async () => {
        throw new Error('its rows are gone');
      },
    });
    await expect(at.durable.start()).resolves.toBeUndefined();
    await at.durable.enqueue([job('b')]);
    await at.idle();
    expect((await at.journal.get('b'))?.state).toBe('done');
    await at.close();
  });
});
