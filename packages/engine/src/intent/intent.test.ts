import { memoryLive } from '@agent-runtime/adapters';
import { makeLabel, principalKey } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Arrival } from '../api.ts';
import { NOT_VALID } from '../ingest/press.ts';
import { watchable } from '../presence/watched.fixture.ts';
import { PLATFORM_IDS, useStage } from '../run/run.fixture.ts';
import { must, signed, TEST_AUDIT, tamper } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.deps.store.read;
const BOSS = must(PLATFORM_IDS.boss);
const MIA = must(PLATFORM_IDS.mia);
const HOUR_MS = 3_600_000;

interface Card {
  readonly button: string;
  readonly message: string;
  readonly text: string;
}

const sent = () => stage.world.chat.sent.map(({ payload }) => payload);
const arrived = async (): Promise<void> =>
  until(
    async () => (await read().count('effect', { state: { in: ['approved', 'performing'] } })) === 0,
    'what leaves',
  );

/** The newest card with a button, as people see it. */
async function card(): Promise<Card> {
  await arrived();
  const shown = must(stage.world.chat.sent.findLast(({ payload }) => payload.buttons !== undefined));
  const [button] = shown.payload.buttons as readonly string[]; // safe: the fixture renders ids
  return { button: must(button), message: `${shown.effectId}/0`, text: String(shown.payload.text) };
}

let pressed = 0;
function press(
  one: Card,
  more: { readonly by?: string; readonly channel?: string; readonly id?: string } = {},
) {
  pressed += 1;
  const sender = more.by ?? 'mia';
  const arrival: Arrival = {
    event: {
      source: 'chat:test',
      externalId: more.id ?? `press-${pressed}`,
      kind: 'button',
      channel: { id: more.channel ?? 'ops-channel', kind: 'channel', title: 'Ops' },
      sender: { id: sender, displayName: sender, isBot: false },
      text: '',
      message: one.message,
      buttonId: one.button,
      isAddressed: true,
      isRelayed: false,
      sentAt: stage.world.clock.nowMs(),
    },
    door: 'chat',
    conversationKey: 'ops',
  };
  return stage.engine.accept(arrival);
}

beforeEach(async () => {
  await stage.restart({
    connectors: watchable(stage, memoryLive(stage.world.clock, 800)).map(({ live: _live, ...one }) => one),
  });
});

describe('where tasks are acknowledged', () => {
  test('/task is answered at once with what was understood, and begins at once', async () => {
    const gate = Promise.withResolvers<void>();
    stage.script = () => [
      { kind: 'hold', until: gate.promise },
      { kind: 'text', delta: 'Done.' },
    ];
    const accepted = await stage.tell('/task water the plants', { externalId: 'q7' });
    await until(() => stage.provider.requests.length === 1, 'the model is asked');
    await until(() => sent().length === 1, 'the words');
    expect(sent()).toMatchObject([
      { text: 'Understood: I work on “water the plants” and answer here.', replyTo: 'q7' },
    ]);
    gate.resolve();
    await stage.settled(accepted.run);
    expect(stage.heard.at(-1)).toBe('Done.');
    // Said, and kept out of prompts.
    expect(
      stage.provider.requests
        .at(-1)
        ?.messages.map(({ text }) => text)
        .join(),
    ).not.toContain('Understood');
  });

  test('research is said to be research, long and many-lined wishes on one short line', async () => {
    const accepted = await stage.tell(`/task research ${'one\n two '.repeat(60)}`);
    await stage.settled(accepted.run);
    const [words] = stage.heard;
    expect(words).toMatch(/^Understood: I look into “research one two .*…” and answer with what I find\.$/);
    expect(must(words).length).toBeLessThanOrEqual(200);
  });

  test('links and calls in a wish do nothing in the words about it', async () => {
    const accepted = await stage.tell('/task read https://evil.example/x for @everyone');
    await stage.settled(accepted.run);
    expect(stage.heard[0]).not.toMatch(/https:\/\/evil|@everyone/);
  });

  test('a repeat of the message says nothing twice', async () => {
    const first = await stage.tell('/task it', { externalId: 'same' });
    await stage.tell('/task it', { externalId: 'same' });
    await stage.settled(first.run);
    expect(stage.heard.filter((text) => text.startsWith('Understood'))).toHaveLength(1);
  });

  test.each([
    ['plain words', {}, 'water the plants'],
    ['a place without', { acknowledge: 'off' }, '/task it'],
    ['a place that wants answers only', { output: 'answers' }, '/task it'],
  ] as const)('nothing is said about %s', async (_name, settings, words) => {
    await stage.set(settings);
    const accepted = await stage.tell(words);
    await stage.settled(accepted.run);
    expect(stage.heard).toEqual(['ok']);
  });
});

describe('where a wish waits for an OK', () => {
  beforeEach(async () => {
    await stage.set({ acknowledge: 'confirm', timeZone: 'Europe/Berlin' });
  });

  test('nothing begins before; the OK begins it, and its card says so without a button', async () => {
    const asked = await stage.tell('/task research the weather', { externalId: 'q1' });
    expect(asked).toMatchObject({ outcome: 'command', isQueued: true });
    const one = await card();
    expect(sent()).toEqual([
      expect.objectContaining({
        text: 'Understood: I look into “research the weather” and answer with what I find.\nOK begins it; another message adds to it. Open until 2026-11-21 11:00 (Europe/Berlin).',
        replyTo: 'q1',
      }),
    ]);
    expect(await read().count('run', {})).toBe(0);
    expect(await read().get('task_intent', {})).toMatchObject({ state: 'asked', kind: 'research' });

    const begun = await press(one);
    await stage.settled(begun.run);
    expect(await read().get('task', { id: must(begun.task) })).toMatchObject({
      kind: 'research',
      title: 'research the weather',
      requester: { kind: 'user', user: MIA },
    });
    expect(sent()[1]).not.toHaveProperty('buttons');
    expect(sent().slice(1)).toMatchObject([
      { text: `Begun: “research the weather” (${begun.task})`, edits: one.message },
      { text: 'ok', replyTo: 'q1' },
    ]);
    expect(await read().get('task_intent', {})).toMatchObject({
      state: 'begun',
      task: begun.task,
      run: begun.run,
    });
    expect((await read().get('approval_button', { id: one.button }))?.usedAt).toBeDefined();
  });

  test('two OKs at the same time make one task', async () => {
    await stage.tell('/task it');
    const one = await card();
    const both = await Promise.all([press(one), press(one)]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'run']);
    expect(both.find(({ outcome }) => outcome === 'refused')?.reply).toBe('It has begun already.');
    expect(await read().count('task', { kind: 'chat', title: 'it' })).toBe(1);
    const third = await press(one, { id: 'again' });
    expect(third).toMatchObject({ outcome: 'refused', reply: NOT_VALID });
    await stage.settled(both.find(({ run }) => run !== undefined)?.run);
  });

  test('a further message of the same person is added to it; the older button counts no more', async () => {
    await stage.tell('/task plan the party');
    const old = await card();
    await stage.tell('with a cake');
    const now = await card();
    await arrived();
    expect(now.text).toContain('plan the party Added later: with a cake');
    expect(sent()).toContainEqual({
      text: 'Understood anew below: “plan the party”',
      edits: old.message,
    });
    expect(await press(old)).toMatchObject({
      outcome: 'refused',
      reply: expect.stringContaining('the newer message has the button'),
    });
    expect(await read().count('run', {})).toBe(0);
    const begun = await press(now);
    await stage.settled(begun.run);
    expect(stage.provider.requests[0]?.messages.at(-1)?.text).toContain(
      'plan the party\n\nAdded later: with a cake',
    );
  });

  test('what was added keeps what came with both, belongs to both, and is in prompts once', async () => {
    await stage.tell('/task look at this', { attachments: [{ kind: 'photo', id: 'a', name: 'a.png' }] });
    await tamper(stage.world, 'task_intent', { state: 'asked' }, { label: makeLabel(0, []) });
    await card();
    await stage.tell('and at this', { attachments: [{ kind: 'document', id: 'b', name: 'b.txt' }] });
    const said = await read().find('context_message', { direction: 'in' }, { orderBy: 'seq' });
    expect(said.map((one) => [one.isPromptable, one.attachments?.map(({ name }) => name)])).toEqual([
      [false, ['a.png']],
      [true, ['a.png', 'b.txt']],
    ]);
    expect(said[1]?.text).toBe('look at this\n\nAdded later: and at this');
    expect(said[1]?.label.integrity).toBe(0);
  });

  test('the OK asks for room as any question does', async () => {
    await stage.tell('/task it');
    const one = await card();
    await stage.set({ acknowledge: 'off', messagesPerMinute: 3 });
    const asked = [await stage.tell('a'), await stage.tell('b')];
    for (const { run } of asked) await stage.settled(run);
    await stage.set({ acknowledge: 'confirm', messagesPerMinute: 2 });
    expect(await press(one)).toMatchObject({ outcome: 'refused', reply: expect.stringContaining('2 times') });
    await stage.world.clock.advance(61_000);
    await stage.settled((await press(one, { id: 'later' })).run);
  });

  test('another /task takes its place; words of somebody else, passed on or not for us do not', async () => {
    await stage.tell('/task one');
    await stage.settled((await stage.tell('hello', { by: 'olga' })).run);
    await stage.settled((await stage.tell('look at this', { isRelayed: true })).run);
    await stage.tell('chatter', { isAddressed: false });
    expect(await read().find('task_intent', {})).toMatchObject([{ state: 'asked', text: 'one' }]);
    await stage.tell('/task two');
    expect(await read().find('task_intent', {}, { orderBy: 'text' })).toMatchObject([
      { state: 'superseded', text: 'one' },
      { state: 'asked', text: 'two' },
    ]);
  });

  test('only who asked can say OK, and only where it stands', async () => {
    await stage.tell('/task it');
    const one = await card();
    const none = { outcome: 'refused', reply: NOT_VALID };
    expect(await press(one, { by: 'boss' })).toMatchObject(none);
    expect(await press(one, { by: 'stranger-1' })).toMatchObject(none);
    expect(await press(one, { channel: 'news-channel' })).toMatchObject(none);
    expect(await press({ ...one, message: 'efct_other/0' })).toMatchObject(none);
    expect(await press({ ...one, button: 'forged' })).toMatchObject(none);
    expect(await read().count('run', {})).toBe(0);
  });

  test('a stranger’s wish is theirs alone: the presses of members leave one record a minute and no mark', async () => {
    await stage.tell('/task it');
    const one = await card();
    // As a stranger's is: no person stands on the button.
    const requester = { kind: 'guest', connector: 'chat', sender: 'stranger-1' };
    await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.update('approval_button', { id: one.button }, { person: undefined });
      await tx.update('task_intent', { state: 'asked' }, { requester: requester as never }); // safe: a guest
    });
    const before = (await stage.deps.audit.tail(1_000, { action: 'ingest.refuse' })).length;
    for (const id of ['b1', 'b2', 'b3'])
      expect(await press(one, { by: 'boss', id })).toMatchObject({ outcome: 'refused', reply: NOT_VALID });
    expect(await stage.deps.audit.tail(1_000, { action: 'ingest.refuse' })).toHaveLength(before + 1);
    expect(await read().count('ingest_event', { externalId: { in: ['b1', 'b2', 'b3'] } })).toBe(0);
  });

  test('nobody whose rights are gone meanwhile', async () => {
    await stage.tell('/task it');
    const one = await card();
    await stage.world.ungrant(MIA);
    expect(await press(one)).toMatchObject({ outcome: 'refused' });
    expect(await read().count('run', {})).toBe(0);
    expect(await read().get('task_intent', {})).toMatchObject({ state: 'asked' });
    await stage.world.grant(MIA, 'member');
    await stage.settled((await press(one)).run);
  });

  test('not under panic', async () => {
    await stage.tell('/task it');
    const one = await card();
    await stage.engine.panicOn(signed(BOSS));
    expect(await press(one)).toMatchObject({ outcome: 'refused', reply: expect.stringContaining('panic') });
    expect(await read().count('run', {})).toBe(0);
  });

  test('it ends after an hour, and its card says so', async () => {
    await stage.tell('/task it');
    const one = await card();
    await stage.world.clock.advance(HOUR_MS - 1);
    expect(await read().get('task_intent', {})).toMatchObject({ state: 'asked' });
    // Before the sweep has come by, too.
    stage.world.clock.jumpWall(1);
    expect(await press(one)).toMatchObject({ outcome: 'refused', reply: NOT_VALID });
    await stage.settled((await stage.tell('and more')).run);
    await stage.world.clock.advance(60_000);
    await until(async () => (await read().get('task_intent', {}))?.state === 'expired', 'the end');
    await arrived();
    expect(sent().at(-1)).toMatchObject({
      text: 'Not begun, for nobody said OK in time: “it”',
      edits: one.message,
    });
    expect(await press(one)).toMatchObject({ outcome: 'refused' });
    // Words after that are a message like any other.
    await stage.settled((await stage.tell('hello')).run);
  });

  test('a wish that grows too long is refused with words and stays as it was', async () => {
    await stage.tell(`/task ${'a'.repeat(stage.deps.config.maxPromptChars - 100)}`);
    const accepted = await stage.tell('b'.repeat(200));
    expect(accepted).toMatchObject({ outcome: 'refused', reply: expect.stringContaining('would be longer') });
    expect(await read().find('task_intent', {})).toMatchObject([{ state: 'asked' }]);
  });

  test('the question is asked also in a place that wants answers only', async () => {
    await stage.set({ acknowledge: 'confirm', output: 'answers' });
    await stage.tell('/task it');
    await stage.settled((await press(await card())).run);
  });

  test('a guest who may ask says OK to their own wish, and nobody else does', async () => {
    await stage.set({ acknowledge: 'confirm', guests: 'ask' });
    await stage.tell('/task it', { by: 'guest-1' });
    const one = await card();
    expect((await read().get('approval_button', { id: one.button }))?.person).toBeUndefined();
    expect(await press(one, { by: 'guest-2' })).toMatchObject({ outcome: 'refused' });
    const begun = await press(one, { by: 'guest-1' });
    await stage.settled(begun.run);
    const task = await read().get('task', { id: must(begun.task) });
    expect(principalKey(must(task).requester)).toContain('guest-1');
  });

  test('a death right after the OK begins nothing twice, one before it loses nothing', async () => {
    await stage.tell('/task it');
    const one = await card();
    await stage.crash({ connectors: stage.deps.connectors });
    stage.script = () => [{ kind: 'hang' }];
    const begun = await press(one, { id: 'the-ok' });
    await until(() => stage.provider.requests.length === 1, 'the model is asked');
    stage.script = () => [{ kind: 'text', delta: 'Done.' }];
    await stage.crash({ connectors: stage.deps.connectors });
    expect(await press(one, { id: 'the-ok' })).toMatchObject({ isRepeat: true, run: begun.run });
    expect(await press(one)).toMatchObject({ outcome: 'refused', reply: NOT_VALID });
    await until(async () => (await stage.run(begun.run)).state === 'succeeded', 'the end');
    expect(await read().count('task', { title: 'it' })).toBe(1);
  });

  test('each move is a fact in the log', async () => {
    await stage.tell('/task one');
    await card();
    await stage.tell('and two');
    await stage.settled((await press(await card())).run);
    const intents = await read().find('task_intent', {}, { orderBy: 'text' });
    expect(await stage.world.actions(must(intents[0]).id)).toEqual(['intent.ask', 'intent.supersede']);
    expect(await stage.world.actions(must(intents[1]).id)).toEqual(['intent.ask', 'intent.begin']);
  });
});
