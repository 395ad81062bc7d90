import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  follow,
  getRun,
  type Home,
  newHome,
  newToken,
  post,
  type Running,
  whenDone,
} from './journey.fixture.ts';

describe('the HTTP door of a real process', { timeout: 60_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  beforeAll(async () => {
    server = await startLlmServer();
    home = newHome({ AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'emulated' });
    runtime = await home.start();
  }, 60_000);
  afterAll(async () => {
    await home.remove();
    await server.close();
  });

  const runOf = async (response: Response): Promise<string> =>
    ((await response.json()) as { run_id: string }).run_id; // safe: the public contract, tested elsewhere

  const statusOf = async (title: string): Promise<string | undefined> => {
    const listed = await home.cli(['task', 'list', '--json']);
    const { items } = listed.json<{ items: { title: string; status: string }[] }>();
    return items.find((task) => task.title === title)?.status;
  };

  test('the same idempotency key starts one run, other words with it are refused', async () => {
    const { secret } = await newToken(home, 'once');
    const body = { text: 'Once', idempotency_key: 'k-1' };
    const all = await Promise.all(Array.from({ length: 8 }, () => post(runtime, secret, body)));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(await Promise.all(all.map(runOf))).size).toBe(1);
    expect((await post(runtime, secret, { ...body, text: 'Twice' })).status).toBe(409);
    expect((await post(runtime, secret, { ...body, conversation_key: 'c2' })).status).toBe(409);
  });

  test('a command in the text is only text', async () => {
    const { secret } = await newToken(home, 'commands');
    server.next([...llm.text('I cannot do that.'), ...llm.done()]);
    const run = await runOf(await post(runtime, secret, { text: '/panic on' }));
    expect((await whenDone(runtime, secret, run)).output).toBe('I cannot do that.');
    expect((await home.cli(['panic', 'status', '--json'])).json()).toMatchObject({ on: false });
  });

  test('a token sees its own runs only, and not even that others exist', async () => {
    const mine = await newToken(home, 'mine');
    const other = await newToken(home, 'other');
    const run = await runOf(await post(runtime, mine.secret, { text: 'Secret' }));
    await whenDone(runtime, mine.secret, run);
    expect(await getRun(runtime, other.secret, run)).toEqual(
      await getRun(runtime, other.secret, 'run_00000000000000000000'),
    );
  });

  test('revoking a token ends its stream within a second, its run and its right to ask', async () => {
    const token = await newToken(home, 'stolen');
    const gate = Promise.withResolvers<void>();
    server.next([
      ...llm.text('Before. '),
      ...llm.hold(gate.promise),
      ...llm.text('canary after'),
      ...llm.done(),
    ]);
    const run = await runOf(await post(runtime, token.secret, { text: 'Tell me' }));
    const stream = await follow(runtime, token.secret, run);
    await until(() => stream.answer.includes('Before.'), 'the first words');
    expect((await home.cli(['token', 'revoke', token.id])).code).toBe(0);
    const revokedAt = performance.now();
    await stream.closed;
    expect(performance.now() - revokedAt).toBeLessThan(1_000);
    gate.resolve();
    expect(stream.wire).not.toContain('canary');
    expect((await post(runtime, token.secret, { text: 'Again' })).status).toBe(401);
    await until(async () => (await statusOf('Tell me')) === 'aborted', 'the run was stopped', 10_000);
  });

  test('readiness and health', async () => {
    expect((await fetch(`${runtime.url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${runtime.url}/readyz`)).json()).toEqual({ ready: true, reasons: [] });
    expect((await fetch(`${runtime.url}/metrics`)).status).toBe(404);
  });

  test('while it stops, running work ends and its answer is kept', async () => {
    const { secret } = await newToken(home, 'last');
    const gate = Promise.withResolvers<void>();
    server.next([...llm.hold(gate.promise), ...llm.text('The last words.'), ...llm.done()]);
    const before = server.requests.length;
    const run = await runOf(await post(runtime, secret, { text: 'Finish this' }));
    await until(() => server.requests.length === before + 1, 'the model is being asked');
    const stopped = runtime.stop();
    gate.resolve();
    expect(await stopped).toBe(0);
    runtime = await home.start({}, ['up', '--json']);
    expect((await whenDone(runtime, secret, run)).output).toBe('The last words.');
  });
});
