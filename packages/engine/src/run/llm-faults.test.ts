import { openAiCompatibleProvider } from '@agent-runtime/adapters';
import { isFinalRun, type LlmProvider, type ModelRoute, type Run } from '@agent-runtime/domain';
import {
  type LlmServer,
  llm,
  type RawServer,
  startLlmServer,
  startRawServer,
  until,
} from '@agent-runtime/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MEMBER, must, WORKSPACE } from '../settle/world.fixture.ts';
import { ANSWERS } from './fault-answers.fixture.ts';
import { COUNTS } from './fault-counts.fixture.ts';
import { LINES } from './fault-lines.fixture.ts';
import { REFUSALS } from './fault-refusals.fixture.ts';
import { type FaultScript, good, type Place } from './fault-script.fixture.ts';
import { TOOLS } from './fault-tools.fixture.ts';
import { ROUTE, useStage } from './run.fixture.ts';

const FAULTS: readonly FaultScript[] = [...REFUSALS, ...LINES, ...ANSWERS, ...COUNTS, ...TOOLS];

const stage = useStage();
let server: LlmServer;
let other: LlmServer;
let garbage: RawServer;
let hangsUp: RawServer;
let addresses: Readonly<Record<Place, string>>;

beforeAll(async () => {
  const gone = await startLlmServer();
  await gone.close();
  garbage = await startRawServer('SSH-2.0-nobody\r\n\u0000\u0001\u0002');
  hangsUp = await startRawServer('');
  other = await startLlmServer({ fallback: [...llm.text('from the second'), ...llm.done()] });
  addresses = {
    server: '',
    nobody: gone.baseUrl,
    garbage: `http://${garbage.authority}/v1`,
    'hangs-up': `http://${hangsUp.authority}/v1`,
    tls: `https://${garbage.authority}/v1`,
  };
});
afterAll(() => Promise.all([other.close(), garbage.close(), hangsUp.close()]));
beforeEach(async () => {
  server = await startLlmServer();
  return () => server.close();
});

let inCall = 0;
/** The real adapter over HTTP, which tells whether a call is on its way. */
function overHttp(id: string, baseUrl: string): LlmProvider {
  const inner = openAiCompatibleProvider({ id, baseUrl });
  return {
    id,
    stream: async function* (request, signal) {
      inCall += 1;
      try {
        yield* inner.stream(request, signal);
      } finally {
        inCall -= 1;
      }
    },
  };
}

const SECOND: ModelRoute = { ...ROUTE, name: 'second', provider: 'second' };

/** Asks one question. The clock moves on its own only while nothing else can happen: between two calls, and when the server is silent. */
async function ask(script: FaultScript, isAlone: boolean): Promise<Run> {
  if (script.answer !== undefined) {
    const answer = script.answer(stage.world.clock);
    if (script.later === undefined) server.setFallback(answer);
    else {
      server.next(answer);
      server.setFallback(script.later);
    }
  }
  const place = script.place ?? 'server';
  const main = overHttp('scripted', place === 'server' ? server.baseUrl : addresses[place]);
  await stage.restart({
    providers: isAlone ? [main] : [main, overHttp('second', other.baseUrl)],
    routes: isAlone ? [ROUTE] : [ROUTE, SECOND],
  });
  await stage.set({ queue: { runDeadlineMs: 24 * 3_600_000 } });
  const { run } = await stage.tell('a question');
  return over(must(run));
}

async function over(id: string): Promise<Run> {
  await until(
    async () => {
      if (isFinalRun((await stage.run(id)).state)) return true;
      if (inCall === 0 || server.stalled > 0) await stage.world.clock.advance(1_000);
      return false;
    },
    'the end of the run',
    60_000,
  );
  return stage.settled(id);
}

const read = () => stage.deps.store.read;
const asked = (place: Place = 'server'): number =>
  place === 'garbage' || place === 'tls'
    ? garbage.asked
    : place === 'hangs-up'
      ? hangsUp.asked
      : server.requests.length;

/** Whatever the model began to ask for: no effect, no question, no file, nothing in flight, nothing left reserved. */
async function expectNoTrace(run: Run): Promise<void> {
  const effects = await read().find('effect', {});
  expect(effects.map(({ kind }) => kind).filter((kind) => !/^message[.](reply|notice)$/.test(kind))).toEqual(
    [],
  );
  expect(await read().count('approval', {})).toBe(0);
  expect(await stage.files.list(WORKSPACE)).toEqual([]);
  expect(JSON.stringify([run, stage.heard])).not.toContain('from an incomplete call');
  expect(await read().count('ledger_entry', { state: 'reserved' })).toBe(0);
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('isAdmin');
  await until(() => server.open === 0, 'the line to be closed');
}

async function expectCharge(run: Run, charged: FaultScript['charged']): Promise<void> {
  const [first] = await read().find('ledger_entry', { run: run.id }, { orderBy: 'at' });
  expect(first).toMatchObject({ state: 'settled', route: 'main', sender: MEMBER });
  const tokens = must(first).tokens;
  if (charged === 'all') expect(tokens).toBeGreaterThan(ROUTE.maxOutputTokens);
  else if (charged === 'some') expect([tokens > 100, tokens < ROUTE.maxOutputTokens]).toEqual([true, true]);
  else expect(tokens).toBe(charged === 'nothing' ? 0 : charged);
}

function expectEnd(run: Run, { ends }: FaultScript): void {
  if (ends.state === 'succeeded') {
    expect(run).toMatchObject({ state: 'succeeded', output: expect.stringMatching(ends.output) });
    return;
  }
  expect(run).toMatchObject({
    state: 'failed',
    error: { code: ends.code, message: expect.stringMatching(ends.says) },
  });
  expect(run.output).toBeUndefined();
  expect(stage.heard.at(-1)).toBe(`That did not work: ${run.error?.message} (${run.id})`);
}

test(`there are ${FAULTS.length} scripts, each with its own name`, () => {
  expect(FAULTS.length).toBeGreaterThanOrEqual(40);
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});

describe.each(FAULTS)('$name', { timeout: 90_000 }, (script) => {
  const { calls, charged, ends, isRescued, place = 'server' } = script;

  test('with one route: a final state with clear words, its cost, no trace; the next question is answered', async () => {
    const before = asked(place);
    const run = await ask(script, true);
    expectEnd(run, script);
    expect(asked(place) - before).toBe(calls);
    await expectCharge(run, charged);
    await expectNoTrace(run);
    if (ends.state === 'succeeded' && ends.told !== undefined)
      expect(JSON.stringify(server.requests[1]?.body.messages?.at(-1))).toMatch(ends.told);
    if (place !== 'server') return;
    server.setFallback(good('well again'));
    // Longer than any route rests unless it was told to.
    await stage.world.clock.advance(3_600_000);
    expect(await over(must((await stage.tell('and now?')).run))).toMatchObject({ output: 'well again' });
  });

  test(
    isRescued ? 'with a fallback: it answers' : 'with a fallback: it is not needed, or would not help',
    async () => {
      const [before, others] = [asked(place), other.requests.length];
      const startMs = stage.world.clock.nowMs();
      const run = await ask(script, false);
      await expectCharge(run, charged);
      await expectNoTrace(run);
      expect(other.requests.length - others).toBe(isRescued ? 1 : 0);
      if (!isRescued) return expectEnd(run, script);
      expect(run).toMatchObject({ state: 'succeeded', output: 'from the second' });
      expect(asked(place) - before).toBe(Math.min(1, calls));
      // Nobody waited longer than one silent call may take.
      expect(must(run.finishedAt) - startMs).toBeLessThanOrEqual(stage.deps.config.llmTimeoutMs + 5_000);
    },
  );
});
