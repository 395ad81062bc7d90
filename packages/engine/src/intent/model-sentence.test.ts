import { fail, memoryLive, type ScriptedMove } from '@agent-runtime/adapters';
import { type ModelRoute, makeLabel } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { watchable } from '../presence/watched.fixture.ts';
import { PLATFORM_IDS, ROUTE, say, useStage } from '../run/run.fixture.ts';
import { must, signed, tamper } from '../settle/world.fixture.ts';
import { sentenceOf } from './model-sentence.ts';

const SMALL: ModelRoute = { ...ROUTE, name: 'small', model: 'small-1', taskKinds: ['triage'] };
const stage = useStage();
const read = () => stage.deps.store.read;
const MIA = must(PLATFORM_IDS.mia);
const RULED = 'Understood: I work on “it” and answer here.';

/** What the small model says; the big one waits for `go`. */
function models(small: readonly ScriptedMove[]): { readonly go: () => void } {
  const gate = Promise.withResolvers<void>();
  stage.script = ({ request }) =>
    request.model === SMALL.model ? small : [{ kind: 'hold', until: gate.promise }, ...say('Done.')];
  return { go: gate.resolve };
}
const open = async (routes: readonly ModelRoute[] = [ROUTE, SMALL]): Promise<void> =>
  stage.restart({
    routes,
    connectors: watchable(stage, memoryLive(stage.world.clock, 800)).map(({ live: _live, ...one }) => one),
  });
const heard = (count: number): Promise<void> => until(() => stage.heard.length >= count, `${count} messages`);
const smallCalls = () => stage.provider.requests.filter(({ model }) => model === SMALL.model);

beforeEach(() => open());

describe('the sentence of a small model', () => {
  test('is said as soon as it is there; the task begins without it', async () => {
    const { go } = models(say('I will water the plants.'));
    const accepted = await stage.tell('/task water the plants', { externalId: 'q1' });
    await heard(1);
    expect(stage.world.chat.sent[0]?.payload).toMatchObject({
      text: 'I will water the plants.',
      replyTo: 'q1',
    });
    await until(() => stage.provider.requests.length === 2, 'the work itself');
    go();
    await stage.settled(accepted.run);
    expect(stage.heard).toEqual(['I will water the plants.', 'Done.']);
    expect(smallCalls()[0]?.messages.at(-1)?.text).toBe('The request: "water the plants"');
    expect(smallCalls()[0]?.tools).toEqual([]);
    const [entry] = await read().find('ledger_entry', { route: 'small' });
    expect(entry).toMatchObject({ state: 'settled', sender: MIA });
    expect((await read().get('context_message', { text: 'I will water the plants.' }))?.label.integrity).toBe(
      1,
    );
  });

  test('stands on the card of a wish that waits', async () => {
    await stage.set({ acknowledge: 'confirm' });
    models(say('I will look it up.'));
    expect(await stage.tell('/task it')).toMatchObject({ outcome: 'command', isQueued: true });
    await heard(1);
    expect(stage.heard[0]).toMatch(/^I will look it up\.\nOK begins it;/);
    expect(await read().count('run', {})).toBe(0);
    const intent = must(await read().get('task_intent', {}));
    expect(await read().get('approval_button', { intent: intent.id })).toMatchObject({
      person: MIA,
      card: intent.card,
    });
  });

  test('a wish that cannot be shown when the words are there waits for nobody', async () => {
    await stage.set({ acknowledge: 'confirm' });
    const gate = Promise.withResolvers<void>();
    stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('I will look it up.')];
    await stage.tell('/task it');
    await until(() => smallCalls().length === 1, 'the question to the model');
    // What belongs to another place may not be shown here.
    await tamper(stage.world, 'task_intent', { state: 'asked' }, { label: makeLabel(1, ['ctx:other/x']) });
    gate.resolve();
    await until(async () => (await read().get('task_intent', {}))?.state === 'expired', 'the end');
    expect(stage.heard).toEqual([]);
    expect((await stage.deps.journal.get(must(await read().get('task_intent', {})).id))?.state).toBe('done');
    // Words after that are a message like any other.
    expect(await stage.tell('hello')).toMatchObject({ outcome: 'run' });
  });

  test.each([
    ['a failure', fail('rejected')],
    ['an endless wait', [{ kind: 'hang' } as const]],
    ['a link', say('I read https://evil.example for you.')],
    ['a masked link', say('I read [this](evil.example/x).')],
    ['many lines', say('I do.\n\nIgnore the rest.')],
    ['far too many words', say('word '.repeat(100))],
    ['nothing', [{ kind: 'text', delta: ' ' } as const]],
  ])('gives way to the rules after %s', async (_name, small) => {
    const { go } = models(small);
    const accepted = await stage.tell('/task it');
    await until(() => smallCalls().length === 1, 'the small model');
    await stage.world.clock.advance(5_000);
    await heard(1);
    expect(stage.heard).toEqual([RULED]);
    go();
    await stage.settled(accepted.run);
    expect(await read().count('ledger_entry', { state: 'reserved' })).toBe(0);
  });

  test('gives way when the budget is spent, and costs nothing then', async () => {
    await stage.set({ acknowledge: 'confirm', budget: { tokensPerDay: 1 } });
    models(say('I will.'));
    await stage.tell('/task it');
    await heard(1);
    expect(stage.heard[0]).toContain(RULED);
    expect(smallCalls()).toEqual([]);
  });

  test.each([
    ['no model is made for small work', [ROUTE, { ...SMALL, taskKinds: [] }]],
    ['it is the offline responder', [ROUTE, { ...SMALL, provider: 'offline' }]],
    ['it may not read the words', [ROUTE, { ...SMALL, clearance: { kind: 'tags', tags: [] } }]],
  ] as const)('is not asked for where %s', async (_name, routes) => {
    await open(routes);
    const accepted = await stage.tell('/task it');
    await stage.settled(accepted.run);
    expect(stage.heard).toEqual([RULED, 'ok']);
    expect(await read().count('task_intent', {})).toBe(0);
  });

  test('comes too late for a task that is over', async () => {
    const gate = Promise.withResolvers<void>();
    stage.script = ({ request }) =>
      request.model === SMALL.model
        ? [{ kind: 'hold', until: gate.promise }, ...say('I will.')]
        : say('Done.');
    const accepted = await stage.tell('/task it');
    await stage.settled(accepted.run);
    gate.resolve();
    await until(
      async () => (await stage.deps.journal.list({ state: 'running', limit: 9 })).length === 0,
      'rest',
    );
    expect(stage.heard).toEqual(['Done.']);
    expect(await read().count('effect', {})).toBe(1);
  });

  test('is not said after a revocation or under panic', async () => {
    await stage.set({ acknowledge: 'confirm' });
    const { go } = models([{ kind: 'hang' }]);
    await stage.tell('/task it');
    await until(() => smallCalls().length === 1, 'the small model');
    await stage.world.ungrant(MIA);
    await stage.engine.revoked(MIA);
    await until(
      async () => (await stage.deps.journal.list({ state: 'running', limit: 9 })).length === 0,
      'rest',
    );
    await stage.world.grant(MIA, 'member');
    await stage.tell('/task it', { key: 'another' });
    await until(() => smallCalls().length === 2, 'the small model');
    await stage.engine.panicOn(signed(must(PLATFORM_IDS.boss)));
    await until(
      async () => (await stage.deps.journal.list({ state: 'running', limit: 9 })).length === 0,
      'rest',
    );
    go();
    await stage.world.clock.advance(10_000);
    expect(await read().count('effect', {})).toBe(0);
    expect(await read().count('context_message', { direction: 'out' })).toBe(0);
    expect(stage.heard).toEqual([]);
  });

  test('is asked for again after a crash, and said once', async () => {
    await stage.set({ acknowledge: 'confirm' });
    models([{ kind: 'hang' }]);
    await stage.tell('/task it');
    await until(() => smallCalls().length === 1, 'the small model');
    models(say('I will look it up.'));
    await stage.crash({ routes: [ROUTE, SMALL], connectors: stage.deps.connectors });
    await heard(1);
    await stage.crash({ routes: [ROUTE, SMALL], connectors: stage.deps.connectors });
    await stage.world.clock.settle();
    expect(stage.heard).toHaveLength(1);
    expect(smallCalls()).toHaveLength(2);
    expect(await read().count('approval_button', {})).toBe(1);
  });
});

test.each([
  ['I will look it up.', 'I will look it up.'],
  ['  I will\n', 'I will'],
  ['see www.evil.example', undefined],
  ['`code`', undefined],
  ['', undefined],
])('a sentence is one plain short line: %j', (text, sentence) => {
  expect(sentenceOf(text)).toBe(sentence);
});
