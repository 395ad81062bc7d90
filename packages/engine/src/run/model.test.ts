import { fail, scriptedProvider } from '@agent-runtime/adapters';
import type { LlmProvider, ModelRoute } from '@agent-runtime/domain';
import { type MemoryLiveFeed, until } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { inChat, MEMBER, must, WORKSPACE } from '../settle/world.fixture.ts';
import { callTool, ROUTE, replies, say, shownTo, useStage } from './run.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const ledger = () => read().find('ledger_entry', {}, { orderBy: 'at' });
const ask = async (text = 'a question', by = 'mia') =>
  stage.settled((await stage.tell(text, { by, key: by })).run);
// safe: the world's feed is the one in memory
const events = () => (stage.deps.live as MemoryLiveFeed).events;

/** The engine with a second route, behind a provider of its own. */
async function withSecond(second: LlmProvider, more: Partial<ModelRoute> = {}): Promise<void> {
  const route: ModelRoute = { ...ROUTE, name: 'second', provider: 'second', ...more };
  await stage.restart({ providers: [stage.provider, second], routes: [ROUTE, route] });
}
const answering = (text: string) => scriptedProvider({ id: 'second', script: () => say(text) });

describe('another route answers', () => {
  test.each(['unavailable', 'exhausted', 'rejected', 'missing'] as const)(
    'when the first is %s',
    async (kind) => {
      const second = answering('from the second');
      await withSecond(second);
      stage.script = () => fail(kind);
      expect(await ask()).toMatchObject({ state: 'succeeded', output: 'from the second' });
      expect(second.requests).toHaveLength(1);
    },
  );

  test.each(['unavailable', 'exhausted', 'missing'] as const)(
    'at once while the first, %s, rests',
    async (kind) => {
      const second = answering('from the second');
      await withSecond(second);
      stage.script = () => fail(kind);
      await ask();
      await ask();
      expect(stage.provider.requests).toHaveLength(1);
      expect(second.requests).toHaveLength(2);
    },
  );

  test('but not after a bug of ours', async () => {
    const second = answering('never');
    await withSecond(second);
    stage.script = () => fail('bug');
    expect(await ask()).toMatchObject({ state: 'failed', error: { kind: 'bug' } });
    expect(second.requests).toHaveLength(0);
  });

  test('never one that is not cleared for the text', async () => {
    const second = answering('never');
    await withSecond(second, { clearance: { kind: 'tags', tags: [] } });
    stage.script = () => fail('rejected');
    expect(await ask()).toMatchObject({ state: 'failed', error: { kind: 'rejected' } });
    expect(second.requests).toHaveLength(0);
  });

  test('the first comes back after its rest', async () => {
    await withSecond(answering('second'));
    stage.script = replies(fail('unavailable'), say('first'));
    await ask();
    await stage.world.clock.advance(5_001);
    expect((await ask()).output).toBe('first');
  });
});

test('a request that the provider refuses keeps nobody else waiting', async () => {
  stage.script = replies(fail('rejected'), fail('rejected'), say('an answer'));
  for (const _ of [1, 2]) expect(await ask()).toMatchObject({ state: 'failed', error: { kind: 'rejected' } });
  // No clock is advanced: a route that rested would not be asked before its time.
  expect(await ask('another question', 'olga')).toMatchObject({ state: 'succeeded', output: 'an answer' });
});

describe('the only route', () => {
  const sleeping = () =>
    until(() => stage.provider.running === 0 && stage.provider.requests.length > 0, 'the failure');

  test('is tried once more after its rest', async () => {
    stage.script = replies(fail('unavailable'), say('back'));
    const accepted = await stage.tell('a question');
    await sleeping();
    await stage.world.clock.advance(4_999);
    expect(stage.provider.requests).toHaveLength(1);
    await stage.world.clock.advance(1);
    expect(await stage.settled(accepted.run)).toMatchObject({ output: 'back' });
  });

  test('fails the run with its words when it fails again', async () => {
    stage.script = () => fail('unavailable', 'The provider has trouble.');
    const accepted = await stage.tell('a question');
    await sleeping();
    await stage.world.clock.advance(5_000);
    const run = await stage.settled(accepted.run);
    expect(run).toMatchObject({ state: 'failed', error: { message: 'The provider has trouble.' } });
    expect(stage.provider.requests).toHaveLength(2);
    expect(stage.heard.at(-1)).toContain('The provider has trouble.');
  });

  test('is not waited for when it wants too long a rest', async () => {
    stage.script = () => fail('exhausted', 'later', 120_000);
    expect(await ask()).toMatchObject({ state: 'failed', error: { kind: 'exhausted' } });
    expect(stage.provider.requests).toHaveLength(1);
  });

  test('an abort ends the wait', async () => {
    stage.script = () => fail('unavailable');
    const accepted = await stage.tell('a question');
    await sleeping();
    await stage.engine.abort(must(accepted.run), inChat(MEMBER));
    expect(await stage.settled(accepted.run)).toMatchObject({ state: 'aborted' });
    expect(stage.provider.requests).toHaveLength(1);
  });

  test('after the wait the run is asked again whether it may go on', async () => {
    stage.script = () => fail('unavailable');
    const accepted = await stage.tell('a question');
    await sleeping();
    // Nobody tells the engine, as when a grant expires.
    await stage.world.ungrant(MEMBER);
    await stage.world.clock.advance(60_000);
    const run = await stage.settled(accepted.run);
    expect(run).toMatchObject({ state: 'aborted', error: { code: 'run.rights.cancelled' } });
    expect(stage.provider.requests).toHaveLength(1);
  });
});

describe('a model that misbehaves', () => {
  test('takes too long: the call ends, and costs what was reserved', async () => {
    await withSecond(answering('second'));
    stage.script = () => [...say('half'), { kind: 'hang' }];
    const accepted = await stage.tell('a question');
    await until(() => stage.provider.running === 1, 'the call');
    await stage.world.clock.settle();
    await stage.world.clock.advance(60_000);
    expect(await stage.settled(accepted.run)).toMatchObject({ output: 'second' });
    const [first] = await ledger();
    expect(first).toMatchObject({ state: 'settled' });
    expect(first?.tokens).toBeGreaterThanOrEqual(ROUTE.maxOutputTokens);
  });

  test('takes no notice of its signal: the run ends all the same', async () => {
    const deaf: LlmProvider = {
      id: 'scripted',
      stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    };
    await stage.restart({ providers: [deaf], routes: [ROUTE] });
    const accepted = await stage.tell('a question');
    await until(async () => (await ledger()).length === 1, 'the reservation');
    await stage.engine.abort(must(accepted.run), inChat(MEMBER));
    expect(await stage.settled(accepted.run)).toMatchObject({ state: 'aborted' });
  });

  test.each([
    ['says far too much', () => [{ kind: 'text' as const, delta: 'ä'.repeat(500_001) }]],
    ['thinks far too much', () => [{ kind: 'reasoning' as const, delta: 'ä'.repeat(500_001) }]],
    [
      'asks for too many tools at once',
      () => Array.from({ length: 17 }, (_, n) => callTool('md_list', {}, `c${n}`)).flat(),
    ],
    [
      'asks with arguments without end',
      () => callTool('md_write', { path: 'notes/a.md', mode: 'create', text: 'x'.repeat(1_000_001) }),
    ],
  ])('%s: nothing of it is shown or acted on', async (_name, script) => {
    stage.script = script;
    expect(await ask()).toMatchObject({ state: 'failed', error: { kind: 'rejected' } });
    expect(await read().count('effect', { kind: 'message.reply' })).toBe(0);
    expect(await stage.files.list(WORKSPACE)).toEqual([]);
  });

  test('breaks off in the middle of a tool call: no effect', async () => {
    await withSecond(answering('second'));
    const write = callTool('md_write', { path: 'notes/a.md', mode: 'create', text: 'x' });
    stage.script = () => [...write, ...fail('unavailable')];
    expect((await ask()).output).toBe('second');
    expect(await stage.files.list(WORKSPACE)).toEqual([]);
  });

  test('a stream that ends without a word of its end is no answer', async () => {
    const cut: LlmProvider = {
      id: 'scripted',
      stream: async function* () {
        yield { kind: 'text', delta: 'half an ans' };
      },
    };
    await stage.restart({
      providers: [cut, answering('second')],
      routes: [ROUTE, { ...ROUTE, name: 's', provider: 'second' }],
    });
    expect((await ask()).output).toBe('second');
  });

  test.each([
    ['an empty answer', say(''), { kind: 'unavailable' }],
    ['blanks', say('  \n '), { kind: 'unavailable' }],
    [
      'an answer that its provider filtered',
      [
        ...say('half'),
        {
          kind: 'done' as const,
          finish: 'filtered' as const,
          usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 },
        },
      ],
      { kind: 'rejected' },
    ],
    [
      'a tool call that its provider filtered',
      [
        ...callTool('md_write', { path: 'notes/a.md', mode: 'create', text: 'x' }),
        {
          kind: 'done' as const,
          finish: 'filtered' as const,
          usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 },
        },
      ],
      { kind: 'rejected' },
    ],
  ])('%s fails the run with a reason', async (_name, moves, error) => {
    stage.script = () => moves;
    expect(await ask()).toMatchObject({ state: 'failed', error });
    expect(await stage.files.list(WORKSPACE)).toEqual([]);
  });

  test('an answer that was cut at its length says so', async () => {
    stage.script = () => [
      ...say('the beginning'),
      { kind: 'done', finish: 'length', usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 } },
    ];
    expect((await ask()).output).toBe(
      'the beginning\n\n(The answer was cut: the model reached its length limit.)',
    );
  });

  test('what it thinks is never shown, stored or sent back', async () => {
    stage.script = replies(
      [{ kind: 'reasoning', delta: 'canary-thought' }, ...callTool('md_list', {})],
      [{ kind: 'reasoning', delta: 'canary-thought' }, ...say('fine')],
    );
    const run = await ask();
    expect(run.output).toBe('fine');
    const steps = await stage.deps.journal.steps(run.id);
    const everything = JSON.stringify([
      stage.heard,
      events(),
      [...steps],
      stage.provider.requests,
      await read().find('context_message', {}),
    ]);
    expect(everything).not.toContain('canary-thought');
  });
});

describe('frames', () => {
  test('show the answer so far, filtered as a whole', async () => {
    stage.script = () => [
      { kind: 'text', delta: 'see https://ev' },
      { kind: 'text', delta: 'il.example/x and @every' },
      { kind: 'text', delta: 'one' },
    ];
    const run = await ask();
    const texts = events()
      .filter((event) => event.kind === 'text')
      .map((event) => String(event.data.text));
    expect(texts.length).toBeGreaterThan(1);
    for (const text of [...texts, String(run.output)]) {
      expect(text).not.toContain('https://evil.example');
      expect(text).not.toContain('@everyone');
    }
  });

  test('of a long answer cost no more than the answer: few of them are made', async () => {
    stage.script = () => Array.from({ length: 5_000 }, () => ({ kind: 'text' as const, delta: 'word ' }));
    await ask();
    const frames = events().filter((event) => event.kind === 'text');
    const chars = frames.reduce((sum, event) => sum + String(event.data.text).length, 0);
    expect(chars).toBeLessThan(25_000 * 50);
  });

  test('of an answer that grows for ever stop early: filtering it again and again would hold up a panic', async () => {
    stage.script = () =>
      Array.from({ length: 900 }, () => ({ kind: 'text' as const, delta: 'word '.repeat(200) }));
    const run = await ask();
    expect(run.output?.length).toBeGreaterThan(800_000);
    const lengths = events()
      .filter((event) => event.kind === 'text')
      .map((event) => String(event.data.text).length);
    expect(lengths.length).toBeGreaterThan(10);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(32_000);
  });
});

describe('budgets', () => {
  test('a call is reserved before it and charged what it cost after it', async () => {
    const seen: string[] = [];
    stage.script = function* () {
      seen.push('called');
      yield* say('ok');
      yield { kind: 'done', finish: 'stop', usage: { inputTokens: 100, outputTokens: 20, cachedTokens: 0 } };
    };
    const run = await ask();
    expect(await ledger()).toMatchObject([
      { state: 'settled', tokens: 120, costUsdMicros: 140, run: run.id, sender: MEMBER, route: 'main' },
    ]);
    const actions = (await stage.deps.audit.tail(50)).map((event) => event.action).reverse();
    expect(actions.indexOf('ledger.reserve')).toBeLessThan(actions.indexOf('run.step'));
    expect(seen).toHaveLength(1);
  });

  test('absurd figures of a provider cost what was reserved', async () => {
    stage.script = () => [
      ...say('ok'),
      { kind: 'done', finish: 'stop', usage: { inputTokens: -5, outputTokens: 1e12, cachedTokens: 0 } },
    ];
    await ask();
    const [entry] = await ledger();
    expect(entry?.tokens).toBeGreaterThan(1_000);
    expect(entry?.tokens).toBeLessThan(20_000);
  });

  test('a failed attempt costs what it cost', async () => {
    await withSecond(answering('ok'));
    stage.script = () => [
      {
        kind: 'failed',
        error: { code: 'llm.call.unavailable', kind: 'unavailable', message: 'broke' },
        usage: { inputTokens: 70, outputTokens: 7, cachedTokens: 0 },
      },
    ];
    await ask();
    expect((await ledger())[0]).toMatchObject({ state: 'settled', tokens: 77 });
  });

  test('a cap of the workspace stops before the call, whoever asks', async () => {
    await stage.set({ budget: { tokensPerDay: 1_500 } });
    stage.script = () => [
      ...say('ok'),
      { kind: 'done', finish: 'stop', usage: { inputTokens: 900, outputTokens: 100, cachedTokens: 0 } },
    ];
    expect((await ask()).state).toBe('succeeded');
    for (const by of ['mia', 'olga']) {
      expect(await ask('more', by)).toMatchObject({
        state: 'failed',
        error: { code: 'ledger.budget.exhausted' },
      });
    }
    expect(stage.provider.requests).toHaveLength(1);
    // The window of a day moves on.
    await stage.world.clock.advance(24 * 3_600_000 + 1);
    expect((await ask()).state).toBe('succeeded');
  });

  test('a cap of a sender stops that sender alone', async () => {
    await stage.set({ budget: { tokensPerSenderPerDay: 1_500 } });
    stage.script = () => [
      ...say('ok'),
      { kind: 'done', finish: 'stop', usage: { inputTokens: 900, outputTokens: 100, cachedTokens: 0 } },
    ];
    await ask();
    expect(await ask('more')).toMatchObject({ error: { code: 'ledger.budget.exhausted' } });
    expect((await ask('more', 'olga')).state).toBe('succeeded');
  });

  test('two at the same time cannot pass a cap together', async () => {
    await stage.set({ budget: { tokensPerDay: 1_500 } });
    const gate = Promise.withResolvers<void>();
    stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('ok')];
    const both = await Promise.all(['mia', 'olga'].map((by) => stage.tell('at once', { by, key: by })));
    await until(async () => (await read().count('run', { state: 'failed' })) === 1, 'one refusal');
    gate.resolve();
    const states = await Promise.all(both.map(async (one) => (await stage.settled(one.run)).state));
    expect(states.sort()).toEqual(['failed', 'succeeded']);
  });

  test('a reservation whose call was never made is given back', async () => {
    const reserved = Promise.withResolvers<void>();
    const { store } = stage.deps;
    const runs: string[] = [];
    // The abort comes in the moment between reserving and calling.
    await stage.restart({
      store: {
        get read() {
          return stage.world.deps.store.read;
        },
        epoch: store.epoch,
        commit: async (audit, body) => {
          const value = await stage.world.deps.store.commit(audit, body);
          if ('action' in audit && audit.action === 'ledger.reserve') {
            await stage.engine.abort(
              must((await read().find('run', { state: 'running' }))[0]).id,
              inChat(MEMBER),
            );
            reserved.resolve();
          }
          return value;
        },
      },
    });
    const accepted = await stage.tell('a question');
    runs.push(String(accepted.run));
    await reserved.promise;
    expect((await stage.settled(accepted.run)).state).toBe('aborted');
    expect(stage.provider.requests).toHaveLength(0);
    expect(await ledger()).toMatchObject([{ state: 'released' }]);
    expect(await read().tokensSpent({ workspace: WORKSPACE, sinceMs: 0 })).toBe(0);
  });
});

describe('what a call may use', () => {
  test('zero calls without a trigger', async () => {
    await stage.tell('just talking', { isAddressed: false });
    await stage.tell('/help');
    await stage.tell('/search refund');
    await stage.world.clock.advance(3 * 24 * 3_600_000);
    expect(stage.provider.requests).toHaveLength(0);
  });

  test('the limits and the temperature of the place', async () => {
    await stage.set({ models: { temperature: 0.2, maxOutputTokens: 123, allowed: ['main'] } });
    await ask();
    expect(stage.provider.requests[0]).toMatchObject({
      temperature: 0.2,
      maxOutputTokens: 123,
      model: 'scripted-1',
    });
    await stage.set({ models: { allowed: ['other'] } });
    expect(await ask()).toMatchObject({ error: { code: 'run.route.unavailable' } });
  });

  test('only the tools of the place', async () => {
    await stage.set({ tools: ['md_read'] });
    stage.script = replies(callTool('md_list', {}), say('ok'));
    await ask();
    expect(stage.provider.requests[0]?.tools.map((tool) => tool.name)).toEqual(['md_read']);
    expect(shownTo(stage.provider.requests[1]?.messages)).toContain('md_list is not allowed in this context');
  });
});
