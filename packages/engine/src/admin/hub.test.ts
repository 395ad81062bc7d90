import {
  type Context,
  HUB_REQUEST_LIFETIME_MS,
  type Hub,
  type UserId,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import {
  BOSS,
  contextRow,
  inChat,
  MEMBER,
  must,
  OPERATOR,
  ORIGIN,
  proposePost,
  runOutbox,
  signed,
  TEST_AUDIT,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, addWorkspace, LORD, narrow, SOCKET, useAdmin } from './admin.fixture.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);
const store = () => at.admin.world.deps.store;
const codeOf = (code: string) => expect.objectContaining({ code });
const audited = async (action: string) => at.admin.world.deps.audit.tail(100, { action });
const active = () => store().read.find('hub', { state: 'active' });
const change = (table: 'hub' | 'context', where: object, patch: object) =>
  store().commit(TEST_AUDIT, (tx) => tx.update(table, where, patch));
const approveFor = (hub: Hub, ...workspaces: readonly string[]) => ({ id: hub.id, workspaces });

/** Somebody of the staff asked in this place, as the door would have written it. */
async function asked(more: Partial<Hub> = {}): Promise<Hub> {
  const { deps, clock } = at.admin.world;
  const row: Hub = {
    id: deps.ids.make('hub'),
    state: 'asked',
    connector: 'chat',
    account: 'test',
    channel: 'ops-channel',
    context: ORIGIN,
    workspace: WORKSPACE,
    askedBy: OPERATOR,
    askedAt: clock.nowMs(),
    expiresAt: clock.nowMs() + HUB_REQUEST_LIFETIME_MS,
    clearedFor: [],
    ...more,
  };
  await deps.store.commit(TEST_AUDIT, (tx) => tx.insert('hub', row));
  return row;
}

/** A second closed place of the staff, in another workspace. */
const beta = (more: Partial<Hub> = {}) =>
  asked({
    channel: 'beta-channel',
    context: 'beta-staff' as Context['id'],
    workspace: 'beta' as WorkspaceId,
    ...more,
  }); // safe: slugs

beforeEach(async () => {
  await addPeople(at.admin);
  await addWorkspace(at.admin, 'beta');
  await store().commit(TEST_AUDIT, async (tx) => {
    const context = 'beta-staff' as Context['id']; // safe: a slug
    await tx.insert('context', {
      ...contextRow(context, 'beta-channel', 1),
      workspace: 'beta' as WorkspaceId,
    }); // safe: a slug
    await tx.insert('identity_link', {
      id: at.admin.world.deps.ids.make('identity'),
      connector: 'chat',
      externalId: 'olga',
      user: OPERATOR,
      displayName: 'Olga',
      createdAt: 1,
    });
  });
});

describe('hub.approve', () => {
  test('makes the place the hub, cleared for the workspaces that the act names, once each', async () => {
    const hub = await asked();
    const row = await ask('hub.approve', signed(BOSS), approveFor(hub, 'acme', 'beta', 'acme'));
    expect(row).toMatchObject({
      id: hub.id,
      state: 'active',
      context: ORIGIN,
      cleared_for: ['acme', 'beta'],
      cleared_more: 0,
      asked_by: 'olga',
      approved_by: 'boss',
    });
    expect(row.moved_from).toBeUndefined();
    expect(await active()).toMatchObject([{ id: hub.id, clearedFor: ['acme', 'beta'], approvedBy: BOSS }]);
    const place = { connector: 'chat', account: 'test', channel: 'ops-channel', context: ORIGIN };
    expect(await audited('hub.approve')).toMatchObject([
      {
        actor: BOSS,
        subject: hub.id,
        workspace: WORKSPACE,
        data: {
          to: { ...place, clearedFor: ['acme', 'beta'] },
          from: null,
          askedBy: OPERATOR,
          via: 'signed',
        },
      },
    ]);
    expect(at.admin.calls).toEqual([['settingsChanged']]);
    await runOutbox(at.admin.world);
    expect(at.admin.world.chat.sent).toMatchObject([
      { payload: { text: 'This is the admin hub of chat now, cleared for acme, beta.' } },
    ]);
  });

  test('moves it: the old place is the hub no more, in the same event, and both are told', async () => {
    await ask('hub.approve', signed(BOSS), approveFor(await asked(), 'acme'));
    const next = await beta();
    const row = await ask('hub.approve', signed(BOSS), approveFor(next, 'acme', 'beta'));
    expect(row.moved_from).toBe(ORIGIN);
    expect(await active()).toMatchObject([{ id: next.id, context: 'beta-staff' }]);
    const [move] = await audited('hub.approve');
    expect(move?.data).toMatchObject({
      from: { context: ORIGIN, clearedFor: ['acme'] },
      to: { context: 'beta-staff', clearedFor: ['acme', 'beta'] },
    });
    await runOutbox(at.admin.world);
    expect(at.admin.world.chat.sent.slice(1).map((one) => one.payload.text)).toEqual([
      'This is the admin hub of chat now, cleared for acme, beta.',
      'This is not the admin hub of chat any more.',
    ]);
    // What comes up in the old place is told to the new one, and no longer the other way round.
    await proposePost(at.admin.world, 'hello');
    const cards = await store().read.find('effect', { kind: 'message.card' });
    expect(cards.map((card) => card.context)).toEqual(['beta-staff']);
  });

  test('of the same place again changes what it is cleared for', async () => {
    await ask('hub.approve', signed(BOSS), approveFor(await asked(), 'acme', 'beta'));
    await ask('hub.approve', signed(BOSS), approveFor(await asked(), 'beta'));
    expect(await active()).toMatchObject([{ context: ORIGIN, clearedFor: ['beta'] }]);
    await runOutbox(at.admin.world);
    expect(at.admin.world.chat.sent).toHaveLength(2);
  });

  test('leaves the hub of another connector alone', async () => {
    await ask('hub.approve', signed(BOSS), approveFor(await asked(), 'acme'));
    const other = await beta({ connector: 'cli' });
    await change('context', { id: 'beta-staff' }, { connector: 'cli' });
    await link('cli');
    await ask('hub.approve', signed(BOSS), approveFor(other, 'beta'));
    expect((await active()).map((hub) => hub.connector).sort()).toEqual(['chat', 'cli']);
  });

  test.each<[string, () => Actor]>([
    ['the socket', () => SOCKET],
    ['the network', () => ({ ...SOCKET, via: 'network' })],
    ['chat, also of an admin', () => inChat(BOSS)],
    ['a model', () => ({ ...signed(BOSS), via: 'model' }) as unknown as Actor], // safe: a way that no door gives
    ['an operator', () => signed(OPERATOR)],
    ['a member', () => signed(MEMBER)],
    ['a token', () => ({ principal: token(), via: 'signed' })],
  ])('is refused to %s', async (_who, actor) => {
    const hub = await asked();
    const code = expect.stringMatching(/^(policy\.admin\.denied|admin\.id\.missing)$/);
    for (const [name, input] of [
      ['hub.approve', approveFor(hub, 'acme')],
      ['hub.rm', { id: hub.id }],
    ] as const)
      await expect(ask(name, actor(), input), name).rejects.toMatchObject({ code });
    expect(await store().read.find('hub', {})).toEqual([hub]);
    for (const action of ['hub.approve', 'hub.deny', 'hub.remove']) expect(await audited(action)).toEqual([]);
  });

  test('wants the role in every workspace that is named, and in the place', async () => {
    const hub = await asked();
    await narrow(at.admin, OPERATOR, 'admin');
    const mine = approveFor(hub, 'acme', 'beta');
    // A workspace that the signer has no role in does not exist for them.
    await expect(ask('hub.approve', signed(OPERATOR), mine)).rejects.toEqual(codeOf('admin.id.missing'));
    await at.admin.world.grant(OPERATOR, 'operator', { kind: 'workspace', workspace: 'beta' });
    await expect(ask('hub.approve', signed(OPERATOR), mine)).rejects.toEqual(codeOf('policy.admin.denied'));
    const elsewhere = approveFor(await beta(), 'acme');
    await expect(ask('hub.approve', signed(OPERATOR), elsewhere)).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    expect(await active()).toEqual([]);
    expect(await ask('hub.approve', signed(OPERATOR), approveFor(hub, 'acme'))).toMatchObject({
      state: 'active',
    });
  });

  test('takes nobody’s hub away: whoever moves or ends it is an admin of all that it is cleared for', async () => {
    await ask('hub.approve', signed(BOSS), approveFor(await beta(), 'beta'));
    await narrow(at.admin, OPERATOR, 'admin');
    await expect(ask('hub.approve', signed(OPERATOR), approveFor(await asked(), 'acme'))).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    await expect(ask('hub.rm', signed(OPERATOR), { id: 'chat' })).rejects.toEqual(codeOf('admin.id.missing'));
    await at.admin.world.grant(OPERATOR, 'operator', { kind: 'workspace', workspace: 'beta' });
    await expect(ask('hub.rm', signed(OPERATOR), { id: 'chat' })).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    expect(await active()).toMatchObject([{ context: 'beta-staff' }]);
  });

  test.each<[string, (hub: Hub) => Promise<unknown>, string]>([
    ['a workspace that is not there', async () => undefined, 'admin.id.missing'],
    [
      'a request that is over',
      () => at.admin.world.clock.advance(HUB_REQUEST_LIFETIME_MS),
      'hub.request.conflict',
    ],
    [
      'a request that was sent away',
      (hub) => ask('hub.rm', signed(BOSS), { id: hub.id }),
      'admin.id.missing',
    ],
    [
      'a request that was signed already',
      (hub) => ask('hub.approve', signed(BOSS), approveFor(hub, 'acme')),
      'admin.id.missing',
    ],
    [
      'a place that was opened',
      () => change('context', { id: ORIGIN }, { openness: 'open' }),
      'hub.place.conflict',
    ],
    [
      'a place that was bound elsewhere',
      () => change('context', { id: ORIGIN }, { channel: 'x' }),
      'hub.request.conflict',
    ],
    ['an asker without the role', () => at.admin.world.ungrant(OPERATOR), 'hub.request.conflict'],
    ['an asker who is a member now', () => lower(OPERATOR), 'hub.request.conflict'],
    ['an asker who was unlinked', () => unlink(), 'admin.id.missing'],
    ['an asker who has left', () => ask('user.offboard', signed(LORD), { id: 'olga' }), 'admin.id.missing'],
  ])('with %s makes no hub', async (what, arrange, code) => {
    const hub = await asked();
    await arrange(hub);
    const before = await active();
    const workspace = what.startsWith('a workspace') ? 'nowhere' : 'acme';
    await expect(ask('hub.approve', signed(BOSS), approveFor(hub, workspace))).rejects.toEqual(codeOf(code));
    expect(await active()).toEqual(before);
  });

  test('by a key that was revoked between the request and its write makes, moves and ends nothing', async () => {
    const hub = await asked();
    const id = 'r'.repeat(43);
    const key = { id, user: BOSS, publicKeyPem: 'PEM', name: 'laptop', createdAt: 1, revokedAt: 2 };
    await store().commit(TEST_AUDIT, (tx) => tx.insert('identity_key', key));
    const late: Actor = { ...signed(BOSS), proof: { keyId: id, signature: '', signed: '' } };
    for (const [name, input] of [
      ['hub.approve', approveFor(hub, 'acme')],
      ['hub.rm', { id: hub.id }],
    ] as const)
      await expect(ask(name, late, input), name).rejects.toEqual(codeOf('identity.key.unauthenticated'));
    expect(await store().read.find('hub', {})).toEqual([hub]);
  });

  test('of two places at the same time one is the hub, and the other is told that the world moved', async () => {
    const one = await asked();
    const two = await beta();
    const both = await Promise.allSettled(
      [one, two].map((hub) => ask('hub.approve', signed(BOSS), approveFor(hub, 'acme'))),
    );
    expect(both.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((each) => each.status === 'rejected')?.reason).toMatchObject({
      code: 'hub.place.conflict',
    });
    expect(await active()).toHaveLength(1);
  });
});

describe('hub.rm', () => {
  test('ends the hub of a connector by its name, once', async () => {
    const hub = await asked();
    await ask('hub.approve', signed(BOSS), approveFor(hub, 'acme'));
    expect(await ask('hub.rm', signed(BOSS), { id: 'chat' })).toMatchObject({ id: hub.id, state: 'active' });
    expect(await active()).toEqual([]);
    expect(await audited('hub.remove')).toMatchObject([
      { actor: BOSS, subject: hub.id, data: { context: ORIGIN, clearedFor: ['acme'], via: 'signed' } },
    ]);
    await expect(ask('hub.rm', signed(BOSS), { id: 'chat' })).rejects.toEqual(codeOf('admin.id.missing'));
    await proposePost(at.admin.world, 'hello');
    expect(await store().read.count('effect', { kind: 'message.card' })).toBe(0);
  });

  test('sends a request away by the beginning of its id', async () => {
    const hub = await asked();
    expect(await ask('hub.rm', signed(BOSS), { id: hub.id.slice(0, 20) })).toMatchObject({ state: 'asked' });
    expect(await store().read.count('hub', {})).toBe(0);
    expect(await at.admin.world.actions(hub.id)).toEqual(['hub.deny']);
  });
});

describe('hub.list', () => {
  test('shows hubs and what waits, never what is void', async () => {
    await ask('hub.approve', signed(BOSS), approveFor(await asked(), 'acme', 'beta'));
    const waits = await beta();
    const { items } = await ask('hub.list', signed(BOSS), {});
    expect(items).toMatchObject([
      {
        state: 'active',
        connector: 'chat',
        context: ORIGIN,
        cleared_for: ['acme', 'beta'],
        approved_by: 'boss',
      },
      { id: waits.id, state: 'asked', cleared_for: [], asked_by: 'olga', expires_at: expect.any(String) },
    ]);
    await at.admin.world.clock.advance(HUB_REQUEST_LIFETIME_MS);
    expect((await ask('hub.list', signed(BOSS), {})).items).toMatchObject([{ state: 'active' }]);
  });

  test('names only workspaces that the asker may know of, and is empty for nobody without a role', async () => {
    await ask('hub.approve', signed(BOSS), approveFor(await asked(), 'acme', 'beta'));
    await beta();
    await narrow(at.admin, OPERATOR, 'operator');
    const { items } = await ask('hub.list', signed(OPERATOR), {});
    expect(items).toMatchObject([{ context: ORIGIN, cleared_for: ['acme'], cleared_more: 1 }]);
    for (const actor of [signed(MEMBER), inChat(BOSS), SOCKET])
      await expect(ask('hub.list', actor, {})).rejects.toEqual(codeOf('policy.admin.denied'));
  });
});

function token() {
  const { ids } = at.admin.world.deps;
  return { kind: 'token', token: ids.make('token'), owner: BOSS, workspace: WORKSPACE } as const;
}

async function lower(user: UserId): Promise<void> {
  await at.admin.world.ungrant(user);
  await at.admin.world.grant(user, 'member');
}

async function unlink(): Promise<void> {
  const [row] = (await ask('identity.list', signed(BOSS), { user: 'olga' })).items;
  await ask('identity.unlink', signed(BOSS), { id: must(row).id });
}

async function link(connector: string): Promise<void> {
  const id = at.admin.world.deps.ids.make('identity');
  const row = { id, connector, externalId: 'olga', user: OPERATOR, displayName: 'Olga', createdAt: 1 };
  await store().commit(TEST_AUDIT, (tx) => tx.insert('identity_link', row));
}
