import { type Effect, type Message, publicLabel, type Where } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { codeOf, draft, type Fixture, openFixture, userId, userRow } from '../../bench/fixtures.ts';

let open: Fixture;
beforeEach(async () => {
  open = await openFixture();
});

const add = (...names: string[]) =>
  open.store.commit(draft('user.add'), async (tx) => {
    for (const [at, name] of names.entries())
      await tx.insert('identity_user', userRow(name, { createdAt: at, isActive: at % 2 === 0 }));
  });
const names = async (where: Where<ReturnType<typeof userRow>>, limit = 100) =>
  (await open.store.read.find('identity_user', where, { limit })).map(({ name }) => name);

describe('conditions', () => {
  beforeEach(() => add('a', 'b', 'c', 'd'));

  test.each([
    [{}, ['a', 'b', 'c', 'd']],
    [{ name: 'b' }, ['b']],
    [{ name: { in: ['d', 'a', 'x'] } }, ['a', 'd']],
    [{ name: { in: [] } }, []],
    [{ createdAt: { gt: 0, lte: 2 } }, ['b', 'c']],
    [{ createdAt: { gte: 1, lt: 2 } }, ['b']],
    [{ isActive: true }, ['a', 'c']],
    [{ isActive: false, createdAt: { gt: 1 } }, ['d']],
    [{ isActive: { in: [true, false] } }, ['a', 'b', 'c', 'd']],
  ])('%j', async (where, expected) => {
    expect(await names(where)).toEqual(expected);
    expect(await open.store.read.count('identity_user', where)).toBe(expected.length);
  });

  test('order, direction and limit; equal rows come as they were written', async () => {
    const find = (options: object) => open.store.read.find('identity_user', {}, options);
    const order = async (options: object) => (await find(options)).map(({ name }) => name).join('');
    expect(await order({ orderBy: 'createdAt', direction: 'desc' })).toBe('dcba');
    expect(await order({ orderBy: 'isActive', limit: 3 })).toBe('bda');
    expect(await order({ direction: 'desc', limit: 1 })).toBe('d');
  });

  test('quotes and wildcards in values are only text', async () => {
    await add("x'; drop table identity_user; --");
    expect(await names({ name: "x'; drop table identity_user; --" })).toHaveLength(1);
    expect(await names({ name: '%' })).toEqual([]);
  });
});

test('the same question asked again with other values, lists of other lengths or NULL gets its own answer', async () => {
  await add('a', 'b', 'c', 'd');
  for (const list of [['a'], ['b', 'c'], ['d', 'a', 'c'], ['b']])
    expect(await names({ name: { in: list } })).toEqual([...list].sort());
  for (const at of [0, 3, 1]) expect(await names({ createdAt: { gte: at } }, 1)).toHaveLength(1);
  expect(await names({ createdAt: { isNull: true } })).toEqual([]);
  expect(await names({ createdAt: 2, isActive: true })).toEqual(['c']);
  expect(await names({ isActive: true, createdAt: 2 })).toEqual(['c']);
  // More shapes than are kept.
  for (let length = 1; length <= 450; length += 1) {
    const list = Array.from({ length }, (_, at) => (at === 0 ? 'a' : `x${at}`));
    expect(await names({ name: { in: list } })).toEqual(['a']);
  }
});

test('absent fields are NULL and come back absent; undefined asks for NULL', async () => {
  await open.store.commit(draft('identity.link'), async (tx) => {
    const key = { user: userId('a'), publicKeyPem: 'pem', name: 'laptop', createdAt: 1 };
    await tx.insert('identity_key', { id: 'k1', ...key });
    await tx.insert('identity_key', { id: 'k2', ...key, revokedAt: 7 });
    await tx.insert('identity_key', { id: 'k3', ...key, revokedAt: undefined });
  });
  const ids = async (where: Where<{ revokedAt?: number | undefined }>) =>
    (await open.store.read.find('identity_key', where)).map(({ id }) => id);
  expect(await ids({ revokedAt: undefined })).toEqual(['k1', 'k3']);
  expect(await ids({ revokedAt: { isNull: true } })).toEqual(['k1', 'k3']);
  expect(await ids({ revokedAt: { isNull: false } })).toEqual(['k2']);
  const live = await open.store.read.get('identity_key', { id: 'k1' });
  expect(live).toEqual({ id: 'k1', user: userId('a'), publicKeyPem: 'pem', name: 'laptop', createdAt: 1 });
  expect(Object.keys(live ?? {})).not.toContain('revokedAt');
  await open.store.commit(draft('identity.unrevoke'), (tx) =>
    tx.update('identity_key', { id: 'k2' }, { revokedAt: undefined }),
  );
  expect(await ids({ revokedAt: undefined })).toEqual(['k1', 'k2', 'k3']);
});

test('objects, lists, booleans and nested labels survive the way there and back', async () => {
  const message = {
    id: 'mesg_1',
    seq: 1,
    conversation: 'conv_1',
    workspace: 'w',
    context: 'c',
    direction: 'in',
    sender: 'user_a',
    senderName: 'Änn 🦊 "quoted"',
    text: 'two\nlines\u0000and a zero',
    label: publicLabel(1),
    isPromptable: false,
    at: 1,
  } as unknown as Message; // safe: branded ids of a test
  const effect = {
    id: 'efct_1',
    kind: 'post',
    sink: { connector: 'memory', account: 'demo', address: 'general' },
    recipients: ['memory:general'],
    payloads: [{ text: 'hello', parts: [1, null, true] }],
    class: 'E1',
    workspace: 'w',
    context: 'c',
    requester: { kind: 'user', user: userId('a') },
    label: publicLabel(0),
    digest: 'sha256:00',
    state: 'proposed',
    decision: 'ask',
    summary: 'posts hello',
    createdAt: 1,
    notBefore: 0,
    attempts: 0,
    receipts: [],
  } as unknown as Effect; // safe: branded ids of a test
  await open.store.commit(draft('effect.propose'), async (tx) => {
    await tx.insert('context_message', message);
    await tx.insert('effect', effect);
    expect(await tx.get('effect', { state: 'proposed' })).toEqual(effect);
  });
  expect(await open.store.read.get('context_message', { seq: 1 })).toEqual(message);
  expect(await open.store.read.get('effect', { id: effect.id })).toEqual(effect);
});

describe('compare and swap', () => {
  beforeEach(() => add('a', 'b', 'c'));

  test('update changes exactly what fits and says how many', async () => {
    const rename = (from: string) =>
      open.store.commit(draft('user.rename'), (tx) =>
        tx.update('identity_user', { name: from }, { displayName: 'new', isActive: false }),
      );
    expect([await rename('a'), await rename('nobody')]).toEqual([1, 0]);
    expect(await open.store.read.count('identity_user', { displayName: 'new' })).toBe(1);
  });

  test('of two who swap the same state one wins', async () => {
    const swap = () =>
      open.store.commit(draft('user.leave'), (tx) =>
        tx.update('identity_user', { name: 'a', isActive: true }, { isActive: false }),
      );
    expect(await Promise.all([swap(), swap()])).toEqual([1, 0]);
  });

  test('remove', async () => {
    const remove = () =>
      open.store.commit(draft('user.remove'), (tx) =>
        tx.remove('identity_user', { name: { in: ['a', 'c'] } }),
      );
    expect([await remove(), await remove()]).toEqual([2, 0]);
    expect(await names({})).toEqual(['b']);
  });
});

describe('refusals', () => {
  const inBody = (act: Parameters<Fixture['store']['commit']>[1]) =>
    codeOf(open.store.commit(draft('user.try'), act));
  // biome-ignore lint/suspicious/noExplicitAny: what a caller without types could pass
  const wild = (value: unknown): any => value;

  test('a taken unique key is a conflict that the body may survive', async () => {
    await add('a');
    expect(await inBody((tx) => tx.insert('identity_user', userRow('a')))).toBe('database.row.conflict');
    await open.store.commit(draft('user.try'), async (tx) => {
      expect(await codeOf(tx.insert('identity_user', userRow('x', { name: 'a' })))).toBe(
        'database.row.conflict',
      );
      await tx.insert('identity_user', userRow('b'));
    });
    expect(await names({})).toEqual(['a', 'b']);
  });

  test('a column that is not declared is never part of a statement', async () => {
    const where = wild({ 'name" = "x" or 1=1 --': 'a' });
    expect(await codeOf(open.store.read.get('identity_user', where))).toBe('database.column.bug');
    expect(await codeOf(open.store.read.find('identity_user', {}, wild({ orderBy: 'random()' })))).toBe(
      'database.column.bug',
    );
    expect(await inBody((tx) => tx.insert('identity_user', wild({ ...userRow('a'), extra: 1 })))).toBe(
      'database.column.bug',
    );
    expect(await inBody((tx) => tx.update('identity_user', { name: 'a' }, wild({ extra: 1 })))).toBe(
      'database.column.bug',
    );
    expect(await codeOf(open.store.read.get(wild('sqlite_schema'), {}))).toBe('database.table.bug');
  });

  test('changes of every row, empty changes, unknown conditions and JSON columns', async () => {
    expect(await inBody((tx) => tx.update('identity_user', {}, { isActive: false }))).toBe(
      'database.where.bug',
    );
    expect(await inBody((tx) => tx.remove('identity_user', {}))).toBe('database.where.bug');
    expect(await inBody((tx) => tx.update('identity_user', { name: 'a' }, {}))).toBe('database.where.bug');
    expect(await codeOf(open.store.read.get('identity_user', wild({ name: { like: 'a' } })))).toBe(
      'database.where.bug',
    );
    expect(await codeOf(open.store.read.get('identity_grant', wild({ scope: { in: [] } })))).toBe(
      'database.where.bug',
    );
  });

  test('a value of a wrong type, a missing field', async () => {
    expect(await inBody((tx) => tx.insert('identity_user', wild({ ...userRow('a'), name: { a: 1 } })))).toBe(
      'database.value.bug',
    );
    expect(await inBody((tx) => tx.insert('identity_user', wild({ id: 'user_x' })))).toBe(
      'database.statement.bug',
    );
  });
});
