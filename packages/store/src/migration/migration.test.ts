import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  atEnd,
  behindItsBack,
  codeOf,
  draft,
  openFixture,
  temporaryFolder,
  userRow,
} from '../../bench/fixtures.ts';
import { type Connection, openConnection } from '../database/index.ts';
import { MIGRATIONS, type Migration, migrate, schemaVersion, tryOnCopy } from './index.ts';

const good: Migration = { version: 2, sql: 'alter table identity_user add column colour text' };
const second: Migration = { version: 3, sql: "update identity_user set colour = 'red'" };
/** Fails only on data with a user of this name, as a bad migration does on somebody's data. */
const bad: Migration = {
  version: 2,
  sql: "alter table identity_user add column colour text; insert into identity_user select * from identity_user where name = 'ann'",
};

async function withUser(): Promise<{
  readonly connection: Connection;
  readonly path: string;
  readonly folder: string;
}> {
  const open = await openFixture();
  await open.store.commit(draft('user.add'), async (tx) => tx.insert('identity_user', userRow('ann')));
  await open.close();
  const connection = openConnection(open.paths.database, { busyTimeoutMs: 0, durability: 'none' });
  atEnd(() => connection.close());
  return { connection, path: open.paths.database, folder: open.paths.appliance };
}

test('versions are numbered without holes', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, at) => at + 1));
});

test('pending migrations run in order, once', async () => {
  const { connection, path } = await withUser();
  const migrations = [...MIGRATIONS, good, second];
  tryOnCopy(connection, path, migrations, 7);
  migrate(connection, migrations, 7);
  migrate(connection, migrations, 8);
  expect(schemaVersion(connection)).toBe(3);
  expect(connection.get('select name, colour from identity_user')).toEqual({ name: 'ann', colour: 'red' });
  expect(connection.all('select * from migration_version where version > 1')).toEqual([
    { version: 2, at: 7 },
    { version: 3, at: 7 },
  ]);
});

test('one that fails on this data fails on a copy; the database is untouched and no copy is left', async () => {
  const { connection, path, folder } = await withUser();
  const before = connection.all('select name, sql from sqlite_schema order by name');
  expect(
    await codeOf(Promise.resolve().then(() => tryOnCopy(connection, path, [...MIGRATIONS, bad], 7))),
  ).toBe('migration.trial.conflict');
  expect(connection.all('select name, sql from sqlite_schema order by name')).toEqual(before);
  expect(schemaVersion(connection)).toBe(1);
  expect(readdirSync(folder).filter((name) => name.includes('preflight'))).toEqual([]);
});

test('one that fails on the database itself is taken back whole', async () => {
  const { connection } = await withUser();
  expect(() => migrate(connection, [...MIGRATIONS, bad], 7)).toThrow();
  expect(schemaVersion(connection)).toBe(1);
  expect(
    connection.get("select 1 from pragma_table_info('identity_user') where name = 'colour'"),
  ).toBeUndefined();
});

test('an empty database gets everything without a trial', () => {
  const path = join(temporaryFolder(), 'new.sqlite');
  const connection = openConnection(path, { busyTimeoutMs: 0, durability: 'none' });
  atEnd(() => connection.close());
  tryOnCopy(connection, path, MIGRATIONS, 1);
  migrate(connection, MIGRATIONS, 1);
  expect(schemaVersion(connection)).toBe(MIGRATIONS.length);
});

test('data of a newer release is refused and left alone', async () => {
  const open = await openFixture();
  await open.close();
  behindItsBack(open.paths.database, (database) =>
    database.exec('insert into migration_version (version, at) values (99, 1)'),
  );
  const older = openFixture({ dataDir: open.dataDir });
  await expect(older).rejects.toMatchObject({
    code: 'migration.version.conflict',
    message: expect.stringMatching(/schema 99.*Update/),
  });
  const epoch = behindItsBack(open.paths.database, (database) =>
    database.prepare('select epoch from database_boot').pluck().get(),
  );
  expect(epoch).toBe(1);
});
