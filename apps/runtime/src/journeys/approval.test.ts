import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, newToken, post, type Running, whenDone } from './journey.fixture.ts';

const WORDS = 'The shop is closed on Monday.';

interface Listed {
  readonly items: readonly { readonly id: string; readonly state: string }[];
}

describe('an effect that waits', { timeout: 90_000 }, () => {
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

  /** Lets the model propose a post. @returns the approval that it waits for */
  async function propose(text: string): Promise<string> {
    const call = JSON.stringify({ connector: 'memory', channel: 'general', text });
    server.next(
      [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: call }]), ...llm.done('tool_calls')],
      [...llm.text('I have proposed it.'), ...llm.done()],
    );
    const answer = await home.ask(`Please tell everybody: ${text}`);
    expect(answer.error).toBeUndefined();
    const [approval] = answer.pending_approvals ?? [];
    if (approval === undefined) throw new Error(`nothing was proposed: ${JSON.stringify(answer)}`);
    return approval;
  }

  const posts = (text: string): number =>
    home.chat.textsIn('general').filter((one) => one.includes(text)).length;
  const stateOf = async (id: string): Promise<string> =>
    (await home.cli(['approval', 'show', id, '--json'])).json<{ state: string }>().state;

  test('survives a restart, is approved on the command line, and leaves exactly once', async () => {
    const approval = await propose(WORDS);
    expect(posts(WORDS)).toBe(0);
    await runtime.kill();
    runtime = await home.start({}, ['up', '--json']);
    expect(await stateOf(approval)).toBe('pending');
    const shown = (await home.cli(['approval', 'show', approval, '--json'])).json<{
      bytes: { payloads: { text: string }[] };
      digest: string;
    }>();
    expect(shown.bytes.payloads.map(({ text }) => text).join('')).toContain(WORDS);
    const listed = (await home.cli(['approval', 'list', '--json'])).json<Listed>();
    expect(listed.items.map(({ id }) => id)).toContain(approval);

    const approved = await home.cli(['approval', 'approve', approval, '--digest', shown.digest]);
    expect({ code: approved.code, err: approved.err }).toMatchObject({ code: 0 });
    await until(() => posts(WORDS) === 1, 'the post arrived', 10_000);
    const [delivered] = home.chat.delivered().filter(({ payload }) => String(payload.text).includes(WORDS));
    expect(delivered?.payload).toEqual(shown.bytes.payloads[0]);

    const again = await home.cli(['approval', 'approve', approval]);
    expect(again.code).toBe(6);
    await runtime.stop();
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('ping')).status).toBe('succeeded');
    expect(posts(WORDS)).toBe(1);
    expect((await home.cli(['audit', 'verify', '--json'])).json()).toMatchObject({ ok: true });
  });

  test('another digest than the one shown is refused', async () => {
    const approval = await propose('Something else entirely.');
    const other = `sha256:${'0'.repeat(64)}`;
    expect((await home.cli(['approval', 'approve', approval, '--digest', other])).code).toBe(6);
    expect(await stateOf(approval)).toBe('pending');
    expect((await home.cli(['approval', 'withdraw', approval])).code).toBe(0);
    expect(posts('Something else entirely.')).toBe(0);
  });

  test('a denied one never leaves, and cannot be approved afterwards', async () => {
    const approval = await propose('This must not leave.');
    expect((await home.cli(['approval', 'deny', approval])).code).toBe(0);
    expect((await home.cli(['approval', 'approve', approval])).code).toBe(6);
    expect(posts('This must not leave.')).toBe(0);
  });

  test('explain says why it had to be asked', async () => {
    const approval = await propose('One more question.');
    const explained = await home.cli(['explain', approval, '--json']);
    expect(explained.code).toBe(0);
    expect(explained.out).toContain('What leaves its origin needs an approval.');
    expect((await home.cli(['approval', 'withdraw', approval])).code).toBe(0);
  });

  test('panic stops runs, voids what waits, survives a restart and ends only by a signed request', async () => {
    const approval = await propose('Voided by panic.');
    const secret = (await newToken(home, 'panic')).secret;
    const gate = Promise.withResolvers<void>();
    server.next([...llm.hold(gate.promise), ...llm.text('Too late.'), ...llm.done()]);
    const posted = await post(runtime, secret, { text: 'Are you still there?' });
    const { run_id } = (await posted.json()) as { run_id: string }; // safe: the public contract, tested elsewhere
    await until(() => server.open === 1, 'the model is being asked');

    expect((await home.cli(['panic', 'on'])).code).toBe(0);
    const stopped = await whenDone(runtime, secret, run_id);
    gate.resolve();
    expect(stopped.status).toBe('aborted');
    expect(stopped.output).toBeUndefined();
    const calls = server.requests.length;
    expect((await post(runtime, secret, { text: 'And now?' })).status).toBe(503);
    expect((await fetch(`${runtime.url}/readyz`)).status).toBe(503);

    await runtime.kill();
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.cli(['panic', 'status', '--json'])).json()).toMatchObject({ on: true });
    expect((await home.cli(['approval', 'approve', approval])).code).toBe(4);

    // The socket alone may turn it on, never off: that takes a key that is enrolled.
    const stranger = { env: { XDG_CONFIG_HOME: `${home.folder}/stranger` } };
    expect((await home.cli(['panic', 'on'], stranger)).code).toBe(0);
    expect(await unsigned(home, '/admin/v1/panic/off')).toBe(401);
    expect((await home.cli(['panic', 'off'])).code).toBe(0);
    expect((await home.cli(['approval', 'approve', approval])).code).toBe(6);
    expect((await home.ask('ping')).status).toBe('succeeded');
    expect(server.requests.length).toBe(calls + 1);
    expect(posts('Voided by panic.')).toBe(0);
    expect(home.chat.textsIn('general').join('')).not.toContain('Too late.');
  });
});

/** A POST on the admin socket without a signature. @returns its status */
async function unsigned(home: Home, path: string): Promise<number> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath: `${home.dataDir}/agent-runtime/admin.sock`,
        method: 'POST',
        path,
      },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}
