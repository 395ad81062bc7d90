import { join } from 'node:path';
import { makeRedactor } from '@agent-runtime/domain';
import { crashPoints, manualClock, recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import {
  atEnd,
  behindItsBack,
  codeOf,
  draft,
  MASTER_KEY,
  openFixture,
  temporaryFolder,
  userRow,
} from '../../bench/fixtures.ts';
import { makeAuditKey } from '../audit/audit-key.ts';
import { openCheckpointFile } from '../audit/checkpoint-file.ts';
import { beginEpoch } from '../boot/epoch.ts';
import { makeKernel } from '../boot/kernel.ts';
import { openConnection } from '../database/index.ts';
import { MIGRATIONS, migrate } from '../migration/index.ts';

describe('fencing', () => {
  test('after another process has begun a newer epoch nothing of the old one is written', async () => {
    const open = await openFixture();
    await open.journal.put([{ id: 'w1', workflow: 'x', key: 'k', lane: 'l', input: {}, notBefore: 0 }]);
    behindItsBack(open.paths.database, (database) =>
      database.exec('update database_boot set epoch = epoch + 1'),
    );
    const add = open.store.commit(draft('user.add'), async (tx) =>
      tx.insert('identity_user', userRow('ann')),
    );
    expect(await codeOf(add)).toBe('database.epoch.conflict');
    expect(await codeOf(open.journal.claim({ nowMs: 1, max: 1, laneLimit: () => 1 }))).toBe(
      'database.epoch.conflict',
    );
    expect(await open.store.read.count('identity_user', {})).toBe(0);
    expect((await open.journal.get('w1'))?.state).toBe('queued');
  });

  test('each opening has an epoch of its own, larger than all before', async () => {
    const dataDir = temporaryFolder();
    const epochs: number[] = [];
    for (let start = 0; start < 3; start += 1) {
      const open = await openFixture({ dataDir });
      epochs.push(open.store.epoch);
      await open.close();
    }
    expect(epochs).toEqual([1, 2, 3]);
  });
});

test('an epoch that could not be made durable is no epoch', async () => {
  const { writer } = starvable();
  const failing = {
    ...writer,
    isInTransaction: true,
    exec: (sql: string) => {
      if (sql === 'commit') throw new Error('the disk is full');
      writer.exec(sql);
    },
  };
  const before = writer.get('select epoch from database_boot');
  expect(() => beginEpoch(failing)).toThrow('full');
  expect(writer.get('select epoch from database_boot')).toEqual(before);
});

describe('another program holds the database', () => {
  test('a commit waits without blocking the loop, then goes through', async () => {
    const open = await openFixture();
    const hold = openConnection(open.paths.database, { busyTimeoutMs: 0, durability: 'none' });
    hold.exec('begin immediate');
    const add = open.store.commit(draft('user.add'), async (tx) =>
      tx.insert('identity_user', userRow('ann')),
    );
    while (open.clock.sleeping === 0) await open.clock.settle();
    expect(await open.store.read.count('identity_user', {})).toBe(0);
    hold.exec('commit');
    hold.close();
    await open.clock.advance(100);
    await add;
    expect(await open.store.read.count('identity_user', {})).toBe(1);
  });

  test('it gives up in the end, and nothing was written', async () => {
    const open = await openFixture({ config: { busyTimeoutMs: 40 } });
    const hold = openConnection(open.paths.database, { busyTimeoutMs: 0, durability: 'none' });
    hold.exec('begin immediate');
    atEnd(() => hold.close());
    const refused = codeOf(open.store.commit(draft('user.add'), async () => undefined));
    for (let round = 0; round < 2; round += 1) {
      while (open.clock.sleeping === 0) await open.clock.settle();
      await open.clock.advance(20);
    }
    expect(await refused).toBe('database.busy.unavailable');
    hold.exec('rollback');
  });
});

/** The store's core on a connection that the test can starve. */
function starvable() {
  const folder = temporaryFolder();
  const path = join(folder, 'meta.sqlite');
  const clock = manualClock();
  const log = recordingLogger();
  const writer = openConnection(path, { busyTimeoutMs: 50, durability: 'none' });
  migrate(writer, MIGRATIONS, clock.nowMs());
  const reader = openConnection(path, { isReadOnly: true, busyTimeoutMs: 50, durability: 'none' });
  atEnd(() => {
    reader.close();
    writer.close();
  });
  const { key } = makeAuditKey(MASTER_KEY);
  const file = openCheckpointFile(join(folder, 'audit', 'checkpoints.jsonl'));
  const kernel = makeKernel(
    {
      dataDir: folder,
      masterKey: MASTER_KEY,
      clock,
      log,
      crash: crashPoints.none(),
      redactor: makeRedactor(() => []),
      config: { auditContent: 'metadata' },
    },
    { writer, reader, key, file, isTrusted: true },
  );
  const limitPages = (count: number): void => void writer.get(`pragma max_page_count = ${count}`);
  const pages = (): number => Number(writer.get('pragma page_count')?.page_count);
  return { ...kernel, writer, limitPages, pages };
}

describe('a full disk', () => {
  test('nothing commits, nothing is half written, and it goes on when there is room', async () => {
    const full = starvable();
    await full.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
    full.limitPages(full.pages());
    const add = (name: string) =>
      full.store.commit(draft('user.add'), async (tx) =>
        tx.insert('identity_user', userRow(name, { displayName: 'x'.repeat(20_000) })),
      );
    const codes = await Promise.all(['b', 'c', 'd'].map((name) => codeOf(add(name))));
    expect(codes).toEqual(Array(3).fill('database.disk.unavailable'));
    expect(await full.store.read.count('identity_user', {})).toBe(1);
    expect(await full.log.head()).toMatchObject({ seq: 1 });
    full.limitPages(1_000_000);
    await Promise.all(['b', 'c', 'd'].map(add));
    expect(await full.store.read.count('identity_user', {})).toBe(4);
    expect(await full.log.verify()).toMatchObject({ isIntact: true, count: 4 });
  });

  test('when only the audit record does not fit, its body does not happen either', async () => {
    const full = starvable();
    await full.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
    full.limitPages(full.pages());
    const large = draft('user.rename', { data: { note: 'x'.repeat(20_000) } });
    const rename = full.store.commit(large, (tx) =>
      tx.update('identity_user', { name: 'ann' }, { displayName: 'B' }),
    );
    expect(await codeOf(rename)).toBe('database.disk.unavailable');
    expect((await full.store.read.get('identity_user', {}))?.displayName).toBe('ANN');
  });
});

test('when the transaction fails as a whole, everybody in it hears so', async () => {
  const open = starvable();
  const results = await Promise.allSettled([
    open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann'))),
    open.store.commit(draft('user.break'), async () => {
      // As SQLite does by itself after some I/O errors.
      open.writer.exec('rollback');
    }),
    open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('bob'))),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  expect(await open.store.read.find('identity_user', {})).toEqual([userRow('bob')]);
  expect(await open.log.verify()).toMatchObject({ isIntact: true, count: 1 });
});

test('a body that swallows the failure of the disk cannot write on outside the transaction', async () => {
  const open = starvable();
  const swallowing = open.store.commit(draft('user.add'), async (tx) => {
    open.writer.exec('rollback');
    await tx.insert('identity_user', userRow('ann')).catch(() => undefined);
  });
  expect(await codeOf(swallowing)).toBe('database.disk.unavailable');
  expect(await open.store.read.count('identity_user', {})).toBe(0);
  expect((await open.log.head()).seq).toBe(0);
});
