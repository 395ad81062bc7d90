import { HUB_REQUEST_LIFETIME_MS, type Hub, MAX_HUB_REQUESTS } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { callTool, type Said, say, useStage } from '../run/run.fixture.ts';
import { contextRow, must, OPERATOR, ORIGIN, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { approvalOf, buttonOf, press, asked as question, quiet, updatesIn } from './press.fixture.ts';
import { NOT_VALID } from './press.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const answer = async (text: string, by = 'olga', more: Partial<Said> = {}): Promise<string> =>
  must((await stage.tell(text, { by, ...more })).reply);
const hubs = () => read().find('hub', {}, { orderBy: 'askedAt' });
const asked = async () => (await stage.deps.audit.tail(1_000, { action: 'hub.request' })).length;
const change = (patch: object) =>
  stage.deps.store.commit(TEST_AUDIT, (tx) => tx.update('context', { id: ORIGIN }, patch));

describe('/hub', () => {
  test.each(['/hub', '/admin_channel enable', '/admin-channel enable', '/hub@helper_bot'])(
    '%s of the staff files a request that clears nothing, and says what an admin does next',
    async (text) => {
      const said = await answer(text);
      const [hub, ...more] = await hubs();
      expect(more).toEqual([]);
      expect(hub).toMatchObject({
        state: 'asked',
        connector: 'chat',
        account: 'test',
        channel: 'ops-channel',
        context: ORIGIN,
        workspace: WORKSPACE,
        askedBy: OPERATOR,
        clearedFor: [],
        expiresAt: stage.world.clock.nowMs() + HUB_REQUEST_LIFETIME_MS,
      });
      expect(said).toContain('Nothing is cleared yet');
      expect(said).toContain(`agent-runtime hub approve ${must(hub).id} --workspace ${WORKSPACE}`);
      expect(await stage.deps.audit.tail(9, { action: 'hub.request' })).toMatchObject([
        { actor: OPERATOR, subject: must(hub).id, workspace: WORKSPACE, context: ORIGIN },
      ]);
    },
  );

  test('of the same place is the same request, whoever repeats it; a redelivery is no second one', async () => {
    const first = await answer('/hub', 'olga', { externalId: 'x' });
    expect(await answer('/hub', 'boss')).toBe(first);
    expect(await answer('/hub', 'olga', { externalId: 'x' })).toBe(first);
    const both = await Promise.all([answer('/hub', 'olga'), answer('/hub', 'boss')]);
    expect(both).toEqual([first, first]);
    expect(await hubs()).toHaveLength(1);
    expect(await asked()).toBe(1);
  });

  test('asked by two at once is one request, and both hear of it', async () => {
    const both = await Promise.all([answer('/hub', 'olga'), answer('/hub', 'boss')]);
    expect(await hubs()).toHaveLength(1);
    expect(both[0]).toBe(both[1]);
  });

  test.each(['mia', 'stranger-9'])('of %s, who is not of the staff, is refused with words', async (by) => {
    const said = await answer('/hub', by);
    expect(said).toContain('Only staff of this place can ask for it.');
    // A stranger is answered once a minute.
    await stage.world.clock.advance(60_000);
    expect(await answer('/admin_channel disable', by)).toBe(said);
    expect(await hubs()).toEqual([]);
    expect(await asked()).toBe(0);
  });

  test.each<[string, Partial<Said>]>([
    ['that was edited in', { kind: 'edit' }],
    ['that was passed on', { isRelayed: true }],
    ['of a machine', { isBot: true }],
  ])('%s is none', async (_what, more) => {
    await stage.tell('/hub', { by: 'boss', ...more });
    expect(await hubs()).toEqual([]);
  });

  test('is a text for whoever comes through another door, and for the model', async () => {
    await stage.post('/hub', { by: 'boss' });
    stage.script = () => say('/hub');
    await stage.settled((await stage.tell('say /hub', { by: 'boss' })).run);
    expect(await hubs()).toEqual([]);
    stage.script = () => callTool('hub.request', {});
    await stage.tell('do it', { by: 'boss' });
    expect(await hubs()).toEqual([]);
  });

  test('where strangers may read, or in a direct talk, says why it cannot be', async () => {
    await change({ openness: 'open' });
    expect(await answer('/hub')).toContain('agent-runtime context set ops --closed');
    await change({ openness: 'closed', directWith: OPERATOR, kind: 'direct' });
    expect(await answer('/hub')).toContain('A direct talk cannot be the admin hub');
    expect(await hubs()).toEqual([]);
  });

  test('is asked anew once the first request is over, or whoever asked is staff no longer', async () => {
    await answer('/hub');
    const [first] = await hubs();
    await stage.world.clock.advance(HUB_REQUEST_LIFETIME_MS);
    await answer('/hub');
    const [second] = await hubs();
    expect(await hubs()).toHaveLength(1);
    expect(must(second).id).not.toBe(must(first).id);
    await stage.world.ungrant(OPERATOR);
    await answer('/hub', 'boss');
    const [third, ...rest] = await hubs();
    expect(rest).toEqual([]);
    expect(must(third).id).not.toBe(must(second).id);
  });

  test('waits when as many places wait as may; those that are void make room', async () => {
    await answer('/hub');
    const [one] = await hubs();
    await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.remove('hub', { id: must(one).id });
      for (let n = 0; n < MAX_HUB_REQUESTS; n += 1) {
        const context = `place-${n}` as Hub['context']; // safe: a slug
        await tx.insert('context', contextRow(context, `channel-${n}`, 1));
        const id = stage.deps.ids.make('hub');
        await tx.insert('hub', { ...must<Hub>(one), id, context, channel: `channel-${n}` });
      }
    });
    expect(await answer('/hub')).toContain(`${MAX_HUB_REQUESTS} places ask`);
    expect(await hubs()).toHaveLength(MAX_HUB_REQUESTS);
    await stage.world.ungrant(OPERATOR);
    await answer('/hub', 'boss');
    expect((await hubs()).map((hub) => hub.channel)).toEqual(['ops-channel']);
  });

  test('to end it in chat says what an admin signs', async () => {
    expect(await answer('/admin_channel disable')).toBe('This place is not the admin hub.');
    await answer('/hub');
    expect(await answer('/admin_channel disable')).toBe('This place is not the admin hub.');
    await stage.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('hub', { connector: 'chat' }, { state: 'active' }),
    );
    expect(await answer('/admin_channel disable')).toContain('agent-runtime hub rm chat');
    expect(await answer('/admin_channel')).toContain('enable or /admin_channel disable');
    expect(await hubs()).toHaveLength(1);
  });
});

describe('/approve and /deny in the hub', () => {
  const STAFF = 'staff' as Hub['context']; // safe: a slug
  const BETA = 'beta' as Hub['workspace']; // safe: a slug
  const desk = { channel: 'staff-channel', key: 'staff', by: 'olga' } as const;
  const inHub = async (text: string, by = 'olga') => must((await stage.tell(text, { ...desk, by })).reply);
  const hubAt = async (clearedFor: Hub['clearedFor'], more: Partial<Hub> = {}) => {
    const known = must(await read().get('workspace', { id: WORKSPACE }));
    await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.insert('workspace', { ...known, id: BETA, title: 'Beta' });
      await tx.insert('context', { ...contextRow(STAFF, 'staff-channel', 1), workspace: BETA });
      await tx.insert('hub', {
        id: stage.deps.ids.make('hub'),
        state: 'active',
        connector: 'chat',
        account: 'test',
        channel: 'staff-channel',
        context: STAFF,
        workspace: BETA,
        askedBy: OPERATOR,
        askedAt: 1,
        expiresAt: 1,
        clearedFor,
        ...more,
      });
    });
  };

  test('answer the questions whose cards stand there, as policy decides for their own context', async () => {
    await hubAt([WORKSPACE]);
    const [first, second] = [await question(stage), await question(stage)];
    expect(await inHub('/status')).toContain(`${first.id} (medium)`);
    expect(await inHub(`/approve ${first.id.slice(5, 15)}`, 'mia')).toContain('operator');
    expect(await inHub(`/approve ${first.id}`)).toBe(`Approved ${first.id}.`);
    expect(await inHub(`/deny ${second.id} not today`)).toBe(`Denied ${second.id}.`);
    expect((await approvalOf(stage, second.id)).votes).toMatchObject([{ reason: 'not today', via: 'chat' }]);
    expect(await inHub(`/approve ${second.id}`)).toContain('no open approval');
    // Taking back belongs where it was asked.
    const third = await question(stage);
    expect(await inHub(`/withdraw ${third.id}`, 'mia')).toContain('no open approval');
  });

  test('an operator of the hub’s place alone answers nothing of other places', async () => {
    await hubAt([WORKSPACE]);
    const { id } = await question(stage);
    await stage.world.ungrant(OPERATOR);
    await stage.world.grant(OPERATOR, 'operator', { kind: 'workspace', workspace: BETA });
    for (const text of [`/approve ${id}`, `/deny ${id}`])
      expect(await inHub(text)).toContain('operator or above');
    const { id: button, message } = await buttonOf(stage, await approvalOf(stage, id), 'approve', STAFF);
    const pressed = await press(stage, { id: button, message, channel: 'staff-channel' });
    expect([pressed.outcome, (await approvalOf(stage, id)).state]).toEqual(['refused', 'pending']);
  });

  test('what only has a bare card there is denied there, never approved', async () => {
    await hubAt([BETA]);
    const { id } = await question(stage);
    const said = await inHub(`/approve ${id}`);
    expect(said).toContain('No card here shows all');
    expect((await approvalOf(stage, id)).state).toBe('pending');
    expect(await read().count('approval_button', { context: STAFF, act: { in: ['approve', 'edit'] } })).toBe(
      0,
    );
    expect(await inHub(`/deny ${id}`)).toBe(`Denied ${id}.`);
  });

  test.each<[string, Partial<Hub>, denies: boolean]>([
    ['is not cleared for the words any more', { clearedFor: [BETA] }, true],
    ['is no hub any more', { state: 'asked' }, false],
    ['is elsewhere now', { channel: 'elsewhere' }, false],
  ])('a button that stands where the place %s says yes to nothing', async (_what, more, denies) => {
    await hubAt([WORKSPACE]);
    const one = await question(stage);
    const [yes, edit, no] = [
      await buttonOf(stage, one, 'approve', STAFF),
      await buttonOf(stage, one, 'edit', STAFF),
      await buttonOf(stage, one, 'deny', STAFF),
    ];
    await stage.deps.store.commit(TEST_AUDIT, (tx) => tx.update('hub', { context: STAFF }, more));
    for (const button of [yes, edit])
      expect((await press(stage, { ...button, channel: 'staff-channel' })).reply).toBe(NOT_VALID);
    expect((await approvalOf(stage, one.id)).state).toBe('pending');
    const said = await press(stage, { ...no, channel: 'staff-channel' });
    expect(said.reply).toBe(denies ? `Denied ${one.id}.` : NOT_VALID);
  });

  test('a button of the hub answers there, and both cards say so', async () => {
    await hubAt([WORKSPACE]);
    const one = await question(stage);
    const button = await buttonOf(stage, one, 'approve', STAFF);
    const here = await buttonOf(stage, one, 'approve');
    // A button of one card does nothing on the other one.
    expect((await press(stage, { ...button, channel: 'ops-channel' })).reply).toBe(NOT_VALID);
    expect((await press(stage, { id: button.id, message: here.message })).reply).toBe(NOT_VALID);
    expect((await press(stage, { ...button, channel: 'staff-channel' })).reply).toBe(`Approved ${one.id}.`);
    await quiet(stage);
    const replaced = updatesIn(stage).map((update) => update.edits);
    expect(new Set(replaced)).toEqual(new Set([button.message, here.message]));
  });

  test.each<[string, Partial<Hub>]>([
    ['that is only asked for', { state: 'asked' }],
    ['that has moved', { channel: 'elsewhere' }],
  ])('find nothing in a hub %s', async (_what, more) => {
    await hubAt([WORKSPACE]);
    const { id } = await question(stage);
    await stage.deps.store.commit(TEST_AUDIT, (tx) => tx.update('hub', { context: STAFF }, more));
    for (const text of [`/approve ${id}`, `/deny ${id}`])
      expect(await inHub(text)).toContain('no open approval');
  });

  test('find nothing of other places in a direct talk of staff', async () => {
    await hubAt([WORKSPACE]);
    const { id } = await question(stage);
    await stage.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('context', {
        ...contextRow('talk' as Hub['context'], 'talk-channel', 1), // safe: a slug
        kind: 'direct',
        directWith: OPERATOR,
      }),
    );
    const talk = { by: 'olga', channel: 'talk-channel', key: 'talk' } as const;
    for (const text of [`/approve ${id}`, `/deny ${id}`])
      expect((await stage.tell(text, talk)).reply).toContain('no open approval');
  });
});
