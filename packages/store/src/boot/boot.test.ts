import { existsSync, statSync, writeFileSync } from 'node:fs';
import { manualClock } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import {
  atEnd,
  behindItsBack,
  codeOf,
  draft,
  openFixture,
  temporaryFolder,
  userRow,
} from '../../bench/fixtures.ts';
import { openConnection } from '../database/index.ts';
import { dataPaths } from '../paths/index.ts';
import { openMemoryStore } from './memory-store.ts';

describe('opening', () => {
  test('makes a folder that only its owner can read', async () => {
    const open = await openFixture();
    expect(statSync(open.paths.appliance).mode & 0o777).toBe(0o700);
    expect(statSync(open.paths.auditKey).mode & 0o777).toBe(0o600);
    for (const path of [open.paths.panic, open.paths.database, `${open.paths.database}-wal`, open.paths.lock])
      expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(open.projectorKey).toHaveLength(32);
    expect(open.sealer.open(open.sealer.seal('x'))).toBe('x');
  });

  test('a commit is on the disk when it returns: WAL with full synchronisation', async () => {
    const open = await openFixture();
    const connection = openConnection(open.paths.database, { busyTimeoutMs: 0, durability: 'full' });
    atEnd(() => connection.close());
    expect(connection.get('pragma journal_mode')).toEqual({ journal_mode: 'wal' });
    // 2 is FULL.
    expect(connection.get('pragma synchronous')).toEqual({ synchronous: 2 });
  });

  test('a failure on the way frees the folder', async () => {
    const open = await openFixture();
    await open.close();
    const wrong = openFixture({ dataDir: open.dataDir, masterKey: new Uint8Array(32) });
    expect(await codeOf(wrong)).toBe('audit.key.denied');
    const again = await openFixture({ dataDir: open.dataDir });
    expect(again.store.epoch).toBe(2);
  });

  test('a master key of another length is refused before anything is touched', async () => {
    const dataDir = temporaryFolder();
    expect(await codeOf(openFixture({ dataDir, masterKey: new Uint8Array(31) }))).toBe('vault.key.invalid');
    expect(existsSync(dataPaths(dataDir).appliance)).toBe(false);
  });

  test('secrets stay over restarts', async () => {
    const open = await openFixture();
    await open.vault.set('A', 'one');
    await open.close();
    const again = await openFixture({ dataDir: open.dataDir });
    expect(again.vault.get('A')).toBe('one');
  });
});

describe('a damaged database', () => {
  test('that is no database at all: restore first, rebuild second', async () => {
    const open = await openFixture();
    await open.close();
    writeFileSync(open.paths.database, 'x'.repeat(8_192));
    const again = openFixture({ dataDir: open.dataDir });
    await expect(again).rejects.toMatchObject({
      code: 'database.file.unavailable',
      message: expect.stringMatching(/Restore a backup first.*rebuild/),
    });
  });

  test('with a broken page', async () => {
    const open = await openFixture();
    await open.close();
    behindItsBack(open.paths.database, (database) => {
      database.pragma('journal_mode = DELETE');
      database.unsafeMode();
      database.pragma('writable_schema = ON');
      database.exec("update sqlite_schema set rootpage = 3 where name = 'task'");
    });
    expect(await codeOf(openFixture({ dataDir: open.dataDir }))).toBe('database.file.unavailable');
  });
});

describe('a store that keeps nothing', () => {
  test('does the same and leaves no folder behind', async () => {
    const open = await openMemoryStore({ clock: manualClock() });
    await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
    expect(await open.store.read.count('identity_user', {})).toBe(1);
    expect(await open.audit.verify()).toMatchObject({ isIntact: true, count: 2 });
    expect(existsSync(open.paths.database)).toBe(true);
    await open.close();
    expect(existsSync(open.paths.data)).toBe(false);
  });

  test('keeps a folder that the caller gave it', async () => {
    const dataDir = temporaryFolder();
    const first = await openMemoryStore({ clock: manualClock(), dataDir });
    await first.close();
    const second = await openMemoryStore({ clock: manualClock(), dataDir });
    expect(second.store.epoch).toBe(2);
    await second.close();
  });
});
