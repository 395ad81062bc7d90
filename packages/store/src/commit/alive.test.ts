import { describe, expect, test } from 'vitest';
import { codeOf, draft } from '../../bench/fixtures.ts';
import type { CommitQueue, Connection } from '../database/index.ts';
import { makeStatements } from '../database/index.ts';
import { makeReadCache } from './read-cache.ts';
import { makeReader } from './reader.ts';
import { makeStore } from './store.ts';
import { openTransaction } from './transaction.ts';

/** A connection whose transaction SQLite may have taken back by itself, as it does after some faults of the disk. */
function connection(isInTransaction: boolean, row?: Record<string, unknown>) {
  const ran: string[] = [];
  const made = {
    isInTransaction,
    get: (sql: string) => {
      ran.push(sql);
      return row;
    },
    all: () => (row === undefined ? [] : [row]),
    run: (sql: string) => {
      ran.push(sql);
      return 1;
    },
  };
  return { made: made as unknown as Connection, ran }; // safe: no more of it is used
}

describe('a transaction that was taken back', () => {
  test('writes, reads and notes nothing more', async () => {
    const { made, ran } = connection(false);
    const { tx, drafts } = openTransaction(made, makeStatements(), makeReadCache());
    const id = 'user_00000000000000000001' as never; // safe: only compared
    for (const act of [
      async () => tx.remove('identity_user', { id }),
      async () => tx.get('identity_user', { id }),
      async () => tx.next('message'),
      async () => tx.audit(draft('user.add')),
    ])
      expect(await codeOf(act())).toBe('database.disk.unavailable');
    expect([ran, drafts]).toEqual([[], []]);
    expect(
      await openTransaction(connection(true).made, makeStatements(), makeReadCache()).tx.remove(
        'identity_user',
        { id },
      ),
    ).toBe(1);
  });

  test.each([
    [false, 'database.disk.unavailable', 0],
    [true, 'made', 1],
  ])('is no commit, also when the body did not notice: alive %s', async (isAlive, outcome, events) => {
    const { store, appended } = bareStore(isAlive);
    const made = store.commit(draft('user.add'), async () => 'made');
    expect(await made.catch((thrown: unknown) => codeOf(Promise.reject(thrown)))).toBe(outcome);
    expect(appended).toHaveLength(events);
  });
});

test('the head is signed after a record by which something may leave, whoever wrote it, and after no other', async () => {
  const leaves = { ...draft('effect.perform'), data: { class: 'E1' } };
  const { store, signed } = bareStore(true);
  await store.commit(draft('user.add'), async () => undefined);
  expect(signed).toEqual([]);
  await store.commit([draft('user.add'), leaves], async () => undefined);
  await store.commit(draft('user.add'), async (tx) => tx.audit(leaves));
  expect(signed).toEqual([3, 5]);
});

/** A store over a connection that does nothing; its head is signed by noting how much had been appended. */
function bareStore(isAlive: boolean) {
  const appended: unknown[] = [];
  const signed: number[] = [];
  const queue = { submit: (_name: string, body: () => Promise<unknown>) => body() };
  const writer = connection(isAlive).made;
  const store = makeStore({
    writer,
    reader: writer,
    queue: queue as unknown as CommitQueue, // safe: no more of it is used
    audit: { append: (one: unknown) => appended.push(one) } as never, // safe: as above
    cache: makeReadCache(),
    epoch: 1,
    signHead: () => void signed.push(appended.length),
    trouble: () => undefined,
  });
  return { store, appended, signed };
}

test('a row that cannot be read was changed on the disk; another fault is not taken for that', async () => {
  const read = (row: Record<string, unknown> | null | undefined) =>
    makeReader({ get: () => row as never, all: () => [] }, makeStatements(), makeReadCache()).get(
      'workspace',
      {
        // safe: as the disk may give it
        id: 'acme' as never, // safe: only compared
      },
    );
  expect(await codeOf(read({ id: 'acme', settings: '{' }))).toBe('database.file.unavailable');
  expect(await read(undefined)).toBeUndefined();
  await expect(read(null)).rejects.toBeInstanceOf(TypeError);
});
