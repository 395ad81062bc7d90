import {
  type LlmReply,
  type LlmServer,
  llm,
  type RecordedRequest,
  startLlmServer,
  until,
} from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, newToken, post, type Running, whenDone } from './journey.fixture.ts';

/** Each moment once: the crash points have their own suite. `npm run soak` does it more often. */
const KILLS = process.env.SOAK === '1' ? 100 : 4;

const MOMENTS = ['at once', 'while it thinks', 'while it speaks', 'after its last word'] as const;

/** Each kill comes at another moment, in turn. */
function momentOf(n: number): (typeof MOMENTS)[number] {
  return MOMENTS[n % MOMENTS.length] ?? 'at once';
}

function questionOf(request: RecordedRequest): number {
  const asked = JSON.stringify(request.body.messages?.at(-1)?.content ?? '');
  return Number(/question-(\d+)/.exec(asked)?.[1] ?? 0);
}

describe('kill -9 between accept and reply', { timeout: 15_000 * KILLS }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  let secret: string;
  beforeAll(async () => {
    server = await startLlmServer({ fallback: answer });
    home = newHome({ AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'emulated' });
    runtime = await home.start();
    secret = (await newToken(home, 'kill')).secret;
  }, 60_000);
  afterAll(async () => {
    await home.remove();
    await server.close();
  });

  /** Answers name their question, so that each can be told from every other; the first call of each ends as its moment says. */
  const answer = (request: RecordedRequest): LlmReply => {
    const n = questionOf(request);
    const words = [...llm.text(`Answer to question-${n}`), ...llm.done()];
    if (timesAsked(n) > 1) return words;
    switch (momentOf(n)) {
      case 'while it thinks':
        return llm.hang();
      case 'while it speaks':
        return [...llm.text('Half an answer'), ...llm.hang()];
      default:
        return words;
    }
  };
  const timesAsked = (n: number): number =>
    server.requests.filter((request) => questionOf(request) === n).length;

  test(`${KILLS} times: nothing that was accepted is lost, nothing is answered twice`, async () => {
    const runs: string[] = [];
    for (let n = 1; n <= KILLS; n += 1) {
      const accepted = await post(runtime, secret, {
        conversation_key: `c${n % 3}`,
        text: `This is question-${n}`,
        idempotency_key: `k${n}`,
      });
      expect(accepted.status).toBe(202);
      runs.push(((await accepted.json()) as { run_id: string }).run_id); // safe: the public contract, tested elsewhere
      if (momentOf(n) !== 'at once') await until(() => timesAsked(n) > 0, `the model is asked question ${n}`);
      await runtime.kill();
      runtime = await home.start({}, ['up', '--json']);
      // The client did not hear back and asks again: the same key, the same run.
      const again = await post(runtime, secret, {
        conversation_key: `c${n % 3}`,
        text: `This is question-${n}`,
        idempotency_key: `k${n}`,
      });
      expect(((await again.json()) as { run_id: string }).run_id).toBe(runs.at(-1)); // safe: as above
      // Else one run could meet so many kills that it counts as poison, which is another promise.
      await whenDone(runtime, secret, runs.at(-1) ?? '');
    }
    for (const [index, run] of runs.entries()) {
      const ended = await whenDone(runtime, secret, run);
      expect(ended).toMatchObject({ status: 'succeeded', output: `Answer to question-${index + 1}` });
    }
    const tasks = (await home.cli(['task', 'list', '--limit', '500', '--json'])).json<{
      items: { title: string; status: string }[];
    }>();
    const asked = tasks.items.map(({ title }) => /question-\d+/.exec(title)?.[0]).filter((one) => one);
    expect(asked).toHaveLength(KILLS);
    expect(new Set(asked).size).toBe(KILLS);
    expect((await home.cli(['audit', 'verify', '--json'])).json()).toMatchObject({ ok: true });
  });
});
