import {
  type AdminRouteName,
  AppError,
  type Store,
  sha256,
  type TableName,
  type Tables,
  type Where,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import { policyRules } from '../effect/rules.ts';
import { BOSS, MEMBER, must, OPERATOR, signed, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { addPeople, LORD, useAdmin } from './admin.fixture.ts';
import type { AdminDeps } from './deps.ts';
import { type HeldRevocations, holdRevocations } from './held.ts';
import { ADMIN } from './index.ts';

const at = useAdmin();
const KEY = 'k'.repeat(43);
const SERIAL = 'c'.repeat(32);
const HELD = { code: 'identity.revoke.unavailable' };
const TALK = 'talk';
const HASH = sha256('secret');

/** The appliance as it runs on a disk that is full until `free`. */
async function onFullDisk() {
  await addPeople(at.admin);
  await giveEverything();
  const { deps } = at.admin;
  const held: HeldRevocations = holdRevocations(deps.store);
  let isFull = true;
  const commit: Store['commit'] = async (audit, body) => {
    if (isFull)
      throw new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'Full.' });
    return held.commit(audit, body);
  };
  const full: AdminDeps = { ...deps, held, store: { ...deps.store, read: held.read, commit } };
  const ask = (name: AdminRouteName, actor: Actor, input: object): Promise<unknown> =>
    ADMIN[name](full, actor, input as never); // safe: the input of this route
  const rightsOf = async (principal: string) =>
    (await policyRules(full, held.read, undefined)).grants.filter((grant) => grant.principal === principal);
  const free = (): void => {
    isFull = false;
  };
  return { deps: full, held, ask, rightsOf, free, stored: deps.store.read };
}

/** What MEMBER has: a key with a certificate, a token, a linked account with its direct talk, an open invite. */
async function giveEverything(): Promise<void> {
  const { world } = at.admin;
  const direct = {
    ...world.context,
    id: TALK as never,
    kind: 'direct',
    channel: TALK,
    directWith: MEMBER,
  } as const; // safe: a slug
  const token = { name: 'shop', secretHash: HASH, workspace: WORKSPACE, context: world.context.id };
  await world.deps.store.commit(TEST_AUDIT, async (tx) => {
    await tx.insert('identity_key', { id: KEY, user: MEMBER, publicKeyPem: 'PEM', name: 'l', createdAt: 1 });
    const lasts = { issuer: 'ca', createdAt: 1, expiresAt: 10 };
    await tx.insert('identity_certificate', { id: SERIAL, key: KEY, user: MEMBER, ...lasts });
    await tx.insert('identity_token', { ...token, id: 'token_1', owner: MEMBER, createdAt: 1 } as never); // safe: a row of the test
    await tx.insert('context', direct);
    await tx.insert('identity_link', {
      id: 'idnt_mia',
      connector: 'chat',
      externalId: '4711',
      user: MEMBER,
      displayName: 'mia',
      context: TALK,
      createdAt: 1,
    } as never); // safe: a row of the test
  });
  await at.admin.ask('invite.create', signed(BOSS), { user: 'mia' });
}

const talkAt = (reader: Store['read']) =>
  reader.get('context', {
    connector: at.admin.world.context.connector,
    channel: TALK,
    account: at.admin.world.context.account,
  });

describe('on a full disk', () => {
  test('a person who leaves loses everything at once, and again for good once there is room', async () => {
    const { ask, held, stored, rightsOf, free } = await onFullDisk();
    expect(await rightsOf(MEMBER)).not.toEqual([]);
    await expect(ask('user.offboard', signed(BOSS), { id: 'mia' })).rejects.toMatchObject(HELD);
    const gone = async (read: Store['read']) => ({
      user: (await read.get('identity_user', { id: MEMBER }))?.isActive,
      key: (await read.get('identity_key', { id: KEY }))?.revokedAt !== undefined,
      certificate: (await read.get('identity_certificate', { id: SERIAL }))?.revokedAt !== undefined,
      token: (await read.get('identity_token', { secretHash: HASH }))?.revokedAt !== undefined,
      grants: await read.count('identity_grant', { principal: MEMBER }),
      links: await read.count('identity_link', { user: MEMBER }),
      invites: await read.count('identity_invite', { usedAt: { isNull: true } }),
      talk: (await talkAt(read))?.id,
    });
    const nothing = {
      user: false,
      key: true,
      certificate: true,
      token: true,
      grants: 0,
      links: 0,
      invites: 0,
    };
    expect(await gone(held.read)).toEqual(nothing);
    expect(await gone(stored)).toMatchObject({ user: true, key: false, links: 1, invites: 1, talk: TALK });
    expect(await rightsOf(MEMBER)).toEqual([]);
    expect(at.admin.calls).toEqual([
      ['revoked', MEMBER],
      ['revoked', 'token_1'],
    ]);
    free();
    await ask('user.offboard', signed(BOSS), { id: 'mia' });
    expect(await gone(stored)).toEqual(nothing);
  });

  test('a role that is taken away counts no more, and is taken for good once there is room', async () => {
    const { ask, held, stored, rightsOf, free } = await onFullDisk();
    const [grant] = await rightsOf(OPERATOR);
    const { id } = must(grant);
    await expect(ask('grant.rm', signed(BOSS), { id })).rejects.toMatchObject(HELD);
    expect(await rightsOf(OPERATOR)).toEqual([]);
    expect(await held.read.count('identity_invite', {})).toBe(0);
    expect(await stored.get('identity_grant', { id })).toBeDefined();
    expect(at.admin.calls).toEqual([['revoked', OPERATOR]]);
    free();
    await ask('grant.rm', signed(BOSS), { id });
    expect(await stored.get('identity_grant', { id })).toBeUndefined();
  });

  test('an account that is unlinked is a stranger, and its talk comes back with a fresh link once there is room', async () => {
    const { ask, deps, held, stored, free } = await onFullDisk();
    await expect(ask('identity.unlink', signed(BOSS), { id: 'idnt_mia' })).rejects.toMatchObject(HELD);
    const account = { connector: 'chat', externalId: '4711' };
    expect(await held.read.get('identity_link', account)).toBeUndefined();
    expect(await talkAt(held.read)).toBeUndefined();
    expect((await talkAt(stored))?.id).toBe(TALK);
    free();
    await ask('identity.unlink', signed(BOSS), { id: 'idnt_mia' });
    expect([await stored.get('identity_link', account), await talkAt(stored)]).toEqual([
      undefined,
      undefined,
    ]);
    // What is written is held no more: the talk may be given back.
    const back = { account: at.admin.world.context.account };
    await deps.store.commit(TEST_AUDIT, async (tx) => tx.update('context', { id: TALK as never }, back)); // safe: a slug
    expect((await talkAt(held.read))?.id).toBe(TALK);
  });

  test('nobody takes what they may not take', async () => {
    const { ask, rightsOf, stored } = await onFullDisk();
    const { world } = at.admin;
    await world.grant(OPERATOR, 'admin');
    const lord = await rightsOf(LORD);
    const above = { code: 'identity.role.denied' };
    await world.deps.store.commit(
      TEST_AUDIT,
      async (tx) =>
        tx.insert('identity_link', {
          id: 'idnt_lord',
          connector: 'chat',
          externalId: '1',
          user: LORD,
          displayName: 'x',
          createdAt: 1,
        } as never), // safe: a row of the test
    );
    for (const [name, id] of [
      ['user.offboard', 'lord'],
      ['grant.rm', must(lord[0]).id],
      ['identity.unlink', 'idnt_lord'],
    ] as const)
      await expect(ask(name, signed(OPERATOR), { id })).rejects.toMatchObject(above);
    const last = { code: 'identity.overlord.conflict' };
    for (const [name, id] of [
      ['user.offboard', 'lord'],
      ['grant.rm', must(lord[0]).id],
    ] as const)
      await expect(ask(name, signed(LORD), { id })).rejects.toMatchObject(last);
    expect(await rightsOf(LORD)).toEqual(lord);
    expect(await stored.count('identity_user', { isActive: false })).toBe(0);
  });

  test('a key that is revoked in memory alone orders nothing more, neither held nor written', async () => {
    const { ask, rightsOf, stored, free } = await onFullDisk();
    const { world } = at.admin;
    await world.grant(MEMBER, 'admin');
    const proof = { keyId: KEY, signature: '', signed: '' };
    const actor = { ...signed(MEMBER), certificate: SERIAL, proof };
    await expect(ask('key.revoke', signed(BOSS), { id: KEY })).rejects.toMatchObject(HELD);
    const refused = { code: 'identity.key.unauthenticated' };
    const operator = await rightsOf(OPERATOR);
    await expect(ask('grant.rm', actor, { id: must(operator[0]).id })).rejects.toMatchObject(refused);
    expect(await rightsOf(OPERATOR)).toEqual(operator);
    free();
    await expect(ask('user.add', actor, { name: 'eve' })).rejects.toMatchObject(refused);
    expect(await stored.get('identity_user', { name: 'eve' })).toBeUndefined();
  });
});

describe('what is held', () => {
  test.each<{ readonly [T in TableName]: readonly [T, Where<Tables[T]>] }[TableName]>([
    ['identity_user', { isActive: true }],
    ['identity_user', { isActive: false }],
    ['identity_user', { name: 'mia' }],
    ['identity_user', { id: { in: [MEMBER, BOSS] } }],
    ['identity_user', { id: { gt: BOSS, lte: MEMBER } }],
    ['identity_user', { id: { gte: BOSS, lt: MEMBER }, isActive: true }],
    ['identity_key', { revokedAt: undefined }],
    ['identity_key', { revokedAt: { isNull: true } }],
    ['identity_key', { revokedAt: { isNull: false } }],
    ['identity_key', { revokedAt: { gte: 5 } }],
    ['identity_key', { revokedAt: { lt: 5 } }],
    ['identity_link', {}],
    ['identity_link', { user: MEMBER }],
  ])('reads as the same rows written would: %s %j', async (table, where) => {
    const { held, stored } = await onFullDisk();
    held.hold([
      { table: 'identity_user', id: MEMBER, change: { isActive: false } },
      { table: 'identity_key', id: KEY, change: { revokedAt: 5 } },
      { table: 'identity_link', id: 'idnt_mia', change: 'gone' },
    ]);
    const all = async (read: Store['read']) => [
      await read.find(table, where, { orderBy: 'createdAt', direction: 'desc', limit: 3 } as object),
      await read.find(table, where),
      await read.get(table, where),
      await read.count(table, where),
    ];
    const seen = await all(held.read);
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.update('identity_user', { id: MEMBER }, { isActive: false });
      await tx.update('identity_key', { id: KEY }, { revokedAt: 5 });
      await tx.remove('identity_link', { id: 'idnt_mia' as never }); // safe: only compared
    });
    expect(seen).toEqual(await all(stored));
  });
});
