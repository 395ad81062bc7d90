import { fail, type MemoryLive } from '@agent-runtime/adapters';
import { makeLabel } from '@agent-runtime/domain';
import { type MemoryLiveFeed, until } from '@agent-runtime/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadPlace } from '../run/index.ts';
import { callTool, PLATFORM_IDS, say, useStage } from '../run/run.fixture.ts';
import { fault } from '../settle/outside.fixture.ts';
import { must, ORIGIN, signed, TEST_AUDIT } from '../settle/world.fixture.ts';
import { makePresence } from './index.ts';
import { EVERY_MS, watchable, watchedChat } from './watched.fixture.ts';

const stage = useStage();
let watched: MemoryLive;
beforeEach(async () => {
  watched = await watchedChat(stage);
});

const read = () => stage.deps.store.read;
const BOSS = must(PLATFORM_IDS.boss);
const MIA = must(PLATFORM_IDS.mia);
const kinds = (): readonly string[] => watched.signs.map(({ kind }) => kind);
const frames = () => watched.signs.filter((sign) => sign.kind === 'show');
const typed = () => watched.signs.filter((sign) => sign.kind === 'typing');
const text = (delta: string) => ({ kind: 'text', delta }) as const;
const feed = () => stage.deps.live as MemoryLiveFeed; // safe: the world's own
const advance = (ms: number): Promise<void> => stage.world.clock.advance(ms);

/** A model that says something and then waits for the test. */
function slow(...words: readonly string[]): {
  readonly go: () => void;
  readonly next: (word: string) => void;
} {
  const gate = Promise.withResolvers<void>();
  const more = new Map(words.map((word) => [word, Promise.withResolvers<void>()]));
  stage.script = () => [
    ...words.flatMap((word) => [{ kind: 'hold', until: must(more.get(word)).promise } as const, text(word)]),
    { kind: 'hold', until: gate.promise } as const,
  ];
  return { go: gate.resolve, next: (word) => must(more.get(word)).resolve() };
}

async function asked(words = 'go', more: Parameters<typeof stage.tell>[1] = {}) {
  const before = stage.provider.requests.length;
  const accepted = await stage.tell(words, more);
  await until(() => stage.provider.requests.length > before, 'the model is asked');
  return accepted;
}

/** The model has said this word, and the feed has told it. */
async function spoken(model: ReturnType<typeof slow>, word: string): Promise<void> {
  const told = feed();
  model.next(word);
  await until(
    () => told.events.some(({ kind, data }) => kind === 'text' && String(data.text).endsWith(word)),
    word,
  );
}

describe('while an answer is made', () => {
  test('typing is said at once and again before it is forgotten, and not once it is over', async () => {
    const model = slow();
    const { run } = await asked();
    await until(() => typed().length === 1, 'typing');
    await advance(9_500);
    expect(typed().map(({ atMs }) => atMs - must(typed()[0]).atMs)).toEqual([0, 4_500, 9_000]);
    model.go();
    await stage.settled(run);
    await advance(60_000);
    expect(typed()).toHaveLength(3);
  });

  test('an answer that is there in a moment costs no sign', async () => {
    await stage.restart({ connectors: watchable(stage, watched) });
    const quick = slow();
    const { run } = await asked();
    await advance(249);
    quick.go();
    await stage.settled(run);
    expect(typed()).toEqual([]);
    const slower = slow();
    const { run: next } = await asked();
    await advance(250);
    expect(typed()).toHaveLength(1);
    slower.go();
    await stage.settled(next);
  });

  test('nothing but typing is shown of an answer that comes within a second', async () => {
    const model = slow('quick');
    const { run } = await asked();
    await spoken(model, 'quick');
    await advance(999);
    model.go();
    await stage.settled(run);
    await advance(5_000);
    expect(frames()).toEqual([]);
    expect(kinds().at(-1)).toBe('complete');
  });

  test('the first frame comes after a second, later ones as the platform likes; the newest words win', async () => {
    const model = slow('one', ' two', ' three', ' four');
    const { run } = await asked('go', { externalId: 'q1' });
    const beganAt = must(typed()[0]).atMs;
    await advance(1_000);
    expect(frames()).toEqual([
      {
        kind: 'show',
        address: 'ops-channel',
        key: run,
        replyTo: 'q1',
        text: '',
        progress: 'thinking',
        atMs: beganAt + 1_000,
      },
    ]);
    await spoken(model, 'one');
    await spoken(model, ' two');
    await advance(EVERY_MS - 1);
    expect(frames()).toHaveLength(1);
    await advance(1);
    await spoken(model, ' three');
    await advance(EVERY_MS);
    // Nothing new: no frame, and no timer for one.
    await advance(10 * EVERY_MS);
    await spoken(model, ' four');
    await until(() => frames().length === 4, 'the last words');
    expect(frames().map((sign) => [sign.text, sign.progress])).toEqual([
      ['', 'thinking'],
      ['one two', undefined],
      ['one two three', undefined],
      ['one two three four', undefined],
    ]);
    model.go();
    await stage.settled(run);
    await advance(60_000);
    expect(kinds().filter((kind) => kind !== 'typing')).toEqual(['show', 'show', 'show', 'show', 'complete']);
  });

  test('a frame that waits for its turn is not shown once the answer is there', async () => {
    const model = slow('half');
    const { run } = await asked();
    await advance(1_000);
    await spoken(model, 'half');
    model.go();
    await stage.settled(run);
    await advance(60_000);
    expect(frames().map((sign) => sign.text)).toEqual(['']);
    expect(kinds().at(-1)).toBe('complete');
  });

  test('tools are named in words of ours, never by what a model wrote', async () => {
    const gate = Promise.withResolvers<void>();
    const calls = [
      () => [
        text('I look.'),
        ...callTool('md_read', { path: 'secret-path.md' }, 'a'),
        ...callTool('evil <name>', {}, 'b'),
      ],
      () => [{ kind: 'hold', until: gate.promise } as const, ...say('done')],
    ];
    let n = 0;
    stage.script = () => must(calls[n++])();
    const { run } = await stage.tell('go');
    await until(() => n === 2, 'the second call');
    await advance(1_000);
    const shown = [...frames()];
    gate.resolve();
    await stage.settled(run);
    expect(shown).toMatchObject([{ text: 'I look.', progress: 'thinking' }]);
    expect(JSON.stringify(watched.signs)).not.toMatch(/secret-path|evil/);
  });

  test.each([
    ['md_read', 'reading notes'],
    ['qmd_search', 'searching'],
    ['constructor', 'working'],
    ['evil <name>', 'working'],
  ])('a call of %s is shown as %s, until its result goes back to the model', async (tool, progress) => {
    const model = slow('I look.');
    const { run } = await asked();
    await spoken(model, 'I look.');
    stage.deps.live.publish({ topic: must(run), kind: 'tool', data: { tool } });
    await advance(1_000);
    stage.deps.live.publish({ topic: must(run), kind: 'step', data: { run, step: 'tool:1:1' } });
    await advance(EVERY_MS);
    model.go();
    await stage.settled(run);
    expect(frames().map((sign) => [sign.text, sign.progress])).toEqual([
      ['I look.', progress],
      ['I look.', 'thinking'],
    ]);
  });

  test('frames pass the filter of answers as a whole', async () => {
    const model = slow('see https://ev', 'il.example/x and @every', 'one');
    const { run } = await asked();
    for (const word of ['see https://ev', 'il.example/x and @every']) {
      model.next(word);
    }
    model.next('one');
    await until(() => stage.provider.requests.length === 1, 'the call');
    await advance(3_000);
    model.go();
    await stage.settled(run);
    expect(frames().length).toBeGreaterThan(0);
    expect(frames().at(-1)?.text).not.toMatch(/https:\/\/|@everyone/);
  });
});

describe('where nothing may be shown', () => {
  test('a run of another door, and a chat that cannot show it, stay silent', async () => {
    const model = slow('words');
    const posted = await stage.post('go');
    await until(() => stage.provider.requests.length === 1, 'the model is asked');
    await spoken(model, 'words');
    await advance(20_000);
    model.go();
    await stage.settled(posted.run);
    expect(watched.signs).toEqual([]);
  });

  test('a place that wants answers only sees the answer alone', async () => {
    await stage.set({ output: 'answers' });
    const model = slow('words');
    const { run } = await asked();
    await spoken(model, 'words');
    await advance(20_000);
    model.go();
    await stage.settled(run);
    expect(kinds()).toEqual(['complete']);
    expect(stage.heard).toEqual(['words']);
  });

  test('also when it comes to want so while an answer is made', async () => {
    const model = slow('words');
    const { run } = await asked();
    await stage.set({ output: 'answers' });
    await spoken(model, 'words');
    await advance(20_000);
    model.go();
    await stage.settled(run);
    expect(frames()).toEqual([]);
  });

  test('under panic: no frame, no typing, nothing is taken away, and nothing old afterwards', async () => {
    const model = slow('secret words');
    const { run } = await asked();
    await advance(1_000);
    await spoken(model, 'secret words');
    const before = watched.signs.length;
    await stage.engine.panicOn(signed(BOSS));
    await advance(20_000);
    model.go();
    await until(async () => (await stage.run(run)).state === 'aborted', 'the end');
    await advance(20_000);
    await stage.engine.panicOff(signed(BOSS));
    await advance(20_000);
    expect(watched.signs).toHaveLength(before);
  });

  test('behind a closed gate', async () => {
    const model = slow('words');
    const { run } = await asked();
    const typedBefore = typed().length;
    await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.remove('gate_state', { id: 'gate' });
      await tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'test', at: 1 });
    });
    await spoken(model, 'words');
    await advance(20_000);
    expect(frames()).toEqual([]);
    expect(typed()).toHaveLength(typedBefore);
    model.go();
    await until(async () => (await stage.run(run)).state === 'aborted', 'the end');
  });

  test('once the rights of who asked are gone, also before anybody has told the engine', async () => {
    const model = slow('words');
    const { run } = await asked();
    await stage.world.ungrant(MIA);
    await spoken(model, 'words');
    await advance(20_000);
    expect(frames()).toEqual([]);
    await stage.engine.revoked(MIA);
    await until(async () => (await stage.run(run)).state === 'aborted', 'the end');
    model.go();
    await advance(20_000);
    expect(frames()).toEqual([]);
  });

  test('a revocation cuts off the frame that is on its way, and what was shown is taken away', async () => {
    const model = slow('words', ' more');
    const { run } = await asked();
    await spoken(model, 'words');
    await advance(1_000);
    expect(frames()).toHaveLength(1);
    await stage.engine.revoked(MIA);
    await until(async () => (await stage.run(run)).state === 'aborted', 'the end');
    model.go();
    await until(() => kinds().includes('drop'), 'the drop');
    await advance(20_000);
    expect(kinds().filter((kind) => kind !== 'typing')).toEqual(['show', 'drop']);
  });

  test('words whose label does not fit the place as it is now', async () => {
    const model = slow('words');
    const { run } = await asked();
    const fits = makeLabel(1, [`ctx:acme/${ORIGIN}`]);
    const foreign = makeLabel(1, ['priv:user_00000000000000000009']);
    await spoken(model, 'words');
    const publish = (label: typeof fits, words: string) =>
      stage.deps.live.publish({
        topic: must(run),
        kind: 'text',
        data: { text: words, label: { integrity: label.integrity, audience: label.audience } },
      });
    publish(foreign, 'of somebody else');
    await advance(10_000);
    expect(frames()).toEqual([]);
    publish(fits, 'of this place');
    await until(() => frames().length === 1, 'the frame that fits');
    expect(frames()[0]?.text).toBe('of this place');
    model.go();
    await stage.settled(run);
  });
});

describe('an answer that does not come', () => {
  test('is taken away when the run fails, and the notice says why', async () => {
    const gate = Promise.withResolvers<void>();
    stage.script = () => [text('half'), { kind: 'hold', until: gate.promise }, ...fail('rejected')];
    const { run } = await asked();
    await advance(1_000);
    await until(() => frames().length === 1, 'a frame');
    gate.resolve();
    expect(await stage.settled(run)).toMatchObject({ state: 'failed' });
    await until(() => kinds().includes('drop'), 'the drop');
    expect(watched.signs.at(-1)).toMatchObject({ kind: 'drop', address: 'ops-channel', key: run });
    expect(stage.heard.join()).toContain('That did not work');
  });

  test('is taken away when its answer may not leave after all', async () => {
    const model = slow('words');
    const { run } = await asked();
    await spoken(model, 'words');
    await advance(1_000);
    stage.world.chat.script = [{ kind: 'throw', error: fault('unavailable') }];
    model.go();
    await until(async () => (await stage.run(run)).state === 'succeeded', 'the end');
    await until(() => stage.world.chat.script.length === 0, 'the first try');
    await stage.world.ungrant(MIA);
    await until(
      async () => (await read().count('effect', { state: 'approved', run: must(run) })) === 1,
      'it waits',
    );
    await advance(2_000);
    await until(() => kinds().includes('drop'), 'the drop');
    expect(kinds()).not.toContain('complete');
    expect(stage.heard).toEqual([]);
  });

  test('an abort drops it as well; without a frame there is nothing to drop', async () => {
    slow('half');
    const { run } = await asked();
    await stage.engine.abort(must(run), signed(MIA));
    await until(async () => (await stage.run(run)).state === 'aborted', 'the end');
    await advance(20_000);
    expect(kinds().filter((kind) => kind !== 'typing')).toEqual([]);
    slow('half');
    const second = await asked();
    await advance(1_000);
    await stage.engine.abort(must(second.run), signed(MIA));
    await until(() => kinds().includes('drop'), 'the drop');
  });
});

describe('a platform that misbehaves', () => {
  test('a typing that hangs and one that throws change nothing', async () => {
    watched.breakNext('typing', 'throw');
    watched.breakNext('typing', 'hang');
    const model = slow('words');
    const { run } = await asked();
    await advance(4_500);
    expect(typed()).toHaveLength(2);
    // The stuck one is given up after 3 s, and the next comes in its turn.
    await advance(7_500);
    expect(typed()).toHaveLength(3);
    model.next('words');
    model.go();
    expect(await stage.settled(run)).toMatchObject({ state: 'succeeded' });
  });

  test('a frame that hangs is given up, and the answer waits for it no longer than that', async () => {
    watched.breakNext('show', 'hang', 2);
    const model = slow('half', ' and more');
    const { run } = await asked();
    await advance(1_000);
    await spoken(model, 'half');
    await advance(3_000 + EVERY_MS);
    expect(frames().map((sign) => sign.text)).toEqual(['', 'half']);
    model.next(' and more');
    model.go();
    await until(async () => (await stage.run(run)).state === 'succeeded', 'the end of the run');
    // The second frame is stuck as well: its message might still come up, so the answer comes after it.
    await stage.world.clock.settle();
    expect(stage.heard).toEqual([]);
    await advance(3_000);
    await until(() => stage.heard.length === 1, 'the answer');
    expect(kinds().at(-1)).toBe('complete');
  });

  test('one that throws is followed by the next', async () => {
    watched.breakNext('show', 'throw');
    const model = slow('words');
    const { run } = await asked();
    await advance(1_000);
    await spoken(model, 'words');
    await advance(EVERY_MS);
    expect(frames().map((sign) => sign.text)).toEqual(['', 'words']);
    model.go();
    await stage.settled(run);
  });

  test('panic ends the wait for a frame that hangs: the answer does not leave', async () => {
    watched.breakNext('show', 'hang');
    const model = slow('words');
    const { run } = await asked();
    await advance(1_000);
    model.next('words');
    model.go();
    await until(async () => (await stage.run(run)).state === 'succeeded', 'the end of the run');
    expect(kinds()).not.toContain('cut');
    await stage.engine.panicOn(signed(BOSS));
    // At once: no time has gone by.
    expect(kinds()).toContain('cut');
    await until(
      async () => (await read().count('effect', { state: { in: ['approved', 'performing'] } })) === 0,
      'it is void',
    );
    await advance(10_000);
    expect(stage.heard).toEqual([]);
    expect(kinds().filter((kind) => kind !== 'typing')).toEqual(['show', 'cut']);
  });

  test('a drain waits no longer than it may', async () => {
    watched.breakNext('show', 'hang');
    watched.breakNext('drop', 'hang');
    slow('words');
    const { run } = await asked();
    await advance(1_000);
    expect(frames()).toHaveLength(1);
    await stage.engine.abort(must(run), signed(MIA));
    await until(() => kinds().includes('drop'), 'the drop that hangs');
    let isOver = false;
    const over = stage.engine.drain(500).then(() => {
      isOver = true;
    });
    await advance(499);
    expect(isOver).toBe(false);
    await advance(1);
    await over;
  });
});

describe('two runs, and none', () => {
  test('in one place one after the other: each has its own message, typing goes on', async () => {
    const first = slow('one');
    const a = await asked('first');
    const b = await stage.tell('second');
    await advance(1_000);
    await spoken(first, 'one');
    await advance(EVERY_MS);
    const second = slow('two');
    first.go();
    await stage.settled(a.run);
    await until(() => stage.provider.requests.length === 2, 'the second call');
    await advance(1_000);
    await spoken(second, 'two');
    await advance(EVERY_MS);
    second.go();
    await stage.settled(b.run);
    const seen = watched.signs.flatMap((sign) =>
      'key' in sign ? [`${sign.kind} ${sign.key === a.run ? 'a' : 'b'}`] : [],
    );
    expect(seen).toEqual(['show a', 'show a', 'complete a', 'show b', 'show b', 'complete b']);
  });

  test('at one place at the same time they share one timer for typing', async () => {
    const model = slow();
    const a = await asked('first');
    const b = await asked('second', { key: 'another' });
    await advance(9_000);
    expect(typed()).toHaveLength(3);
    // The one that is left is enough to go on.
    await stage.engine.abort(must(a.run), signed(MIA));
    await until(async () => (await stage.run(a.run)).state === 'aborted', 'the end');
    await advance(4_500);
    expect(typed()).toHaveLength(4);
    model.go();
    await stage.settled(b.run);
  });

  test('a run that is over leaves no timer and nobody who listens', async () => {
    const { clock } = stage.world;
    const [timers, listeners] = [clock.sleeping, feed().listeners];
    const model = slow('words');
    const { run } = await asked();
    await advance(2_000);
    model.next('words');
    model.go();
    await stage.settled(run);
    await clock.settle();
    expect([clock.sleeping, feed().listeners]).toEqual([timers, listeners]);
  });
});

test('once an answer is about to leave nothing is shown any more, though its run has not said that it is over', async () => {
  const { run } = await stage.tell('go');
  await stage.settled(run);
  const [effect] = await read().find('effect', { run: must(run) });
  const place = await loadPlace(read(), must(run));
  const presence = makePresence(stage.deps);
  const showing = presence.begin(place, new AbortController().signal, 1);
  await advance(1_000);
  expect(frames()).toHaveLength(1);
  await presence.quiet({ ...must(effect), kind: 'message.card' });
  await advance(EVERY_MS);
  const { integrity, audience } = place.input.label;
  const data = { text: 'words', label: { integrity, audience } };
  const publish = () => stage.deps.live.publish({ topic: place.run.id, kind: 'text', data });
  publish();
  await until(() => frames().length === 2, 'a frame after a card');
  publish();
  await presence.quiet(must(effect));
  await advance(EVERY_MS);
  expect(frames()).toHaveLength(2);
  showing.end();
  await presence.drain(1);
});

describe('a crash', () => {
  test('leaves nothing stored; the run that goes on shows the same message, and drops it when it fails', async () => {
    slow('half');
    const { run } = await asked();
    await advance(1_000);
    const [shown] = frames();
    // The second start finds a model that refuses.
    stage.script = () => fail('rejected');
    await stage.crash({ connectors: watchable(stage, watched) });
    expect(await stage.settled(run)).toMatchObject({ state: 'failed' });
    await until(() => kinds().includes('drop'), 'the drop');
    expect(shown).toMatchObject({ key: run });
    expect(watched.signs.at(-1)).toMatchObject({ kind: 'drop', key: run });
  });
});
