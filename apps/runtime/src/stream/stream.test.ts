import type { Json, Run, RunId, StoreReader } from '@agent-runtime/domain';
import { manualClock, memoryLiveFeed } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { systemLiveFeed } from '../system/live-feed.ts';
import { journalSteps } from './journal-steps.ts';
import { liveTexts } from './live-text.ts';
import { runFacts, type StepFact } from './run-facts.ts';
import { runStream, type StreamFrame } from './run-stream.ts';

const id = 'run_0000000000' as RunId; // safe: the form of a run id

function run(patch: Partial<Run> = {}): Run {
  return { id, state: 'running', startedAt: 5, pendingApprovals: [], ...patch } as Run; // safe: the members that streams read
}

test('of the journal only kind, name and outcome leave; bookkeeping does not count', async () => {
  const steps = new Map<string, Json>([
    ['start', 'running'],
    ['llm:1', { kind: 'llm', name: 'main', outcome: 'done', text: 'canary', toolCalls: [] }],
    ['tool:1:1', { kind: 'tool', name: 'md_read', outcome: 'denied', text: 'canary', callId: 'c' }],
    ['other', { kind: 'unknown' }],
  ]);
  const facts = await journalSteps({ steps: async () => steps })(id);
  expect(facts).toEqual([
    { kind: 'llm', name: 'main', outcome: 'done' },
    { kind: 'tool', name: 'md_read', outcome: 'denied' },
  ]);
});

describe('facts of a run', () => {
  const steps: readonly StepFact[] = [
    { kind: 'llm', name: 'main', outcome: 'done' },
    { kind: 'tool', name: 'md_read', outcome: 'denied' },
  ];
  const shown = (of: Run, list = steps) =>
    runFacts(of, list).map(({ id: number, event }) =>
      event.type === 'state' ? `${number} ${event.status}` : `${number} ${event.kind} ${event.step}`,
    );

  test('a finished run tells all of it, numbered from 1', () => {
    expect(shown(run({ state: 'succeeded' }))).toEqual([
      '1 queued',
      '2 running',
      '3 llm 1',
      '4 tool 2',
      '5 succeeded',
    ]);
  });

  test('numbers never move while a run goes on: each state is a prefix of the next', () => {
    const queued = shown(run({ state: 'queued', startedAt: undefined }), []);
    const running = shown(run(), steps.slice(0, 1));
    const aborting = shown(run({ state: 'aborting' }), steps);
    const aborted = shown(run({ state: 'aborted' }), steps);
    expect(running.slice(0, queued.length)).toEqual(queued);
    expect(aborting.slice(0, running.length)).toEqual(running);
    expect(aborted.slice(0, aborting.length)).toEqual(aborting);
  });

  test('a run that was stopped while it waited never ran', () => {
    expect(shown(run({ state: 'aborted', startedAt: undefined }), [])).toEqual(['1 queued', '2 aborted']);
  });
});

/** A world of one run. */
function world() {
  let row: Run | undefined = run({ state: 'queued', startedAt: undefined });
  const steps: StepFact[] = [];
  const live = memoryAll();
  const clock = manualClock();
  const texts = liveTexts(live);
  const read = { get: async () => row } as unknown as StoreReader; // safe: a stream reads one row
  const stop = new AbortController();
  const deps = { read, steps: async () => [...steps], live, texts, clock };
  return {
    clock,
    stop,
    live,
    texts,
    set: (patch: Partial<Run> | undefined, step?: StepFact) => {
      row = patch === undefined ? undefined : { ...(row ?? run()), ...patch };
      if (step !== undefined) steps.push(step);
      live.publish({ topic: id, kind: 'state', data: {} });
    },
    step: (step: StepFact) => {
      steps.push(step);
      live.publish({ topic: id, kind: 'step', data: {} });
    },
    write: (text: string) => live.publish({ topic: id, kind: 'text', data: { text } }),
    open: (after = 0) => runStream(deps, id, { after, heartbeatMs: 15_000, signal: stop.signal }),
  };
}

const memoryAll = systemLiveFeed;

async function take(frames: AsyncGenerator<StreamFrame, void>, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const next = await frames.next();
    if (next.done) break;
    seen.push(short(next.value));
  }
  return seen;
}

function short(frame: StreamFrame): string {
  if (frame.kind === 'heartbeat') return 'heartbeat';
  const { event, id: number } = frame;
  const tag = number === undefined ? '-' : String(number);
  switch (event.type) {
    case 'state':
      return `${tag} ${event.status}`;
    case 'step':
      return `${tag} step ${event.step}`;
    case 'text':
      return `${tag} text@${event.offset} ${event.text}`;
    case 'end':
      return `${tag} end ${event.run.status} ${event.run.output ?? ''}`;
    default:
      return event satisfies never;
  }
}

describe('following a run', () => {
  test('from the queue to its end, each thing once', async () => {
    const w = world();
    const frames = w.open();
    expect(await take(frames, 1)).toEqual(['1 queued']);
    w.set({ state: 'running', startedAt: 5 });
    expect(await take(frames, 1)).toEqual(['2 running']);
    w.write('Write to');
    expect(await take(frames, 1)).toEqual(['- text@0 Write to']);
    w.write('Write to us.');
    expect(await take(frames, 1)).toEqual(['- text@8  us.']);
    w.step({ kind: 'llm', outcome: 'done' });
    expect(await take(frames, 1)).toEqual(['3 step 1']);
    w.set({ state: 'succeeded', output: 'Write to us.' });
    expect(await take(frames, 9)).toEqual(['4 succeeded', '- end succeeded Write to us.']);
  });

  test('who joins late gets the facts, then the answer so far', async () => {
    const w = world();
    w.set({ state: 'running', startedAt: 5 }, { kind: 'llm' });
    w.write('Half an ans');
    expect(await take(w.open(), 4)).toEqual(['1 queued', '2 running', '3 step 1', '- text@0 Half an ans']);
  });

  test('who comes back gets what is after its last number, and the whole answer again', async () => {
    const w = world();
    w.set({ state: 'running', startedAt: 5 }, { kind: 'llm' });
    w.set({ state: 'succeeded', output: 'Done.' });
    expect(await take(w.open(2), 9)).toEqual([
      '3 step 1',
      '4 succeeded',
      '- text@0 Done.',
      '- end succeeded Done.',
    ]);
    expect(await take(w.open(4), 9)).toEqual(['- text@0 Done.', '- end succeeded Done.']);
  });

  test('what was shown and did not become the answer is taken back', async () => {
    const w = world();
    const frames = w.open();
    w.set({ state: 'running', startedAt: 5 });
    w.write('Soon to be stopped');
    expect(await take(frames, 3)).toEqual(['1 queued', '2 running', '- text@0 Soon to be stopped']);
    w.set({ state: 'aborted' });
    expect(await take(frames, 9)).toEqual(['3 aborted', '- text@0 ', '- end aborted ']);
  });

  test('something that happens between looking and waiting is not missed', async () => {
    const w = world();
    const frames = w.open();
    expect(await take(frames, 1)).toEqual(['1 queued']);
    // The generator stands at its yield: nobody listens with a promise now.
    w.set({ state: 'running', startedAt: 5 });
    w.set({ state: 'failed', error: { code: 'run.deadline.exhausted', kind: 'exhausted', message: 'late' } });
    expect(await take(frames, 9)).toEqual(['2 running', '3 failed', '- end failed ']);
  });

  test('silence gives a heartbeat, and a look at the store that needs no event', async () => {
    const w = world();
    const frames = w.open();
    expect(await take(frames, 1)).toEqual(['1 queued']);
    const beat = take(frames, 1);
    await w.clock.advance(15_000);
    expect(await beat).toEqual(['heartbeat']);
  });

  test('an abort ends it without an end event, and nothing is left listening', async () => {
    const feed = memoryLiveFeed();
    const stop = new AbortController();
    const read = {
      get: async () => run({ state: 'queued', startedAt: undefined }),
    } as unknown as StoreReader; // safe: as above
    const deps = { read, steps: async () => [], live: feed, texts: liveTexts(feed), clock: manualClock() };
    const before = feed.listeners;
    const frames = runStream(deps, id, { after: 0, heartbeatMs: 15_000, signal: stop.signal });
    expect(await take(frames, 1)).toEqual(['1 queued']);
    const rest = take(frames, 9);
    stop.abort();
    expect(await rest).toEqual([]);
    expect(feed.listeners).toBe(before);
  });

  test('a run that is not there gives nothing', async () => {
    const w = world();
    w.set(undefined);
    expect(await take(w.open(), 9)).toEqual([]);
  });
});

describe('answers in the making', () => {
  test('pieces with an offset are joined, and forgotten when the run ends', () => {
    const w = world();
    w.live.publish({ topic: id, kind: 'text', data: { offset: 0, text: 'Hello' } });
    w.live.publish({ topic: id, kind: 'text', data: { offset: 5, text: ' there' } });
    expect(w.texts.textOf(id)).toBe('Hello there');
    w.live.publish({ topic: id, kind: 'state', data: {} });
    expect(w.texts.textOf(id)).toBe('');
  });

  test('a thousand runs whose end was missed do not stay for ever', () => {
    const w = world();
    for (let n = 0; n < 1_001; n += 1)
      w.live.publish({ topic: `run_${n}`, kind: 'text', data: { text: 'x' } });
    expect(w.texts.textOf('run_0' as RunId)).toBe(''); // safe: a topic of this test
    expect(w.texts.textOf('run_1000' as RunId)).toBe('x'); // safe: as above
  });
});
