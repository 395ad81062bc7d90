import {
  type Context,
  type Draft,
  type Hub,
  type Label,
  makeLabel,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { edit } from '../approval/index.ts';
import { closeGate } from '../gate/gate.ts';
import { scriptedConnector } from '../settle/outside.fixture.ts';
import {
  askPost,
  BOSS,
  contextRow,
  HERE_LABEL,
  inChat,
  MEMBER,
  must,
  OPERATOR,
  ORIGIN,
  proposePost,
  proposeWrite,
  runOutbox,
  TEST_AUDIT,
  useWorld,
  WORKSPACE,
} from '../settle/world.fixture.ts';

const at = useWorld();
const STAFF = 'staff' as Context['id']; // safe: a slug
const BETA = 'beta' as WorkspaceId; // safe: a slug
const CANARY = 'canary-5170';

/** The hub at `staff-channel`, whose context is in another workspace than the questions. */
async function hub(more: Partial<Hub> = {}): Promise<Hub> {
  const { deps, clock } = at.world;
  const row: Hub = {
    id: deps.ids.make('hub'),
    state: 'active',
    connector: 'chat',
    account: 'test',
    channel: 'staff-channel',
    context: STAFF,
    workspace: BETA,
    askedBy: OPERATOR,
    askedAt: clock.nowMs(),
    expiresAt: clock.nowMs(),
    clearedFor: [WORKSPACE],
    ...more,
  };
  await deps.store.commit(TEST_AUDIT, (tx) => tx.insert('hub', row));
  return row;
}
const change = (table: 'hub' | 'context', where: object, patch: object) =>
  at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.update(table, where, patch));
const cards = () =>
  at.world.deps.store.read.find('effect', { kind: 'message.card' }, { orderBy: 'createdAt' });
/** Proposes, lets the outbox work, and gives what arrived in the hub. */
async function heard(text = CANARY, label?: Label): Promise<readonly string[]> {
  await proposePost(at.world, text, label === undefined ? {} : { label });
  await runOutbox(at.world);
  const ids = new Set((await cards()).map((card) => card.id as string));
  return at.world.chat.sent.filter((one) => ids.has(one.effectId)).map((one) => String(one.payload.text));
}

beforeEach(async () => {
  const { deps } = at.world;
  const known = must(await deps.store.read.get('workspace', { id: WORKSPACE }));
  await deps.store.commit(TEST_AUDIT, async (tx) => {
    await tx.insert('workspace', { ...known, id: BETA, title: 'Beta' });
    await tx.insert('context', { ...contextRow(STAFF, 'staff-channel', 1), workspace: BETA });
  });
});

describe('a card in the admin hub', () => {
  test('shows the words of a question where the hub is cleared, and how to answer', async () => {
    const { context } = await hub();
    const [text, ...more] = await heard();
    expect(more).toEqual([]);
    expect(text).toContain(`> ${CANARY}`);
    expect(text).toContain('Answer: /approve appr_');
    expect(text).toContain(`It came up in ${WORKSPACE}/${ORIGIN}.`);
    expect(await cards()).toMatchObject([
      {
        class: 'E0',
        decision: 'permit',
        context,
        workspace: BETA,
        state: 'done',
        sink: { connector: 'chat', account: 'test', address: 'staff-channel' },
      },
    ]);
  });

  test('is no message of the conversation there', async () => {
    await hub();
    await heard();
    expect(await at.world.deps.store.read.count('context_message', { context: STAFF })).toBe(0);
  });

  test.each<[string, Partial<Hub>, Label | undefined]>([
    ['of a workspace that the hub is not cleared for', { clearedFor: [BETA] }, undefined],
    ['whose text is public, of such a workspace', { clearedFor: [BETA] }, makeLabel(1, [])],
    ['whose text is private', {}, makeLabel(1, [`priv:${MEMBER}`])],
    ['that holds something of another workspace', {}, makeLabel(1, [`ws:${WORKSPACE}`, 'ws:gamma' as never])],
  ])('of a question %s says id and kind, and not a word of it', async (_what, row, label) => {
    await hub(row);
    const decision = await askPost(at.world, HERE_LABEL);
    const { effect, approval } = await proposePost(at.world, CANARY, { decision, ...(label && { label }) });
    await runOutbox(at.world);
    const [card] = await cards();
    const text = String(must(card).payloads[0]?.text);
    expect(text).toContain(approval.id);
    // No client makes a link of it.
    expect(text).toContain(effect.kind.replace('.', '[.]'));
    expect(text).toContain('Open it in the TUI');
    expect(must(card).label.audience).toEqual([]);
    expect(must(card).state).toBe('done');
    const toHub = JSON.stringify(await cards());
    expect(toHub).not.toContain(CANARY);
    expect(toHub).not.toContain('news-channel');
  });

  test('is one per question and hub; an edit is a new question', async () => {
    await hub();
    const { approval } = await proposePost(at.world, 'hello');
    expect(await cards()).toHaveLength(1);
    await edit(at.world.deps, approval.id, 'hello again', inChat(OPERATOR));
    expect(await cards()).toHaveLength(2);
  });

  test('also tells of files, and of what comes up on other connectors in a workspace it is cleared for', async () => {
    await hub();
    await change('context', { id: ORIGIN }, { connector: 'cli' });
    await proposeWrite(at.world, 'AGENTS.md', CANARY);
    expect(JSON.stringify(await cards())).toContain('AGENTS.md');
  });

  test.each([
    ['is named where the hub is cleared', WORKSPACE, true],
    ['is not named where it is not', BETA, false],
  ])('the number of approvers %s', async (_what, clearedFor, isNamed) => {
    await hub({ clearedFor: [clearedFor] });
    const settings = { approversForHigh: 9 };
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('workspace', { id: WORKSPACE }, { settings }),
    );
    await proposeWrite(at.world, 'AGENTS.md', 'rules');
    expect(JSON.stringify(await cards()).includes('Policy wants 9')).toBe(isNamed);
  });

  test('says nothing of other connectors in a workspace that it is not cleared for', async () => {
    await hub({ clearedFor: [BETA] });
    await change('context', { id: ORIGIN }, { connector: 'cli' });
    await proposeWrite(at.world, 'AGENTS.md', CANARY);
    expect(await cards()).toEqual([]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['while it is only asked for', () => hub({ state: 'asked' })],
    ['where there is none', async () => undefined],
    ['where the question came up there itself', () => hub({ context: ORIGIN, channel: 'ops-channel' })],
    [
      'once strangers may read there',
      async () => [await hub(), await change('context', { id: STAFF }, { openness: 'open' })],
    ],
    [
      'once its context is bound elsewhere',
      async () => [await hub(), await change('context', { id: STAFF }, { channel: 'x' })],
    ],
    ['behind the gate', async () => [await hub(), await closeGate(at.world.deps, 'test')]],
    ['where answers are fetched', async () => hub({ connector: 'cli', channel: 'staff-channel' })],
  ])('is not made %s', async (_what, arrange) => {
    const decision = await askPost(at.world, HERE_LABEL);
    await arrange();
    await proposePost(at.world, CANARY, { decision });
    expect(await cards()).toEqual([]);
  });

  test('that its connector cannot render undoes nothing of the question', async () => {
    await hub();
    const chat = scriptedConnector();
    const isCard = (text: string): boolean => text.includes('It came up in');
    const connectors = [
      { ...chat, render: (draft: Draft) => (isCard(draft.text) ? [] : [{ text: draft.text }]) },
    ];
    const { approval } = await proposePost({ ...at.world, deps: { ...at.world.deps, connectors } }, 'hello');
    expect((await at.world.approval(approval.id)).state).toBe('pending');
    expect((await at.world.deps.audit.tail(9, { action: 'notify.fail' })).map((one) => one.context)).toEqual([
      STAFF,
    ]);
    expect(await cards()).toEqual([]);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'the hub has moved',
      () => change('hub', { connector: 'chat' }, { context: ORIGIN }),
      'not the admin hub',
    ],
    ['the hub has ended', () => removeHubs(), 'not the admin hub'],
    [
      'the place was opened',
      () => change('context', { id: STAFF }, { openness: 'open' }),
      'not the admin hub',
    ],
    [
      'its clearance was narrowed',
      () => change('hub', { connector: 'chat' }, { clearedFor: [BETA] }),
      'do not read here',
    ],
    ['the owner of the place has no role', () => at.world.ungrant(BOSS), 'no longer has the role'],
  ])('that is on its way does not leave when %s', async (_what, arrange, why) => {
    await hub();
    await proposePost(at.world, CANARY);
    await arrange();
    await runOutbox(at.world);
    const [card] = await cards();
    expect(card).toMatchObject({ state: 'denied' });
    expect(must(card).error?.message).toContain(why);
    expect(at.world.chat.sent.filter((one) => one.effectId === must(card).id)).toEqual([]);
  });
});

function removeHubs(): Promise<unknown> {
  return at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('hub', { connector: 'chat' }));
}
