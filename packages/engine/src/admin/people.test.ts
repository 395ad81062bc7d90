import { sha256 } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { BOSS, MEMBER, must, OPERATOR, signed, TEST_AUDIT } from '../settle/world.fixture.ts';
import {
  type AdminWorld,
  addPeople,
  giveKey,
  KEY_ID,
  LORD,
  narrow,
  SOCKET,
  STRANGER,
  useAdmin,
} from './admin.fixture.ts';

const at = useAdmin();
const codeOf = (code: string) => expect.objectContaining({ code });
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);

beforeEach(async () => addPeople(at.admin));

describe('who may', () => {
  test.each([
    ['user.list', {}],
    ['user.show', { id: 'mia' }],
    ['user.add', { name: 'new' }],
    ['user.offboard', { id: 'mia' }],
    ['grant.list', {}],
    ['grant.who', { scope: '*' }],
    ['grant.add', { user: 'mia', role: 'viewer', scope: '*' }],
    ['token.list', {}],
    ['key.list', {}],
    ['key.revoke', { id: KEY_ID }],
    ['identity.list', {}],
    ['identity.unlink', { id: 'idnt_1' }],
    ['invite.create', { user: 'mia' }],
  ] as const)(
    '%s is refused to a member and to someone without a role, and written down',
    async (name, input) => {
      for (const user of [MEMBER, STRANGER]) {
        await expect(ask(name, signed(user), input)).rejects.toEqual(codeOf('policy.admin.denied'));
        const [event] = await at.admin.world.deps.audit.tail(1, { action: 'policy.deny' });
        expect(must(event).actor).toBe(user);
      }
    },
  );

  test.each(['user.list', 'user.add', 'grant.add', 'token.create', 'key.revoke', 'user.offboard'] as const)(
    '%s is refused to the unsigned socket',
    async (name) => {
      const input = {
        'user.add': { name: 'new' },
        'grant.add': { user: 'mia', role: 'viewer', scope: '*' },
        'token.create': { name: 'x', workspace: 'acme' },
        'key.revoke': { id: KEY_ID },
        'user.offboard': { id: 'mia' },
        'user.list': {},
      }[name];
      await expect(ask(name, SOCKET, input)).rejects.toMatchObject({
        kind: expect.stringMatching(/denied|missing/),
      });
    },
  );
});

describe('users', () => {
  test('are added once, without a role', async () => {
    const row = await ask('user.add', signed(BOSS), { name: 'ada', display_name: 'Ada L.' });
    expect(row).toMatchObject({ name: 'ada', display_name: 'Ada L.', is_active: true });
    expect((await ask('user.show', signed(BOSS), { id: 'ada' })).grants).toEqual([]);
    expect(await at.admin.world.actions(row.id)).toEqual(['identity.add']);
    await expect(ask('user.add', signed(BOSS), { name: 'ada' })).rejects.toEqual(
      codeOf('identity.name.conflict'),
    );
    await expect(ask('user.show', signed(BOSS), { id: 'nobody' })).rejects.toEqual(
      codeOf('admin.id.missing'),
    );
  });

  test('who leave lose grants, keys, tokens, identities and invites at once', async () => {
    await giveKey(at.admin, OPERATOR);
    const token = await ask('token.create', signed(OPERATOR), { name: 'mine', workspace: 'acme' }).catch(
      () => undefined,
    );
    expect(token).toBeUndefined(); // an operator makes no tokens
    await at.admin.world.ungrant(OPERATOR);
    await at.admin.world.grant(OPERATOR, 'admin');
    const made = await ask('token.create', signed(OPERATOR), { name: 'mine', workspace: 'acme' });
    await ask('invite.create', signed(OPERATOR), { user: 'olga' });
    const left = await ask('user.offboard', signed(BOSS), { id: 'olga' });
    expect(left).toMatchObject({ is_active: false, grants: [], identities: [] });
    expect(left.keys[0]?.revoked_at).toBeDefined();
    expect(left.tokens[0]?.revoked_at).toBeDefined();
    const { read } = at.admin.world.deps.store;
    expect(await read.find('identity_grant', { principal: made.id })).toEqual([]);
    expect(await read.find('identity_invite', { user: OPERATOR })).toEqual([]);
    expect(at.admin.calls.map(([name, key]) => [name, key])).toEqual([
      ['revoked', OPERATOR],
      ['revoked', made.id],
    ]);
  });

  test('the last overlord stays, also when another one’s grant ends some day', async () => {
    await expect(ask('user.offboard', signed(LORD), { id: 'lord' })).rejects.toEqual(
      codeOf('identity.overlord.conflict'),
    );
    await ask('grant.add', signed(LORD), {
      user: 'olga',
      role: 'overlord',
      scope: '*',
      expires_at: '2027-01-01T00:00:00.000Z',
    });
    await expect(ask('user.offboard', signed(LORD), { id: 'lord' })).rejects.toEqual(
      codeOf('identity.overlord.conflict'),
    );
    await ask('grant.add', signed(LORD), { user: 'otto', role: 'overlord', scope: '*' });
    expect((await ask('user.offboard', signed(LORD), { id: 'lord' })).is_active).toBe(false);
  });

  test('an overlord who has left does not count, whatever rows are still there', async () => {
    await ask('grant.add', signed(LORD), { user: 'otto', role: 'overlord', scope: '*' });
    const otto = must(await at.admin.world.deps.store.read.get('identity_user', { name: 'otto' }));
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) =>
      tx.update('identity_user', { id: otto.id }, { isActive: false }),
    );
    await expect(ask('user.offboard', signed(LORD), { id: 'lord' })).rejects.toEqual(
      codeOf('identity.overlord.conflict'),
    );
  });

  test('an admin cannot offboard an overlord', async () => {
    await ask('grant.add', signed(LORD), { user: 'otto', role: 'overlord', scope: '*' });
    await expect(ask('user.offboard', signed(BOSS), { id: 'otto' })).rejects.toEqual(
      codeOf('identity.role.denied'),
    );
  });

  test('whoami is for those who sign', async () => {
    expect((await ask('identity.whoami', signed(STRANGER), {})).name).toBe('stan');
    await expect(ask('identity.whoami', SOCKET, {})).rejects.toEqual(codeOf('admin.id.missing'));
  });
});

describe('grants', () => {
  test('are given up to one’s own role and no further', async () => {
    const row = await ask('grant.add', signed(BOSS), { user: 'stan', role: 'admin', scope: 'ws:acme' });
    expect(row).toMatchObject({ name: 'stan', role: 'admin', scope: 'ws:acme', granted_by: 'boss' });
    expect(await at.admin.world.actions(row.id)).toEqual(['identity.grant']);
    await expect(
      ask('grant.add', signed(BOSS), { user: 'stan', role: 'overlord', scope: '*' }),
    ).rejects.toEqual(codeOf('identity.role.denied'));
    expect((await ask('grant.list', signed(BOSS), { user: 'stan' })).items).toHaveLength(1);
  });

  test('an admin of one workspace gives nothing in another', async () => {
    await narrow(at.admin, BOSS, 'admin');
    await expect(
      ask('grant.add', signed(BOSS), { user: 'stan', role: 'viewer', scope: '*' }),
    ).rejects.toEqual(codeOf('policy.admin.denied'));
    await ask('grant.add', signed(BOSS), { user: 'stan', role: 'viewer', scope: 'ctx:acme/ops' });
    const seen = (await ask('grant.list', signed(BOSS), {})).items.map((grant) => grant.scope);
    expect(new Set(seen)).toEqual(new Set(['ws:acme', 'ctx:acme/ops']));
  });

  test('need a place that is there, a person who is there, and an end to come', async () => {
    const base = { user: 'stan', role: 'member', scope: 'ws:acme' };
    await expect(ask('grant.add', signed(BOSS), { ...base, scope: 'ws:nowhere' })).rejects.toEqual(
      codeOf('admin.id.missing'),
    );
    await expect(ask('grant.add', signed(BOSS), { ...base, scope: 'ctx:acme/nowhere' })).rejects.toEqual(
      codeOf('admin.id.missing'),
    );
    await expect(ask('grant.add', signed(BOSS), { ...base, scope: 'nonsense' })).rejects.toEqual(
      codeOf('identity.scope.invalid'),
    );
    await expect(
      ask('grant.add', signed(BOSS), { ...base, expires_at: '2020-01-01T00:00:00.000Z' }),
    ).rejects.toEqual(codeOf('identity.expiry.invalid'));
    await ask('user.offboard', signed(BOSS), { id: 'stan' });
    await expect(ask('grant.add', signed(BOSS), base)).rejects.toEqual(codeOf('identity.user.conflict'));
  });

  test('are taken by at least the same role; the engine hears of it at once', async () => {
    const { read } = at.admin.world.deps.store;
    const lords = must((await read.find('identity_grant', { principal: LORD }))[0]);
    const mias = must((await read.find('identity_grant', { principal: MEMBER }))[0]);
    await expect(ask('grant.rm', signed(BOSS), { id: lords.id })).rejects.toEqual(
      codeOf('identity.role.denied'),
    );
    await expect(ask('grant.rm', signed(LORD), { id: lords.id })).rejects.toEqual(
      codeOf('identity.overlord.conflict'),
    );
    await ask('grant.rm', signed(BOSS), { id: mias.id });
    expect(at.admin.calls).toEqual([['revoked', MEMBER]]);
    await expect(ask('grant.rm', signed(BOSS), { id: mias.id })).rejects.toEqual(codeOf('admin.id.missing'));
  });

  test('who: live roles that reach a place', async () => {
    await ask('grant.add', signed(BOSS), {
      user: 'stan',
      role: 'viewer',
      scope: 'ws:acme',
      expires_at: new Date(at.admin.world.clock.nowMs() + 1_000).toISOString(),
    });
    const names = async () =>
      (await ask('grant.who', signed(BOSS), { scope: 'ctx:acme/ops' })).items.map((row) => row.name);
    expect(await names()).toContain('stan');
    at.admin.world.clock.jumpWall(1_001);
    expect(await names()).not.toContain('stan');
  });
});

describe('tokens', () => {
  test('show their secret once, keep its hash, and have a closed context of their own', async () => {
    const made = await ask('token.create', signed(BOSS), { name: 'Web Site' });
    expect(made.secret).toMatch(/^art_[A-Za-z0-9_-]{43}$/);
    const { read } = at.admin.world.deps.store;
    const row = must(await read.get('identity_token', { secretHash: sha256(made.secret) }));
    expect(row.id).toBe(made.id);
    expect(await read.get('context', { id: row.context })).toMatchObject({
      kind: 'http',
      openness: 'closed',
      connector: 'http',
      channel: made.id,
    });
    expect(await read.find('identity_grant', { principal: made.id })).toMatchObject([
      { role: 'member', scope: { kind: 'workspace', workspace: 'acme' } },
    ]);
    const listed = await ask('token.list', signed(BOSS), {});
    expect(JSON.stringify(listed)).not.toContain(made.secret);
    const log = await at.admin.world.deps.audit.tail(100);
    expect(JSON.stringify(log)).not.toContain(made.secret.slice(4));
  });

  test('of one name get different contexts', async () => {
    const one = await ask('token.create', signed(BOSS), { name: 'site' });
    const two = await ask('token.create', signed(BOSS), { name: 'site' });
    expect(one.context).not.toBe(two.context);
  });

  test('are never above member', async () => {
    await expect(ask('token.create', signed(BOSS), { name: 'x', role: 'operator' })).rejects.toThrow();
  });

  test('end at once, and once', async () => {
    const made = await ask('token.create', signed(BOSS), { name: 'site' });
    const ended = await ask('token.revoke', signed(BOSS), { id: made.id.slice(0, 20) });
    expect(ended.revoked_at).toBeDefined();
    expect(at.admin.calls).toEqual([['revoked', made.id]]);
    expect(await at.admin.world.deps.store.read.find('identity_grant', { principal: made.id })).toEqual([]);
    await expect(ask('token.revoke', signed(BOSS), { id: made.id })).rejects.toEqual(
      codeOf('identity.token.conflict'),
    );
  });

  test('of a workspace are made and ended by its admins only', async () => {
    const made = await ask('token.create', signed(BOSS), { name: 'site' });
    await expect(ask('token.create', signed(OPERATOR), { name: 'x' })).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    await expect(ask('token.revoke', signed(OPERATOR), { id: made.id })).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    await expect(ask('token.revoke', signed(MEMBER), { id: made.id })).rejects.toEqual(
      codeOf('admin.id.missing'),
    );
    await expect(
      ask('token.create', signed(BOSS), { name: 'x', expires_at: '2020-01-01T00:00:00.000Z' }),
    ).rejects.toEqual(codeOf('identity.expiry.invalid'));
  });
});

describe('keys and identities', () => {
  test('a key is revoked once, by someone who is not below its person', async () => {
    await giveKey(at.admin, LORD, 'L'.repeat(43));
    await giveKey(at.admin, OPERATOR);
    await expect(ask('key.revoke', signed(BOSS), { id: 'LLLL' })).rejects.toEqual(
      codeOf('identity.role.denied'),
    );
    expect((await ask('key.revoke', signed(BOSS), { id: 'kkkk' })).user).toBe('olga');
    expect(at.admin.calls).toEqual([['revoked', OPERATOR]]);
    await expect(ask('key.revoke', signed(BOSS), { id: 'kkkk' })).rejects.toEqual(
      codeOf('identity.key.conflict'),
    );
    await expect(ask('key.revoke', signed(BOSS), { id: 'none' })).rejects.toEqual(codeOf('admin.id.missing'));
    await giveKey(at.admin, OPERATOR, `${'k'.repeat(42)}2`);
    await expect(ask('key.revoke', signed(BOSS), { id: 'kkkk' })).rejects.toEqual(
      codeOf('admin.id.conflict'),
    );
    expect((await ask('key.list', signed(OPERATOR), {})).items).toHaveLength(3);
  });

  test('an identity is unlinked once, by someone who is not below its person', async () => {
    const link = { connector: 'chat', displayName: 'x', createdAt: 1 };
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.insert('identity_link', { ...link, id: 'idnt_lord', externalId: '1', user: LORD });
      await tx.insert('identity_link', { ...link, id: 'idnt_mia', externalId: '2', user: MEMBER });
    });
    expect((await ask('identity.list', signed(BOSS), { user: 'mia' })).items).toMatchObject([
      { id: 'idnt_mia', user: 'mia' },
    ]);
    await expect(ask('identity.unlink', signed(BOSS), { id: 'idnt_lord' })).rejects.toEqual(
      codeOf('identity.role.denied'),
    );
    await expect(ask('identity.unlink', signed(BOSS), { id: 'idnt' })).rejects.toEqual(
      codeOf('admin.id.conflict'),
    );
    await ask('identity.unlink', signed(BOSS), { id: 'idnt_mia' });
    expect(at.admin.calls).toEqual([['revoked', MEMBER]]);
    await expect(ask('identity.unlink', signed(BOSS), { id: 'idnt_mia' })).rejects.toEqual(
      codeOf('admin.id.missing'),
    );
  });
});

describe('enrolment', () => {
  const claim = { request: 'newkey', proof: 'good', name: 'laptop' };
  const invited = async () => {
    await ask('invite.create', SOCKET, {});
    return must((await at.admin.world.deps.store.read.find('identity_invite', {}))[0]);
  };

  test('the socket’s invite is for the first overlord; the code is kept nowhere', async () => {
    const made = await ask('invite.create', SOCKET, {});
    expect(made).toMatchObject({ user: 'lord', code: 'CODE-1-ca-1' });
    const [row] = await at.admin.world.deps.store.read.find('identity_invite', {});
    expect(must(row)).toMatchObject({ user: LORD, proofKey: 'sealed(proof-1)' });
    expect(JSON.stringify([row, await at.admin.world.deps.audit.tail(50)])).not.toContain('CODE-1');
  });

  test('an admin invites people up to their own role', async () => {
    expect((await ask('invite.create', signed(BOSS), { user: 'mia' })).user).toBe('mia');
    await expect(ask('invite.create', signed(BOSS), { user: 'lord' })).rejects.toEqual(
      codeOf('identity.role.denied'),
    );
    await ask('user.offboard', signed(BOSS), { id: 'stan' });
    await expect(ask('invite.create', signed(BOSS), { user: 'stan' })).rejects.toEqual(
      codeOf('identity.user.conflict'),
    );
  });

  test('stores the key for the person of the invite, once', async () => {
    const invite = await invited();
    const reply = await ask('key.enrol', SOCKET, { ...claim, invite_id: invite.id });
    expect(reply).toMatchObject({
      user: 'lord',
      user_id: LORD,
      instance_id: 'instance-1',
      proof: 'proof-1-newk-2',
      certificate: `CERT ${LORD} PEM newkey`,
      authorities: ['PEM ca-1'],
      admin_url: 'https://127.0.0.1:8443',
    });
    expect(await at.admin.world.deps.store.read.get('identity_key', { id: reply.key_id })).toMatchObject({
      user: LORD,
      publicKeyPem: 'PEM newkey',
    });
    await expect(
      ask('key.enrol', SOCKET, { ...claim, request: 'second', invite_id: invite.id }),
    ).rejects.toEqual(codeOf('invite.proof.unauthenticated'));
  });

  test('a key whose name the log would hide is not taken', async () => {
    const invite = await invited();
    await expect(
      ask('key.enrol', SOCKET, { ...claim, request: 'sk-likeasecret', invite_id: invite.id }),
    ).rejects.toEqual(codeOf('identity.key.conflict'));
  });

  test('with the public key in the log, for those who have nothing else', async () => {
    const invite = await invited();
    const { key_id: subject } = await ask('key.enrol', SOCKET, { ...claim, invite_id: invite.id });
    const [event] = await at.admin.world.deps.audit.tail(1, { subject });
    expect(event).toMatchObject({ action: 'identity.enrol', data: { user: LORD, publicKey: 'PEM newkey' } });
  });

  test('two at once: one key', async () => {
    const invite = await invited();
    const tries = ['one', 'two'].map((request) =>
      ask('key.enrol', SOCKET, { ...claim, request, invite_id: invite.id }),
    );
    const ends = await Promise.allSettled(tries);
    expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await at.admin.world.deps.store.read.count('identity_key', {})).toBe(1);
  });

  test('a wrong proof, an unknown invite, a late one, a person who left: one answer', async () => {
    const invite = await invited();
    const input = { ...claim, invite_id: invite.id };
    await expect(ask('key.enrol', SOCKET, { ...input, proof: 'bad' })).rejects.toEqual(
      codeOf('invite.proof.unauthenticated'),
    );
    await expect(ask('key.enrol', SOCKET, { ...input, invite_id: 'invt_00000000' })).rejects.toEqual(
      codeOf('invite.proof.unauthenticated'),
    );
    at.admin.world.clock.jumpWall(600_000);
    await expect(ask('key.enrol', SOCKET, input)).rejects.toEqual(codeOf('invite.proof.unauthenticated'));
    at.admin.world.clock.jumpWall(-600_000);
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) =>
      tx.update('identity_user', { id: LORD }, { isActive: false }),
    );
    await expect(ask('key.enrol', SOCKET, input)).rejects.toEqual(codeOf('invite.proof.unauthenticated'));
    expect(await at.admin.world.deps.store.read.count('identity_key', {})).toBe(0);
  });

  test('a key that is known already is refused, and the invite is not used up', async () => {
    const invite = await invited();
    await giveKey(at.admin, BOSS, 'newkey'.padEnd(43, 'x'));
    await expect(ask('key.enrol', SOCKET, { ...claim, invite_id: invite.id })).rejects.toEqual(
      codeOf('identity.key.conflict'),
    );
    expect(
      (await at.admin.world.deps.store.read.get('identity_invite', { id: invite.id }))?.usedAt,
    ).toBeUndefined();
  });

  test('without any overlord the socket is told to set up', async () => {
    await at.admin.world.ungrant(LORD);
    await expect(ask('invite.create', SOCKET, {})).rejects.toEqual(codeOf('identity.overlord.missing'));
  });
});

describe('an access review', () => {
  test('says who may do something there, and by which grant', async () => {
    const { items } = await ask('grant.who', signed(LORD), { scope: 'ws:acme', can: 'label.approve' });
    expect(items.map((row) => row.role).every((role) => ['admin', 'overlord'].includes(role))).toBe(true);
    expect(items.map((row) => row.name)).toContain('lord');
    expect(items.map((row) => row.name)).not.toContain('olga');
    const all = await ask('grant.who', signed(LORD), { scope: 'ws:acme' });
    expect(all.items.length).toBeGreaterThan(items.length);
  });

  test('of acts on everything leaves out who has a role in one place', async () => {
    await at.admin.world.grant(OPERATOR, 'admin', { kind: 'workspace', workspace: 'acme' });
    const named = async (can: string) =>
      (await ask('grant.who', signed(LORD), { scope: 'ws:acme', can })).items.map((row) => row.name);
    expect(await named('label.approve')).toContain('olga');
    expect(await named('vault.set')).not.toContain('olga');
  });

  test('of an act that does not exist lists those that do', async () => {
    await expect(ask('grant.who', signed(LORD), { can: 'everything' })).rejects.toMatchObject({
      code: 'policy.verb.invalid',
      message: expect.stringContaining('label.approve'),
    });
  });
});
