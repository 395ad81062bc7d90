import { beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import { BOSS, MEMBER, must, OPERATOR, person, signed, TEST_AUDIT } from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, LORD, SOCKET, useAdmin } from './admin.fixture.ts';

const at = useAdmin();
const codeOf = (code: string) => expect.objectContaining({ code });
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);
const NETWORK: Actor = {
  principal: { kind: 'guest', connector: 'network', sender: 'unknown' },
  via: 'network',
};

beforeEach(async () => addPeople(at.admin));

/** Somebody who came with the certificate that enrolment gave them. */
async function enrolled(name: string): Promise<Actor & { readonly certificate: string }> {
  await ask('invite.create', SOCKET, { user: name });
  const { read } = at.admin.world.deps.store;
  const [invite] = await read.find('identity_invite', {}, { orderBy: 'createdAt', direction: 'desc' });
  const claim = { request: name, proof: 'good', name: 'laptop', invite_id: must(invite).id };
  const { key_id: keyId } = await ask('key.enrol', NETWORK, claim);
  await at.admin.world.clock.advance(1);
  const row = must((await read.find('identity_certificate', { key: keyId }))[0]);
  return {
    ...signed(row.user),
    certificate: row.id,
    proof: { keyId, signature: '', signed: '' },
  };
}

describe('enrolment', () => {
  test('is possible over the network, and keeps who has which certificate', async () => {
    const { certificate } = await enrolled('mia');
    const { items, authorities } = await ask('certificate.list', signed(OPERATOR), {});
    expect(items).toMatchObject([{ id: certificate, user: 'mia', issuer: 'ca-1' }]);
    expect(Date.parse(must(items[0]).expires_at) - Date.parse(must(items[0]).created_at)).toBe(
      30 * 86_400_000,
    );
    expect(authorities).toMatchObject([{ fingerprint: 'ca-1', is_current: true }]);
  });

  test('tells what ends soon, of the newest certificate of each key', async () => {
    await enrolled('mia');
    expect((await ask('certificate.list', signed(OPERATOR), {})).alarms).toEqual([]);
    at.admin.world.clock.jumpWall(29.5 * 86_400_000);
    expect((await ask('certificate.list', signed(OPERATOR), {})).alarms).toEqual(['mia ends']);
  });

  test('gives no certificate to somebody whose invite is over', async () => {
    await ask('invite.create', SOCKET, { user: 'mia' });
    const invite = must((await at.admin.world.deps.store.read.find('identity_invite', {}))[0]);
    at.admin.world.clock.jumpWall(600_000);
    const claim = { request: 'mia', proof: 'good', name: 'laptop', invite_id: invite.id };
    await expect(ask('key.enrol', NETWORK, claim)).rejects.toEqual(codeOf('invite.proof.unauthenticated'));
    expect(await at.admin.world.deps.store.read.count('identity_certificate', {})).toBe(0);
  });

  test.each([
    ['invite.create', {}],
    ['status.read', {}],
    ['certificate.list', {}],
    ['certificate.rotate_ca', {}],
  ] as const)('%s is not for the unsigned network', async (name, input) => {
    await expect(ask(name, NETWORK, input)).rejects.toEqual(codeOf('policy.admin.denied'));
  });

  test('nor is panic', async () => {
    await expect(ask('panic.on', NETWORK, {})).rejects.toEqual(codeOf('panic.on.denied'));
    expect(at.admin.world.panic.isOn()).toBe(false);
  });
});

describe('renewal', () => {
  test('gives the same key a new certificate, and says so in the log', async () => {
    const mia = await enrolled('mia');
    const given = await ask('certificate.renew', mia, { request: 'mia' });
    expect(given).toMatchObject({ certificate: `CERT ${MEMBER} PEM mia`, authorities: ['PEM ca-1'] });
    const { items } = await ask('certificate.list', signed(OPERATOR), {});
    expect(items.map((row) => row.key_id)).toEqual([mia.proof?.keyId, mia.proof?.keyId]);
    const [newest] = await at.admin.world.deps.audit.tail(1);
    expect(newest).toMatchObject({ action: 'identity.renew', data: { before: mia.certificate } });
  });

  test.each([
    ['an unsigned request', (mia: Actor): Actor => ({ ...mia, proof: undefined })],
    ['no person', (mia: Actor): Actor => ({ ...mia, principal: NETWORK.principal })],
  ])('is not for %s', async (_name, change) => {
    const mia = await enrolled('mia');
    await expect(ask('certificate.renew', change(mia), { request: 'mia' })).rejects.toEqual(
      codeOf('identity.renew.denied'),
    );
  });

  test('over the socket is for a key whose certificate is over', async () => {
    const mia = { ...(await enrolled('mia')), certificate: undefined };
    at.admin.world.clock.jumpWall(31 * 86_400_000);
    expect((await ask('certificate.renew', mia, { request: 'mia' })).certificate).toContain(MEMBER);
    expect(await at.admin.world.deps.store.read.count('identity_certificate', {})).toBe(2);
  });

  test('over the socket is for no certificate that was revoked, be it an older one, and over as well', async () => {
    const mia = await enrolled('mia');
    await ask('certificate.renew', mia, { request: 'mia' });
    await ask('certificate.revoke', signed(BOSS), { id: mia.certificate });
    at.admin.world.clock.jumpWall(31 * 86_400_000);
    const near = { ...mia, certificate: undefined };
    await expect(ask('certificate.renew', near, { request: 'mia' })).rejects.toEqual(
      codeOf('identity.certificate.unauthenticated'),
    );
    expect(await at.admin.world.deps.store.read.count('identity_certificate', {})).toBe(2);
  });

  test('over the socket is for no key without a certificate, and none of a CA that is distrusted', async () => {
    const mia = { ...(await enrolled('mia')), certificate: undefined };
    await ask('certificate.rotate_ca', signed(LORD), { distrust_old: true });
    await expect(ask('certificate.renew', mia, { request: 'mia' })).rejects.toEqual(
      codeOf('identity.renew.denied'),
    );
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) =>
      tx.remove('identity_certificate', { key: mia.proof?.keyId ?? '' }),
    );
    await expect(ask('certificate.renew', mia, { request: 'mia' })).rejects.toEqual(
      codeOf('identity.renew.denied'),
    );
  });

  test('needs no role on everything: it is for what one has already', async () => {
    const mia = await enrolled('mia');
    await at.admin.world.ungrant(MEMBER);
    await at.admin.world.grant(MEMBER, 'member', { kind: 'workspace', workspace: 'acme' });
    expect((await ask('certificate.renew', mia, { request: 'mia' })).certificate).toContain(MEMBER);
  });

  test('is refused when the certificate was revoked between the request and the write', async () => {
    const mia = await enrolled('mia');
    await ask('certificate.revoke', signed(BOSS), { id: mia.certificate });
    await expect(ask('certificate.renew', mia, { request: 'mia' })).rejects.toMatchObject({
      kind: expect.stringMatching(/denied|unauthenticated/),
    });
    expect(await at.admin.world.deps.store.read.count('identity_certificate', {})).toBe(1);
  });

  test('is not for another key than the one that signs', async () => {
    const mia = await enrolled('mia');
    await expect(ask('certificate.renew', mia, { request: 'other' })).rejects.toEqual(
      codeOf('identity.renew.denied'),
    );
    expect(await at.admin.world.deps.store.read.count('identity_certificate', {})).toBe(1);
  });
});

describe('revocation', () => {
  test('of a certificate cuts its person off, leaves the key, and happens once', async () => {
    const mia = await enrolled('mia');
    const row = await ask('certificate.revoke', signed(BOSS), { id: mia.certificate.toUpperCase() });
    expect(row.revoked_at).toBeDefined();
    expect(at.admin.calls).toEqual([['revoked', MEMBER]]);
    const key = await at.admin.world.deps.store.read.get('identity_key', { id: mia.proof?.keyId ?? '' });
    expect(key?.revokedAt).toBeUndefined();
    await expect(ask('certificate.revoke', signed(BOSS), { id: mia.certificate })).rejects.toEqual(
      codeOf('identity.certificate.conflict'),
    );
  });

  test('of one certificate ends those of earlier and later renewals of its key, and of no other', async () => {
    const mia = await enrolled('mia');
    const lord = await enrolled('lord');
    await ask('certificate.renew', mia, { request: 'mia' });
    await ask('certificate.revoke', signed(BOSS), { id: mia.certificate });
    const rows = await at.admin.world.deps.store.read.find('identity_certificate', {});
    const open = rows.filter((row) => row.revokedAt === undefined);
    expect([rows.length, open.map((row) => row.id)]).toEqual([3, [lord.certificate]]);
  });

  test('is for admins who are not below the person; ids must be clear', async () => {
    const lord = await enrolled('lord');
    await enrolled('mia');
    await expect(ask('certificate.revoke', signed(OPERATOR), { id: lord.certificate })).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    await expect(ask('certificate.revoke', signed(BOSS), { id: lord.certificate })).rejects.toEqual(
      codeOf('identity.role.denied'),
    );
    await expect(ask('certificate.revoke', signed(BOSS), { id: '0000' })).rejects.toEqual(
      codeOf('admin.id.conflict'),
    );
    await expect(ask('certificate.revoke', signed(BOSS), { id: 'ffff' })).rejects.toEqual(
      codeOf('admin.id.missing'),
    );
  });

  test.each([
    ['a key is revoked', async () => ask('key.revoke', signed(LORD), { id: 'miaxxxx' })],
    ['somebody leaves', async () => ask('user.offboard', signed(LORD), { id: 'stan' })],
    [
      'a role is taken',
      async () => {
        const { items } = await ask('grant.list', signed(LORD), { user: 'olga' });
        return ask('grant.rm', signed(LORD), { id: must(items[0]).id });
      },
    ],
  ])('of what could have made an invite ends all open ones: %s', async (_name, act) => {
    await enrolled('mia');
    await ask('invite.create', signed(BOSS), { user: 'mia' });
    const open = { usedAt: { isNull: true } } as const;
    const { read } = at.admin.world.deps.store;
    expect(await read.count('identity_invite', open)).toBe(1);
    await act();
    expect(await read.count('identity_invite', open)).toBe(0);
  });

  test('of a key ends its certificates too', async () => {
    const mia = await enrolled('mia');
    await ask('key.revoke', signed(BOSS), { id: 'miaxxxx' });
    const row = await at.admin.world.deps.store.read.get('identity_certificate', { id: mia.certificate });
    expect(row?.revokedAt).toBeDefined();
  });

  test('comes with leaving', async () => {
    const mia = await enrolled('mia');
    await ask('user.offboard', signed(BOSS), { id: 'mia' });
    const row = await at.admin.world.deps.store.read.get('identity_certificate', { id: mia.certificate });
    expect(row?.revokedAt).toBeDefined();
  });
});

describe('a new CA', () => {
  test('issues from now on, and the old one still counts', async () => {
    const reply = await ask('certificate.rotate_ca', signed(LORD), {});
    expect(reply.authorities).toMatchObject([
      { fingerprint: 'ca-2', is_current: true },
      { fingerprint: 'ca-1', is_current: false },
    ]);
    const mia = await enrolled('mia');
    const { items } = await ask('certificate.list', signed(OPERATOR), {});
    expect(items).toMatchObject([{ id: mia.certificate, issuer: 'ca-2' }]);
  });

  test('can end the trust in the old one', async () => {
    const reply = await ask('certificate.rotate_ca', signed(LORD), { distrust_old: true });
    expect(reply.authorities.map((ca) => ca.fingerprint)).toEqual(['ca-2']);
    const [newest] = await at.admin.world.deps.audit.tail(1);
    expect(newest).toMatchObject({
      action: 'identity.rotate_ca',
      subject: 'ca-1',
      data: { distrustOld: true },
    });
  });

  test('is made by an admin of everything, signed', async () => {
    await expect(ask('certificate.rotate_ca', signed(OPERATOR), {})).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    await expect(ask('certificate.rotate_ca', { principal: person(LORD), via: 'chat' }, {})).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
  });
});
