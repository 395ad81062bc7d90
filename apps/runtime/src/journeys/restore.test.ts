import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, newToken, post, type Running, whenDone } from './journey.fixture.ts';

const VAULT_KEY = 'canary-vault-key-55a0';

describe('stopping, restoring, keeping secrets', { timeout: 90_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  beforeAll(async () => {
    server = await startLlmServer();
    home = newHome({
      AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl,
      AGENT_RUNTIME_LLM_MODEL: 'emulated',
      AGENT_RUNTIME_METRICS_LISTEN: '127.0.0.1:0',
    });
    runtime = await home.start();
  }, 60_000);
  afterAll(async () => {
    await home.remove();
    await server.close();
  });

  test('a key in the vault reaches the provider after a start, and nothing else', async () => {
    const set = await home.cli(['secret', 'set', 'LLM_API_KEY'], { input: `${VAULT_KEY}\n` });
    expect({ code: set.code, err: set.err }).toMatchObject({ code: 0 });
    await runtime.stop();
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('Hello, who are you?')).status).toBe('succeeded');
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${VAULT_KEY}`);
    const shown = [
      runtime.log(),
      (await home.cli(['secret', 'list', '--json'])).out,
      (await home.cli(['audit', 'tail', '--json'])).out,
      JSON.stringify(server.requests.map(({ body }) => body)),
    ].join('\n');
    expect(shown).not.toContain(VAULT_KEY);
    expect(filesWith(home.dataDir, VAULT_KEY)).toEqual([]);
  });

  test('metrics are on their own listener', async () => {
    const metrics = await fetch(`${String(runtime.ready.metrics)}/metrics`);
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toContain('agent_runtime_');
    expect((await fetch(`${String(runtime.ready.metrics)}/`)).status).toBe(404);
    expect((await fetch(`${runtime.url}/metrics`)).status).toBe(404);
  });

  test('a model that hangs does not hold up a stop for more than ten seconds; its run goes on after the start', async () => {
    const { secret } = await newToken(home, 'slow');
    server.next(llm.hang());
    const asked = server.requests.length;
    const posted = await post(runtime, secret, { text: 'Take your time' });
    const { run_id } = (await posted.json()) as { run_id: string }; // safe: the public contract, tested elsewhere
    await until(() => server.requests.length > asked, 'the model is being asked');
    const before = performance.now();
    expect(await runtime.stop()).toBe(0);
    expect(performance.now() - before).toBeLessThan(10_000);
    runtime = await home.start({}, ['up', '--json']);
    expect(await whenDone(runtime, secret, run_id)).toMatchObject({ status: 'succeeded', output: 'Fine.' });
  });

  test('a second signal does not wait', async () => {
    const { secret } = await newToken(home, 'hasty');
    server.next(llm.hang());
    const asked = server.requests.length;
    await post(runtime, secret, { text: 'Take your time again' });
    await until(() => server.requests.length > asked, 'the model is being asked');
    runtime.signal('SIGINT');
    await until(() => runtime.log().includes('stopping'), 'it has heard');
    const before = performance.now();
    runtime.signal('SIGINT');
    expect(await runtime.ended()).toBe(130);
    expect(performance.now() - before).toBeLessThan(2_000);
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('ping')).status).toBe('succeeded');
  });

  test('an older database that was put back is noticed: the gate is closed until a signed request opens it', async () => {
    const folder = join(home.dataDir, 'agent-runtime');
    const kept = join(home.folder, 'kept');
    await runtime.stop();
    cpSync(join(folder, 'meta.sqlite'), kept);
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('Will this be forgotten?')).status).toBe('succeeded');
    await runtime.stop();
    for (const end of ['', '-wal', '-shm']) rmSync(join(folder, `meta.sqlite${end}`), { force: true });
    cpSync(kept, join(folder, 'meta.sqlite'));

    const calls = server.requests.length;
    runtime = await home.start({}, ['up', '--json']);
    expect(runtime.log()).toContain('the gate is closed');
    const refused = await home.cli(['ask', 'Is anybody there?', '--json']);
    expect(refused.code).toBe(8);
    expect(server.requests.length).toBe(calls);
    expect((await home.cli(['gate', 'open'])).code).toBe(0);
    expect((await home.ask('And now?')).status).toBe('succeeded');
  });

  test('a copy from before an approved send, put back after a kill: nothing is sent until a signed request opens the gate', async () => {
    const folder = join(home.dataDir, 'agent-runtime');
    const kept = join(home.folder, 'pre-send');
    const ends = ['', '-wal', '-shm'];
    const posts = () => home.chat.textsIn('general').filter((text) => text.includes(NOTICE)).length;
    const call = JSON.stringify({ connector: 'memory', channel: 'general', text: NOTICE });
    server.next(
      [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: call }]), ...llm.done('tool_calls')],
      [...llm.text('I have proposed it.'), ...llm.done()],
    );
    const [approval = ''] = (await home.ask(`Please tell everybody: ${NOTICE}`)).pending_approvals ?? [];
    await runtime.kill();
    for (const end of ends)
      if (existsSync(join(folder, `meta.sqlite${end}`)))
        cpSync(join(folder, `meta.sqlite${end}`), `${kept}${end}`);
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.cli(['approval', 'approve', approval])).code).toBe(0);
    await until(() => posts() === 1, 'the post arrived', 10_000);
    await runtime.kill();
    for (const end of ends) {
      rmSync(join(folder, `meta.sqlite${end}`), { force: true });
      if (existsSync(`${kept}${end}`)) cpSync(`${kept}${end}`, join(folder, `meta.sqlite${end}`));
    }

    runtime = await home.start({}, ['up', '--json']);
    expect(runtime.log()).toContain('the gate is closed');
    // In the old copy it was not sent yet. This machine remembers a longer log; whoever accepts the copy and approves again has sent nothing.
    expect((await home.cli(['approval', 'approve', approval])).code).toBe(6);
    expect((await home.cli(['audit', 'trust', '--yes'])).code).toBe(0);
    await home.cli(['approval', 'approve', approval]);
    expect((await home.cli(['ask', 'Is anybody there?', '--json'])).code).toBe(8);
    expect(posts()).toBe(1);
    expect((await home.cli(['gate', 'open'])).code).toBe(0);
    expect((await home.ask('And now?')).status).toBe('succeeded');
  });
});

const NOTICE = 'The fair begins at noon.';

/** Files under a folder whose bytes hold a text. */
function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => existsSync(path) && readFileSync(path).includes(text));
}
