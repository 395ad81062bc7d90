import {
  type Effect,
  PAIRING_LIFETIME_MS,
  type Pairing,
  pairingHash,
  type UserId,
} from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { BOSS, MEMBER, must, OPERATOR, runOutbox, signed, TEST_AUDIT } from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, LORD, narrow, SOCKET, useAdmin } from './admin.fixture.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);
const read = () => at.admin.world.deps.store.read;
const codeOf = (code: string) => expect.objectContaining({ code });
const CODE = '7K2M-9Q4T-XXXX-0001-ABCD-EFGH-JKMN';
const ADA = { code: CODE, user: 'ada', create_user: true, role: 'member', scope: 'ws:acme' };

/** Somebody waits, as the door would have written it. */
async function waiting(more: Partial<Pairing> = {}, code = CODE): Promise<Pairing> {
  const { deps, clock } = at.admin.world;
  const pairing: Pairing = {
    id: deps.ids.make('pairing'),
    connector: 'chat',
    account: 'test',
    externalId: '4711',
    channel: 'talk',
    displayName: 'Ada',
    codeHash: pairingHash(code),
    createdAt: clock.nowMs(),
    expiresAt: clock.nowMs() + PAIRING_LIFETIME_MS,
    ...more,
  };
  await deps.store.commit(TEST_AUDIT, (tx) => tx.insert('identity_pairing', pairing));
  return pairing;
}
const audited = async (action: string) => at.admin.world.deps.audit.tail(100, { action });
const talk = () => read().get('context', { connector: 'chat', account: 'test', channel: 'talk' });

beforeEach(async () => addPeople(at.admin));

describe('pair.list and pair.show', () => {
  test('say who waits, never the code; who is over is left out', async () => {
    const pairing = await waiting();
    await waiting({ externalId: '1', expiresAt: at.admin.world.clock.nowMs() }, 'OLD');
    const row = {
      id: pairing.id,
      connector: 'chat',
      external_id: '4711',
      display_name: 'Ada',
      created_at: expect.any(String),
      expires_at: expect.any(String),
    };
    expect(await ask('pair.list', signed(OPERATOR), {})).toEqual({ items: [row] });
    expect(
      await ask('pair.show', signed(BOSS), { code: ` ${CODE.toLowerCase().replaceAll('-', ' ')} ` }),
    ).toEqual(row);
  });

  test.each([
    ['pair.list', {}],
    ['pair.show', { code: CODE }],
    ['pair.approve', { ...ADA }],
    ['pair.deny', { id: 'pair_0000' }],
  ] as const)(
    '%s is refused to a member, to who is staff of one workspace, and to the socket',
    async (name, input) => {
      await waiting();
      await narrow(at.admin, OPERATOR, 'admin');
      for (const actor of [signed(MEMBER), signed(OPERATOR), SOCKET])
        await expect(ask(name, actor, input)).rejects.toEqual(codeOf('policy.admin.denied'));
      expect(await read().count('identity_pairing', {})).toBe(1);
      expect(await read().count('identity_link', {})).toBe(0);
    },
  );

  test.each(['wrong', 'used', 'over'])('a code that is %s has the one answer', async (how) => {
    if (how === 'used') {
      await waiting();
      await ask('pair.approve', signed(BOSS), ADA);
    }
    if (how === 'over') {
      await waiting();
      await at.admin.world.clock.advance(PAIRING_LIFETIME_MS);
    }
    for (const [name, input] of [
      ['pair.show', { code: CODE }],
      ['pair.approve', { ...ADA, user: 'eve' }],
    ] as const)
      await expect(ask(name, signed(BOSS), input)).rejects.toMatchObject({
        code: 'identity.code.missing',
        message:
          'Nobody waits with this code: it is wrong, was used or is over. Ask the sender for a fresh one (`pair`).',
      });
    expect(await read().get('identity_user', { name: 'eve' })).toBeUndefined();
    expect(await audited('identity.pair_miss')).toHaveLength(2);
  });

  test('guesses are counted, of each and of all, also those that come together', async () => {
    await waiting();
    const guess = (user: UserId, code: string) => ask('pair.show', signed(user), { code });
    const first = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => guess(BOSS, `guess-${n}`)));
    const codes = first.map((one) => (one.status === 'rejected' ? one.reason.code : 'found'));
    expect(codes.filter((code) => code === 'identity.code.missing')).toHaveLength(5);
    expect(codes.filter((code) => code === 'identity.code.exhausted')).toHaveLength(3);
    // Also the right code has to wait now, for this person alone.
    await expect(guess(BOSS, CODE)).rejects.toEqual(codeOf('identity.code.exhausted'));
    expect(await guess(LORD, CODE)).toMatchObject({ external_id: '4711' });
    await at.admin.world.clock.advance(600_000);
    await waiting({ externalId: '4712' }, 'NEXT');
    expect(await guess(BOSS, 'NEXT')).toMatchObject({ external_id: '4712' });
    for (const user of [OPERATOR, MEMBER, must(await userNamed('otto'))]) {
      await at.admin.world.ungrant(user);
      await at.admin.world.grant(user, 'admin');
    }
    for (const user of [BOSS, OPERATOR, MEMBER, must(await userNamed('otto'))])
      for (let n = 0; n < 5; n += 1)
        await expect(guess(user, `g${n}`)).rejects.toEqual(codeOf('identity.code.missing'));
    await expect(guess(LORD, 'NEXT')).rejects.toEqual(codeOf('identity.code.exhausted'));
  });
});

async function userNamed(name: string): Promise<UserId | undefined> {
  return (await read().get('identity_user', { name }))?.id;
}

describe('the mirroring of a direct talk', () => {
  const linkOf = async (externalId = '4711') => must(await read().get('identity_link', { externalId }));
  const approved = async (role: string, more: object = {}) => {
    await waiting();
    await ask('pair.approve', signed(LORD), { ...ADA, role, ...more });
    const [act] = await audited('identity.pair_approve');
    return { link: await linkOf(), isMirrored: act?.data.isMirrored };
  };

  test.each(['operator', 'admin'])('is agreed to by who becomes %s by the pairing', async (role) => {
    const { link, isMirrored } = await approved(role);
    expect([link.mirrorAgreedAt, isMirrored]).toEqual([at.admin.world.clock.nowMs(), true]);
    const texts = (await read().find('effect', {})).map((effect) => JSON.stringify(effect.payloads));
    expect(texts.join()).toContain(
      'you have agreed that the admin hub shows what is said in this direct talk',
    );
  });

  test('is agreed to by who is staff anywhere already', async () => {
    const { link } = await approved('member', { user: 'olga', create_user: false });
    expect(link.mirrorAgreedAt).toBe(at.admin.world.clock.nowMs());
  });

  test('is not agreed to by anybody else, also not when they become staff later', async () => {
    const { link, isMirrored } = await approved('member');
    expect([link.mirrorAgreedAt, isMirrored]).toEqual([undefined, false]);
    await at.admin.world.grant(link.user, 'operator');
    expect((await linkOf()).mirrorAgreedAt).toBeUndefined();
    expect(JSON.stringify(await read().find('effect', {}))).not.toContain('admin hub shows');
  });
});

describe('pair.approve', () => {
  test('makes the person, the link, the role, the private workspace and its direct talk in one commit', async () => {
    const pairing = await waiting();
    const row = await ask('pair.approve', signed(BOSS), { ...ADA, expires_at: '2099-01-01T00:00:00.000Z' });
    expect(row).toMatchObject({ connector: 'chat', external_id: '4711', user: 'ada', display_name: 'Ada' });
    const ada = must(await read().get('identity_user', { name: 'ada' }));
    const context = must(await talk());
    expect(context).toMatchObject({
      workspace: 'private-ada',
      kind: 'direct',
      openness: 'closed',
      directWith: ada.id,
      owner: ada.id,
    });
    expect(await read().get('workspace', { owner: ada.id })).toMatchObject({
      id: 'private-ada',
      kind: 'private',
    });
    expect(
      (await read().find('identity_grant', { principal: ada.id })).map((grant) => [grant.role, grant.scope]),
    ).toEqual(
      expect.arrayContaining([
        ['member', { kind: 'workspace', workspace: 'acme' }],
        ['member', { kind: 'workspace', workspace: 'private-ada' }],
      ]),
    );
    expect(await read().count('identity_pairing', {})).toBe(0);
    const [act] = await audited('identity.pair_approve');
    expect(act).toMatchObject({
      actor: BOSS,
      subject: row.id,
      data: { pairing: pairing.id, user: ada.id, externalId: '4711', role: 'member', via: 'signed' },
    });
    for (const [action, subject] of [
      ['identity.add', ada.id],
      ['workspace.create', 'private-ada'],
      ['context.bind', context.id],
    ] as const)
      expect(await at.admin.world.actions(subject)).toEqual([action]);
    expect(at.admin.saved).toEqual(['workspace private-ada', `context ${context.id}`]);
    expect(at.admin.calls).toEqual([['settingsChanged']]);
  });

  test('leaves a notice that is delivered to the direct talk', async () => {
    await waiting();
    await ask('pair.approve', signed(BOSS), ADA);
    await runOutbox(at.admin.world);
    expect(at.admin.world.chat.sent).toMatchObject([{ payload: { text: 'You are paired as ada.' } }]);
  });

  test('under panic links, and says nothing', async () => {
    await waiting();
    at.admin.world.panic.turnOn('test', 0);
    await ask('pair.approve', signed(BOSS), ADA);
    expect(await read().count('effect', {})).toBe(0);
    expect(await read().count('identity_link', {})).toBe(1);
  });

  test('links with somebody who is there, whose own workspace it takes', async () => {
    await waiting();
    await ask('pair.approve', signed(BOSS), { code: CODE, user: 'mia', role: 'viewer', scope: 'ws:acme' });
    await waiting({ externalId: '4712', channel: 'talk-2' }, 'SECOND');
    await ask('pair.approve', signed(BOSS), {
      code: 'SECOND',
      user: 'mia',
      role: 'viewer',
      scope: 'ws:acme',
    });
    expect(await read().count('workspace', { owner: MEMBER, kind: 'private' })).toBe(1);
    expect(await read().count('context', { directWith: MEMBER })).toBe(2);
    expect((await ask('identity.list', signed(BOSS), { user: 'mia' })).items).toHaveLength(2);
  });

  test('takes another name for a private workspace when the plain one is taken', async () => {
    await waiting();
    await ask('workspace.create', signed(BOSS), { id: 'private-ada' });
    await ask('pair.approve', signed(BOSS), ADA);
    const ada = must(await userNamed('ada'));
    expect((await talk())?.workspace).toBe(`private-${ada.slice(5)}`);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a role above the approver’s', { role: 'overlord' }, 'identity.role.denied'],
    ['a person above the approver', { user: 'lord', create_user: false }, 'identity.role.denied'],
    ['a person who is there as a new one', { user: 'mia' }, 'identity.name.conflict'],
    ['a person who is not there', { user: 'eve', create_user: false }, 'admin.id.missing'],
    ['a name that is none', { user: 'Ada L.' }, 'identity.name.invalid'],
    ['a place that is not there', { scope: 'ws:nowhere' }, 'admin.id.missing'],
    ['an end in the past', { expires_at: '2000-01-01T00:00:00.000Z' }, 'identity.expiry.invalid'],
  ])('with %s writes nothing, and the code stays good', async (_what, wrong, code) => {
    await waiting();
    await expect(ask('pair.approve', signed(BOSS), { ...ADA, ...wrong })).rejects.toEqual(codeOf(code));
    for (const [table, count] of [
      ['identity_link', 0],
      ['identity_pairing', 1],
      ['effect', 0],
    ] as const)
      expect(await read().count(table, {}), table).toBe(count);
    expect(await talk()).toBeUndefined();
    expect(await ask('pair.approve', signed(BOSS), ADA)).toMatchObject({ user: 'ada' });
  });

  test('a person who has left is not linked', async () => {
    await waiting();
    await ask('user.offboard', signed(LORD), { id: 'mia' });
    await expect(
      ask('pair.approve', signed(BOSS), { code: CODE, user: 'mia', role: 'viewer', scope: 'ws:acme' }),
    ).rejects.toEqual(codeOf('identity.user.conflict'));
  });

  test('of two who approve at the same time one wins, the other is told that the world moved', async () => {
    await waiting();
    const both = await Promise.allSettled([
      ask('pair.approve', signed(BOSS), ADA),
      ask('pair.approve', signed(LORD), { ...ADA, user: 'eve' }),
    ]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = both.find((one) => one.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'identity.pairing.conflict', kind: 'conflict' });
    expect(await read().count('identity_link', {})).toBe(1);
    expect(await read().count('identity_user', { name: { in: ['ada', 'eve'] } })).toBe(1);
  });

  test('does not hand somebody’s direct talk to another person, and not one account to two', async () => {
    await waiting();
    await ask('pair.approve', signed(BOSS), ADA);
    await waiting({ externalId: '4712' }, 'OTHER');
    const eve = { ...ADA, user: 'eve', code: 'OTHER' };
    await expect(ask('pair.approve', signed(BOSS), eve)).rejects.toEqual(codeOf('context.channel.conflict'));
    await waiting({ channel: 'talk-2' }, 'AGAIN');
    await expect(ask('pair.approve', signed(BOSS), { ...eve, code: 'AGAIN' })).rejects.toEqual(
      codeOf('identity.link.conflict'),
    );
    expect(await userNamed('eve')).toBeUndefined();
  });

  test('leaves a talk that staff have bound elsewhere where it is', async () => {
    await ask('context.bind', signed(BOSS), {
      workspace: 'acme',
      connector: 'chat',
      account: 'test',
      channel: 'talk',
      kind: 'group',
      openness: 'closed',
    });
    const bound = must(await talk());
    await waiting();
    await ask('pair.approve', signed(BOSS), ADA);
    expect(await talk()).toEqual(bound);
    expect(await read().count('workspace', { kind: 'private' })).toBe(0);
    const [link] = await read().find('identity_link', {});
    await ask('identity.unlink', signed(BOSS), { id: must(link).id });
    expect(await talk()).toEqual(bound);
  });
});

describe('the end of a link', () => {
  const pair = async (code = CODE, more: Partial<typeof ADA> = {}) => {
    await waiting({}, code);
    return ask('pair.approve', signed(BOSS), { ...ADA, code, ...more });
  };

  test.each(['identity.unlink', 'user.offboard'] as const)(
    '%s takes the direct talk off its channel: what was on its way there stays here',
    async (name) => {
      const row = await pair();
      const context = must(await talk());
      const ada = must(await userNamed('ada'));
      await ask(name, signed(BOSS), { id: name === 'user.offboard' ? 'ada' : row.id });
      expect(await talk()).toBeUndefined();
      expect(await read().get('context', { id: context.id })).toMatchObject({
        account: `retired:${context.id}`,
        directWith: ada,
      });
      expect(at.admin.saved.at(-1)).toBe(`context ${context.id}`);
      await runOutbox(at.admin.world);
      expect(at.admin.world.chat.sent).toEqual([]);
      const [notice] = await read().find('effect', {});
      expect(must<Effect>(notice).state).toBe('denied');
    },
  );

  test('the same person gets the same talk again, another person a fresh one', async () => {
    const row = await pair();
    const first = must(await talk());
    await ask('identity.unlink', signed(BOSS), { id: row.id });
    const again = await pair('AGAIN', { create_user: false });
    expect(must(await talk()).id).toBe(first.id);
    await ask('identity.unlink', signed(BOSS), { id: again.id });
    await pair('OTHER', { user: 'eve' });
    const other = must(await talk());
    expect(other.id).not.toBe(first.id);
    expect(other).toMatchObject({ workspace: 'private-eve', directWith: await userNamed('eve') });
  });

  test('one account of two ends without the other', async () => {
    await pair();
    await waiting({ externalId: '4712', channel: 'talk-2' }, 'SECOND');
    const second = await ask('pair.approve', signed(BOSS), { ...ADA, code: 'SECOND', create_user: false });
    await ask('identity.unlink', signed(BOSS), { id: second.id });
    expect(await talk()).toMatchObject({ account: 'test' });
  });
});

describe('pair.deny', () => {
  test('ends the code, once', async () => {
    const pairing = await waiting();
    const both = await Promise.allSettled(
      [BOSS, LORD].map((user) => ask('pair.deny', signed(user), { id: pairing.id.slice(0, 18) })),
    );
    expect(both.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject({
      kind: expect.stringMatching(/conflict|missing/),
    });
    await expect(ask('pair.approve', signed(BOSS), ADA)).rejects.toEqual(codeOf('identity.code.missing'));
    expect(await at.admin.world.actions(pairing.id)).toEqual(['identity.pair_deny']);
  });
});
