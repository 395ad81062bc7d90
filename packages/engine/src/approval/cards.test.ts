import { type Context, type Draft, type Hub, makeLabel, type WorkspaceId } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Effects, makeEffects } from '../effects.ts';
import { closeGate } from '../gate/gate.ts';
import { fault, scriptedConnector } from '../settle/outside.fixture.ts';
import {
  arrivedOf,
  askPost,
  BOSS,
  contextRow,
  HERE_LABEL,
  inChat,
  MEMBER,
  must,
  OPERATOR,
  proposePost,
  proposeWrite,
  SECOND,
  signed,
  TEST_AUDIT,
  tamper,
  useWorld,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { pruneButtons, refreshCards } from './cards.ts';

const at = useWorld();
const STAFF = 'staff' as Context['id']; // safe: a slug
const BETA = 'beta' as WorkspaceId; // safe: a slug
const CANARY = 'canary-5170';
let effects: Effects;

beforeEach(async () => {
  effects = makeEffects(at.world.deps, { abortRuns: () => {} });
  await effects.start();
});

const buttons = (where: object = {}) => at.world.deps.store.read.find('approval_button', where);
const unused = () => buttons({ usedAt: { isNull: true } });
/** Everything that replaced a message so far, oldest first: what it replaced, and its first line. */
async function updates(): Promise<readonly { readonly edits: string; readonly text: string }[]> {
  await effects.outbox.idle();
  return at.world.chat.sent
    .filter((one) => one.payload.edits !== undefined)
    .map(({ payload }) => ({ edits: String(payload.edits), text: String(payload.text) }));
}
const firstLines = async () => (await updates()).map(({ text }) => text.split('\n')[0] ?? '');
async function ask(text = CANARY) {
  const asked = await proposePost(at.world, text);
  effects.outbox.wake();
  await effects.outbox.idle();
  const card = must((await buttons({ approval: asked.approval.id }))[0]).card;
  return { ...asked, id: asked.approval.id, card, message: `${card}/0` };
}

/** A hub whose context is in another workspace. */
async function hub(clearedFor: readonly WorkspaceId[]): Promise<void> {
  const { deps, clock } = at.world;
  const known = must(await deps.store.read.get('workspace', { id: WORKSPACE }));
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
    clearedFor,
  };
  await deps.store.commit(TEST_AUDIT, async (tx) => {
    await tx.insert('workspace', { ...known, id: BETA, title: 'Beta' });
    await tx.insert('context', { ...contextRow(STAFF, 'staff-channel', 1), workspace: BETA });
    await tx.insert('hub', row);
  });
}

describe('the card of a question that was decided', () => {
  test('says who approved it, then that it is done; its own message, no buttons, once each', async () => {
    const { id, message, effect } = await ask();
    await effects.approve(id, effect.digest, signed(OPERATOR));
    expect(await updates()).toEqual([
      {
        edits: message,
        text: `${id} was approved and is on its way. Approved: olga.\n${effect.summary}\n> ${CANARY}`,
      },
      {
        edits: message,
        text: `${id} was approved and is done. Approved: olga.\n${effect.summary}\n> ${CANARY}`,
      },
    ]);
    expect(await unused()).toEqual([]);
    await effects.sweep();
    expect(await updates()).toHaveLength(2);
  });

  test.each<[string, (id: never, digest: never) => Promise<unknown>, RegExp]>([
    ['denied', (id) => effects.deny(id, 'not on a Sunday', inChat(SECOND)), /was denied .* Said no: otto\.$/],
    ['withdrawn', (id) => effects.withdraw(id, inChat(MEMBER)), /was taken back by whoever asked\.$/],
    [
      'expired',
      async (id) => {
        await tamper(at.world, 'approval', { id }, { expiresAt: at.world.clock.nowMs() + 1 });
        await at.world.clock.advance(1);
        await effects.sweep();
      },
      /has expired\.$/,
    ],
    [
      'voided by a lost right',
      async () => {
        await effects.revoked(MEMBER);
      },
      /is void/,
    ],
  ])('says that it was %s', async (_what, decideIt, words) => {
    const { id, message, effect } = await ask();
    await decideIt(id as never, effect.digest as never); // safe: of the right form
    const [only, ...more] = await updates();
    expect(more).toEqual([]);
    expect(only?.edits).toBe(message);
    expect((await firstLines())[0]).toMatch(words);
    expect(JSON.stringify(only)).not.toContain('Sunday');
    expect(await unused()).toEqual([]);
  });

  test('says that it was superseded, while the new one has buttons of its own', async () => {
    const { id } = await ask();
    const next = await effects.edit(id, 'other words', inChat(OPERATOR));
    expect(await firstLines()).toEqual([`${id} was replaced by other words; a new card asks for them.`]);
    expect(new Set((await unused()).map((button) => button.approval))).toEqual(new Set([next.approval.id]));
  });

  test.each<[string, string, RegExp]>([
    ['rejected', 'rejected', /refused outside/],
    ['uncertain', 'uncertain', /may or may not have happened/],
  ])('says that the outside left it %s', async (_what, kind, words) => {
    const { id, effect } = await ask();
    at.world.chat.onDeliver = (sent) => {
      if (sent.effectId === effect.id) throw fault(kind);
    };
    await effects.approve(id, effect.digest, signed(OPERATOR));
    expect((await firstLines()).at(-1)).toMatch(words);
  });

  test('says what a person found of an uncertain one', async () => {
    const { effect, id } = await ask();
    at.world.chat.onDeliver = (sent) => {
      if (sent.effectId === effect.id) throw fault('uncertain');
    };
    await effects.approve(id, effect.digest, signed(OPERATOR));
    await updates();
    expect((await unused()).length).toBeGreaterThan(0);
    await effects.resolve(effect.id, 'sent', signed(BOSS));
    expect((await firstLines()).at(-1)).toMatch(/approved and is done/);
    expect(await unused()).toEqual([]);
  });

  test('says once that it is on its way, however often it is looked at', async () => {
    const { id, effect } = await ask();
    const hold = Promise.withResolvers<void>();
    at.world.chat.onDeliver = async (sent) => {
      if (sent.effectId === effect.id) await hold.promise;
    };
    await effects.approve(id, effect.digest, signed(OPERATOR));
    await at.world.clock.settle();
    expect(await refreshCards(at.world.deps)).toBe(0);
    await effects.sweep();
    hold.resolve();
    expect((await firstLines()).map((line) => /is on its way|is done/.exec(line)?.[0])).toEqual([
      'is on its way',
      'is done',
    ]);
  });

  test('stays as it is while more must agree', async () => {
    const settings = { approversForHigh: 2 };
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('workspace', { id: WORKSPACE }, { settings }),
    );
    await at.world.grant(SECOND, 'admin');
    const { approval, effect } = await proposeWrite(at.world, 'AGENTS.md', 'rules');
    effects.outbox.wake();
    await effects.outbox.idle();
    await effects.approve(approval.id, effect.digest, signed(BOSS));
    expect(await updates()).toEqual([]);
    await effects.approve(approval.id, effect.digest, signed(SECOND));
    expect((await firstLines())[0]).toMatch(/Approved: boss, otto\.$/);
  });

  test('that had not arrived when it was decided says so as soon as it has', async () => {
    at.world.chat.script = [{ kind: 'throw', error: fault('unavailable') }];
    const asked = await proposePost(at.world, CANARY);
    effects.outbox.wake();
    await effects.outbox.idle();
    await effects.deny(asked.approval.id, '', inChat(OPERATOR));
    expect(await updates()).toEqual([]);
    await at.world.clock.advance(1_000);
    expect((await firstLines()).length).toBe(1);
    expect(await unused()).toEqual([]);
  });

  test('that never arrived is not written to', async () => {
    at.world.chat.script = [{ kind: 'throw', error: fault('rejected') }];
    const { id } = await ask();
    await effects.deny(id, '', inChat(OPERATOR));
    expect(await updates()).toEqual([]);
    expect(await unused()).toEqual([]);
  });

  test('that its connector cannot render undoes nothing of the decision', async () => {
    const { id } = await ask();
    const chat = scriptedConnector();
    const connectors = [
      { ...chat, render: (draft: Draft) => (draft.edits === undefined ? [{ text: draft.text }] : []) },
    ];
    const blind = makeEffects({ ...at.world.deps, connectors }, { abortRuns: () => {} });
    await blind.deny(id, '', inChat(OPERATOR));
    expect((await at.world.approval(id)).state).toBe('denied');
    const [event] = await at.world.deps.audit.tail(9, { action: 'notify.fail' });
    expect(event?.data.error).toBe('effect.payload.invalid');
  });
});

describe('in the hub', () => {
  const inHub = async () => {
    await effects.outbox.idle();
    const ids = new Set(
      (await at.world.deps.store.read.find('effect', { context: STAFF })).map((effect) => String(effect.id)),
    );
    return at.world.chat.sent.filter((one) => ids.has(one.effectId)).map((one) => String(one.payload.text));
  };

  test('a card says the same with all words where the hub is cleared', async () => {
    await hub([WORKSPACE]);
    const { id } = await ask();
    await effects.deny(id, '', inChat(OPERATOR));
    expect((await inHub()).at(-1)).toMatch(new RegExp(`^${id} was denied[^]*Said no: olga[^]*> ${CANARY}$`));
    expect(await unused()).toEqual([]);
  });

  test('a bare card says the state and nothing else: no words, no names', async () => {
    await hub([BETA]);
    const { id } = await ask();
    await effects.deny(id, '', inChat(OPERATOR));
    expect(await inHub()).toHaveLength(2);
    expect((await inHub()).at(-1)).toBe(`${id} was denied and will not happen.`);
    expect((await inHub()).join()).not.toContain(CANARY);
  });

  test('a card that was cleared says no word more once it is not', async () => {
    await hub([WORKSPACE]);
    const { id } = await ask();
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('hub', { context: STAFF }, { clearedFor: [BETA] }),
    );
    await effects.deny(id, '', inChat(OPERATOR));
    expect((await inHub()).at(-1)).toBe(`${id} was denied and will not happen.`);
  });

  test('nothing is said where the hub has ended', async () => {
    await hub([WORKSPACE]);
    const { id } = await ask();
    await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('hub', { context: STAFF }));
    await effects.deny(id, '', inChat(OPERATOR));
    expect(await inHub()).toHaveLength(1);
  });

  test('what the origin may not read is not said on its card either', async () => {
    const decision = await askPost(at.world, HERE_LABEL);
    const label = makeLabel(1, [`priv:${BOSS}`]);
    const { approval } = await proposePost(at.world, CANARY, { decision, label });
    effects.outbox.wake();
    await effects.outbox.idle();
    await effects.deny(approval.id, '', inChat(OPERATOR));
    expect((await updates()).map((one) => one.text)).toEqual([
      `${approval.id} was denied and will not happen.`,
    ]);
  });
});

describe('under panic and behind the gate', () => {
  test('nothing is said; afterwards every card says that it is void, once', async () => {
    const { id, message } = await ask();
    await effects.panicOn(signed(BOSS));
    await effects.sweep();
    expect(await updates()).toEqual([]);
    expect(await refreshCards(at.world.deps)).toBe(0);
    await effects.panicOff(signed(BOSS));
    expect(await updates()).toEqual([{ edits: message, text: expect.stringContaining(`${id} is void`) }]);
    await effects.sweep();
    expect(await updates()).toHaveLength(1);
  });

  test('a no under panic is said afterwards', async () => {
    const { id } = await ask();
    at.world.panic.turnOn('test', 0);
    await effects.deny(id, '', inChat(OPERATOR));
    // Nothing waits there for panic to end either.
    expect(await at.world.deps.store.read.count('effect', { state: 'approved' })).toBe(0);
    expect(await updates()).toEqual([]);
    at.world.panic.turnOff('test', 0);
    await effects.sweep();
    expect((await firstLines())[0]).toMatch(/was denied/);
  });

  test('an approved one that was on its way is uncertain on its card too', async () => {
    const { id, effect } = await ask();
    at.world.chat.onDeliver = (sent) => (sent.effectId === effect.id ? 'hang' : undefined);
    await effects.approve(id, effect.digest, signed(OPERATOR));
    await at.world.clock.settle();
    await effects.panicOn(signed(BOSS));
    await effects.outbox.idle();
    await effects.panicOff(signed(BOSS));
    expect((await firstLines()).at(-1)).toMatch(/may or may not have happened/);
    expect(arrivedOf(at.world, effect.id)).toEqual([]);
  });

  test('behind the gate nothing is said until it is opened', async () => {
    await ask();
    await closeGate(at.world.deps, 'test');
    expect(await refreshCards(at.world.deps)).toBe(0);
    await effects.openGate(signed(BOSS));
    expect((await firstLines())[0]).toMatch(/is void/);
  });
});

describe('another process', () => {
  test('says what the dead one did not, once', async () => {
    const { id, approval } = await ask();
    // The decision stands, the word about it does not: as after a restore of rows, or a version that wrote none.
    await tamper(at.world, 'approval', { id }, { state: 'denied' });
    await tamper(at.world, 'effect', { id: approval.effect }, { state: 'denied' });
    await effects.drain(0);
    await at.restart();
    effects = makeEffects(at.world.deps, { abortRuns: () => {} });
    await effects.start();
    expect(await firstLines()).toEqual([expect.stringMatching(/was denied/)]);
    expect(await refreshCards(at.world.deps)).toBe(0);
  });

  test('forgets buttons that were over long ago, and no others', async () => {
    const { id } = await ask('old');
    await effects.withdraw(id, inChat(MEMBER));
    const longAgo = at.world.clock.nowMs() - 90 * 86_400_000;
    await tamper(at.world, 'approval_button', { approval: id }, { expiresAt: longAgo });
    expect(await pruneButtons(at.world.deps)).toBe(0);
    await tamper(at.world, 'approval_button', { approval: id }, { expiresAt: longAgo - 1 });
    const { id: fresh } = await ask('new');
    expect(await pruneButtons(at.world.deps)).toBe(3);
    expect(new Set((await buttons()).map((button) => button.approval))).toEqual(new Set([fresh]));
    expect(await pruneButtons(at.world.deps)).toBe(0);
  });
});
