import { type LlmServer, llm, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { follow, getRun, type Home, newToken, post, type Running, whenDone } from './journey.fixture.ts';
import { endMachine, isLogWhole, startMachine, withDatabase } from './promises.fixture.ts';

/** From the order to the end of what it stops; the clock of the machine, so the bound is the promised one. */
const PROMISED_MS = 1_000;

/**
 * The user's schedules are not built yet: there is nothing here that could fire. Keys, people and panic are ordered on the command line,
 * whose own start is not counted: the time begins when it has answered.
 */
describe('P4: revocation and panic stop a run within a second, and nothing old comes back', {
  timeout: 240_000,
}, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  beforeAll(async () => {
    ({ home, server, runtime } = await startMachine());
    await order(['user', 'add', 'mia']);
    await order(['grant', 'add', '--user', 'mia', '--role', 'member', '--scope', 'ws:community']);
  }, 120_000);
  afterAll(() => endMachine(home, server));

  const order = async (args: readonly string[]): Promise<void> => {
    const { code, err } = await home.cli(args);
    expect({ code, err }).toMatchObject({ code: 0 });
  };
  /** The model says a word, waits, and would then call a tool that writes and answer. */
  const hanging = (): { readonly release: () => void } => {
    const gate = Promise.withResolvers<void>();
    const args = JSON.stringify({ path: 'notes/canary.md', mode: 'create', text: 'canary' });
    server.next(
      [
        ...llm.text('Before. '),
        ...llm.hold(gate.promise),
        ...llm.text('canary '),
        ...llm.toolCalls([{ id: 'c1', name: 'md_write', arguments: args }]),
        ...llm.done('tool_calls'),
      ],
      [...llm.text('canary'), ...llm.done()],
    );
    return { release: gate.resolve };
  };
  const statusOf = (run: string): string =>
    withDatabase(
      home,
      (database) =>
        String((database.prepare('select state from run where id = ?').get(run) as { state: string }).state), // safe: a column of text
    );
  const newestRun = (): string =>
    withDatabase(
      home,
      (database) =>
        String(
          (database.prepare('select id from run order by created_at desc limit 1').get() as { id: string })
            .id,
        ), // safe: as above
    );
  const isOverSoon = async (run: string): Promise<void> => {
    const orderedAt = performance.now();
    await until(() => statusOf(run) === 'aborted', 'the end of the run', PROMISED_MS);
    expect(performance.now() - orderedAt).toBeLessThan(PROMISED_MS);
  };
  const expectNothingMore = async (calls: number): Promise<void> => {
    await until(() => server.open === 0, 'the line to the model to be closed');
    expect(server.requests.length).toBe(calls);
    expect(JSON.stringify(home.chat.delivered())).not.toContain('canary');
    expect((await home.cli(['open', 'notes/canary.md'])).code).toBe(5);
    // What was planned for it nobody asked for.
    server.forget();
  };

  test('a token', async () => {
    const token = await newToken(home, 'stolen');
    const { release } = hanging();
    const { run_id } = (await (await post(runtime, token.secret, { text: 'Tell me' })).json()) as {
      run_id: string;
    }; // safe: the public contract
    const stream = await follow(runtime, token.secret, run_id);
    await until(() => stream.answer.includes('Before.'), 'the first words', 20_000);
    const calls = server.requests.length;
    await order(['token', 'revoke', token.id]);
    const revokedAt = performance.now();
    await stream.closed;
    expect(performance.now() - revokedAt).toBeLessThan(PROMISED_MS);
    await isOverSoon(run_id);
    release();
    await expectNothingMore(calls);
    expect(stream.wire).not.toContain('canary');
    expect(stream.kinds).not.toContain('end');
    expect((await post(runtime, token.secret, { text: 'Again' })).status).toBe(401);
  });

  test('a grant of a person who asks on the command line', async () => {
    const theirs = { env: { XDG_CONFIG_HOME: `${home.folder}/mia` } };
    const { code } = await home.cli(['enrol', '--user', 'mia'], theirs);
    expect(code).toBe(0);
    const { release } = hanging();
    const before = server.requests.length;
    const asking = home.cli(['ask', 'Tell me', '--workspace', 'community', '--json'], theirs);
    await until(() => server.requests.length > before, 'the model is asked', 30_000);
    await until(() => server.stalled === 1, 'it waits');
    const run = newestRun();
    const grants = (await home.cli(['grant', 'list', '--user', 'mia', '--json'])).json<{
      items: { id: string }[];
    }>();
    await order(['grant', 'rm', String(grants.items[0]?.id)]);
    await isOverSoon(run);
    release();
    expect((await asking).out).not.toContain('canary');
    await expectNothingMore(before + 1);
  });

  test('panic; and after it nothing old is sent, only a fresh question is answered', async () => {
    const { secret } = await newToken(home, 'panic');
    const { release } = hanging();
    const before = server.requests.length;
    const { run_id } = (await (await post(runtime, secret, { text: 'Tell me' })).json()) as {
      run_id: string;
    }; // safe: the public contract
    await until(() => server.requests.length > before && server.stalled === 1, 'it waits', 20_000);
    await order(['panic', 'on']);
    await isOverSoon(run_id);
    const calls = server.requests.length;
    release();
    await expectNothingMore(calls);
    expect(await whenDone(runtime, secret, run_id)).toMatchObject({ status: 'aborted' });
    expect(JSON.stringify(await getRun(runtime, secret, run_id))).toContain('panic');
    home.chat.say({ id: 'p1', channel: 'general', sender: 'visitor-p1', text: 'Said under panic' });
    await runtime.kill();
    runtime = await home.start({}, ['up', '--json']);
    await order(['panic', 'off']);
    expect((await home.ask('ping')).status).toBe('succeeded');
    expect(JSON.stringify([home.chat.delivered(), await getRun(runtime, secret, run_id)])).not.toContain(
      'canary',
    );
    expect(statusOf(run_id)).toBe('aborted');
    expect(await isLogWhole(home)).toBe(true);
  });
});
