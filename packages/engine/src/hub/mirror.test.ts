import {
  type Context,
  type Hub,
  type Identity,
  makeLabel,
  type UserId,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { closeGate } from '../gate/gate.ts';
import { quiet } from '../ingest/press.fixture.ts';
import { say, useStage } from '../run/run.fixture.ts';
import { scriptedConnector } from '../settle/outside.fixture.ts';
import {
  BOSS,
  contextRow,
  MEMBER,
  must,
  OPERATOR,
  person,
  TEST_AUDIT,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { writeMirror } from './mirror.ts';

const stage = useStage();
// safe: slugs
const TALK = 'talk-olga' as Context['id'];
const STAFF = 'staff' as Context['id'];
const OWN = 'private-olga' as WorkspaceId;
const BETA = 'beta' as WorkspaceId;
const CANARY = 'canary-5170';
const DIRECT = { channel: 'talk-channel', channelKind: 'direct', key: 'talk', by: 'olga' } as const;

const read = () => stage.world.deps.store.read;
const change = (table: 'hub' | 'context' | 'identity_link' | 'identity_user', where: object, patch: object) =>
  stage.deps.store.commit(TEST_AUDIT, (tx) => tx.update(table, where, patch));
const talk = async (): Promise<Context> => must(await read().get('context', { id: TALK }));
const copies = () => read().find('effect', { kind: 'message.mirror' }, { orderBy: 'createdAt' });
/** What arrived in the place of the hub. */
async function inHub(): Promise<readonly string[]> {
  await quiet(stage);
  const ids = new Set((await read().find('effect', { context: STAFF })).map((effect) => String(effect.id)));
  return stage.world.chat.sent.filter((one) => ids.has(one.effectId)).map((one) => String(one.payload.text));
}
/** Says something in the talk and waits for its answer. */
async function talked(text: string, answer = 'ok'): Promise<void> {
  stage.script = () => say(answer);
  const { run } = await stage.tell(text, DIRECT);
  if (run !== undefined) await stage.settled(run);
}

/** Olga, an operator, was paired as staff; her talk is bound to her own workspace, and the hub is in a third one. */
beforeEach(async () => {
  const { deps, clock } = stage.world;
  const known = must(await read().get('workspace', { id: WORKSPACE }));
  const hub: Hub = {
    id: deps.ids.make('hub'),
    state: 'active',
    connector: 'chat',
    account: 'test',
    channel: 'staff-channel',
    context: STAFF,
    workspace: BETA,
    askedBy: OPERATOR,
    askedAt: 1,
    expiresAt: 1,
    clearedFor: [OWN],
  };
  await deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const id of [BETA, OWN]) await tx.insert('workspace', { ...known, id, title: id });
    await tx.insert('context', { ...contextRow(STAFF, 'staff-channel', 1), workspace: BETA });
    await tx.insert('context', {
      ...contextRow(TALK, 'talk-channel', 1),
      workspace: OWN,
      kind: 'direct',
      directWith: OPERATOR,
      owner: OPERATOR,
    });
    await tx.insert('hub', hub);
    await tx.update(
      'identity_link',
      { externalId: 'olga' },
      { context: TALK, mirrorAgreedAt: clock.nowMs() },
    );
  });
});

describe('what is said in the direct talk of staff who agreed', () => {
  test('is shown in the hub that is cleared for the talk: their words and the answers, each once', async () => {
    await talked(`${CANARY}\nsecond line`, 'The answer.');
    expect(await inHub()).toEqual([
      `olga in the direct talk:\n> ${CANARY}\n> second line`,
      'To olga in the direct talk:\n> The answer.',
    ]);
    const [first] = await copies();
    expect(first).toMatchObject({
      class: 'E0',
      workspace: BETA,
      context: STAFF,
      label: { integrity: 1, audience: [`ctx:${OWN}/${TALK}`] },
      requester: { kind: 'service', context: TALK, owner: OPERATOR },
    });
    // It is no message of the conversation there.
    expect(await read().count('context_message', { context: STAFF })).toBe(0);
  });

  test('is shown once also when it is offered again', async () => {
    await stage.tell(CANARY, { ...DIRECT, externalId: 'x' });
    await stage.tell(CANARY, { ...DIRECT, externalId: 'x' });
    await quiet(stage);
    expect((await inHub()).filter((text) => text.includes(CANARY))).toHaveLength(1);
  });

  test('commands are shown as words, with their answers, and do nothing there', async () => {
    await stage.tell('/status', DIRECT);
    const shown = await inHub();
    expect(shown[0]).toBe('olga in the direct talk:\n> /status');
    expect(shown[1]).toContain('To olga in the direct talk:\n> 0 running');
    expect(shown).toHaveLength(2);
  });

  test('what is added to a wish is shown as it was said', async () => {
    await stage.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('workspace', { id: OWN }, { settings: { acknowledge: 'confirm' } }),
    );
    await talked('/task plan the party');
    await talked('with a cake');
    expect(
      await read().count('context_message', { text: 'plan the party\n\nAdded later: with a cake' }),
    ).toBe(1);
    const said = (await inHub()).filter((text) => text.includes('with a cake'));
    expect(said.filter((text) => !text.includes('plan the party'))).toHaveLength(1);
  });

  test('is filtered as everything there: no mentions, no links', async () => {
    await talked('@everyone https://evil.example/x');
    expect((await inHub())[0]).not.toContain('@everyone');
    expect((await inHub())[0]).not.toContain('https://evil.example');
  });

  test('is not what came in by another door', async () => {
    await stage.post(CANARY, { by: 'olga' }, { principal: person(OPERATOR), context: TALK });
    await quiet(stage);
    expect((await inHub()).join()).not.toContain(CANARY);
  });

  test('is still delivered in the talk when the copy cannot be rendered', async () => {
    const chat = scriptedConnector();
    const connectors = [
      {
        ...stage.world.chat,
        render: (draft: { readonly text: string }) =>
          draft.text.includes('in the direct talk:') ? [] : chat.render(draft, {} as never), // safe: not looked at
      },
    ];
    await stage.restart({ connectors });
    await talked(CANARY, 'The answer.');
    await quiet(stage);
    expect(await copies()).toEqual([]);
    expect(stage.heard).toContain('The answer.');
    expect((await stage.deps.audit.tail(9, { action: 'notify.fail' })).length).toBeGreaterThan(0);
  });
});

describe('the hub hears no word', () => {
  test.each<[string, () => Promise<unknown>]>([
    [
      'when it is not cleared for the talk',
      () => change('hub', { context: STAFF }, { clearedFor: [WORKSPACE] }),
    ],
    ['while it is only asked for', () => change('hub', { context: STAFF }, { state: 'asked' })],
    ['once strangers may read there', () => change('context', { id: STAFF }, { openness: 'open' })],
    ['once its place is bound elsewhere', () => change('context', { id: STAFF }, { channel: 'x' })],
    ['of another connector', () => change('hub', { context: STAFF }, { connector: 'other' })],
    [
      'of who has not agreed',
      () => change('identity_link', { externalId: 'olga' }, { mirrorAgreedAt: undefined }),
    ],
    [
      'where another account of theirs agreed',
      () => change('identity_link', { externalId: 'olga' }, { context: STAFF }),
    ],
    ['where somebody else agreed', () => change('identity_link', { externalId: 'olga' }, { user: BOSS })],
    ['of a talk that is nobody’s own', () => change('context', { id: TALK }, { directWith: undefined })],
    [
      'of who is staff no longer',
      async () => [await stage.world.ungrant(OPERATOR), await stage.world.grant(OPERATOR, 'member')],
    ],
    ['of who has left', () => change('identity_user', { id: OPERATOR }, { isActive: false })],
    ['behind the gate', () => closeGate(stage.deps, 'test')],
    ['under panic', async () => stage.world.panic.turnOn('test', 0)],
  ])('%s', async (_what, arrange) => {
    await arrange();
    stage.script = () => say(`${CANARY} too`);
    const { run } = await stage.tell(CANARY, DIRECT);
    await stage.tell(`/open ${CANARY}.md`, DIRECT);
    if (run !== undefined) await stage.settled(run);
    await quiet(stage);
    expect(await copies()).toEqual([]);
    expect((await inHub()).join()).not.toContain(CANARY);
  });

  test.each<[string, readonly string[], boolean]>([
    ['of the talk and its person', [`ctx:${OWN}/${TALK}`, `priv:${OPERATOR}`], true],
    ['that is public', [], true],
    ['of the talk’s workspace', [`ws:${OWN}`], true],
    ['that holds private text of somebody else', [`ws:${OWN}`, `priv:${MEMBER}`], false],
    ['that holds something of a workspace it is not cleared for', [`ws:${OWN}`, `ws:${WORKSPACE}`], false],
    ['of its own place', [`ctx:${BETA}/${STAFF}`], false],
    ['whose label nobody understands', ['nonsense'], false],
  ])('of a text %s: %s, %s', async (_what, audience, isShown) => {
    const label = makeLabel(1, audience as never); // safe: tags
    await stage.deps.store.commit(TEST_AUDIT, async (tx) =>
      writeMirror(stage.deps, tx, await talk(), { direction: 'out', text: CANARY, label }),
    );
    expect(await copies()).toHaveLength(isShown ? 1 : 0);
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      'the account was unlinked',
      () => stage.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('identity_link', { externalId: 'olga' })),
    ],
    [
      'the talk was taken off its channel and is another’s',
      () => change('context', { id: TALK }, { directWith: MEMBER }),
    ],
    ['they are staff no longer', () => stage.world.ungrant(OPERATOR)],
    ['the clearance was narrowed', () => change('hub', { context: STAFF }, { clearedFor: [BETA] })],
    [
      'the hub has ended',
      () => stage.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('hub', { context: STAFF })),
    ],
  ])('that is on its way when %s', async (_what, arrange) => {
    // Nothing of the hub leaves until the moment that is looked at.
    const hold = Promise.withResolvers<void>();
    stage.world.chat.onDeliver = async (sent) => {
      if (sent.effectId === first) await hold.promise;
    };
    await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
      for (const text of ['first', CANARY])
        await writeMirror(stage.deps, tx, await talk(), { direction: 'in', text, label: makeLabel(1) });
    });
    const first = String(must((await copies())[0]).id);
    await stage.engine.settingsChanged();
    await stage.world.clock.settle();
    await arrange();
    hold.resolve();
    await quiet(stage);
    expect((await copies()).map((copy) => copy.state)).toEqual(['done', 'denied']);
    expect((await inHub()).join()).not.toContain(CANARY);
  });

  test('of what was on its way when rights were taken away', async () => {
    await stage.deps.store.commit(TEST_AUDIT, async (tx) =>
      writeMirror(stage.deps, tx, await talk(), { direction: 'in', text: CANARY, label: makeLabel(1) }),
    );
    await stage.engine.revoked(OPERATOR);
    expect((await copies()).map((copy) => copy.state)).toEqual(['void']);
  });
});

test('an agreement is of one account, not of everything a person has', async () => {
  const other: Identity = {
    id: 'idnt_00000000000000000009',
    connector: 'chat',
    externalId: 'olga-2',
    user: OPERATOR as UserId,
    displayName: 'olga',
    createdAt: 1,
    mirrorAgreedAt: 1,
  };
  await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
    await tx.update('identity_link', { externalId: 'olga' }, { mirrorAgreedAt: undefined });
    await tx.insert('identity_link', other);
  });
  await talked(CANARY);
  expect(await copies()).toEqual([]);
});
