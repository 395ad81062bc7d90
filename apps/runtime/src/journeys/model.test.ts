import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { follow, type Home, newHome, newToken, post, type Running, whenDone } from './journey.fixture.ts';

const KEY = 'canary-model-key-7d31';

describe('with a model', { timeout: 60_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  let secret: string;
  beforeAll(async () => {
    server = await startLlmServer();
    home = newHome({
      AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl,
      AGENT_RUNTIME_LLM_API_KEY: KEY,
      AGENT_RUNTIME_LLM_MODEL: 'emulated',
    });
    runtime = await home.start();
    secret = (await newToken(home, 'shop')).secret;
  }, 60_000);
  afterAll(async () => {
    await home.remove();
    await server.close();
  });

  /** What the model was sent last, as one text. */
  const lastPrompt = (): string => JSON.stringify(server.requests.at(-1)?.body.messages);
  const textBody = async (response: Response): Promise<string> =>
    ((await response.json()) as { run_id: string }).run_id; // safe: the public contract, tested elsewhere

  test('the same question goes through it, with the host tools', async () => {
    server.next(
      [
        ...llm.toolCalls([{ id: 'c1', name: 'qmd_search', arguments: '{"query":"refund"}' }]),
        ...llm.done('tool_calls'),
      ],
      [
        ...llm.toolCalls([{ id: 'c2', name: 'md_read', arguments: '{"path":"faq.md"}' }]),
        ...llm.done('tool_calls'),
      ],
      [...llm.text('Write to support within 30 days (faq.md:13, made-up.md:4).'), ...llm.done()],
    );
    const before = server.requests.length;
    const answer = await home.ask('How do I get a refund?');
    expect(answer.status).toBe('succeeded');
    expect(answer.output).toContain('Write to support within 30 days');
    // Only what a tool really showed counts as a source.
    expect(answer.citations).toEqual([{ path: 'faq.md', line: 13 }]);
    const [first, second, third] = server.requests.slice(before);
    expect(first?.headers.authorization).toBe(`Bearer ${KEY}`);
    const tools = first?.body.tools?.map((tool) => tool.function.name);
    expect(tools).toEqual(expect.arrayContaining(['qmd_search', 'md_read', 'md_write', 'post_message']));
    expect(JSON.stringify(second?.body.messages)).toContain('faq.md');
    expect(JSON.stringify(third?.body.messages)).toContain('within 30 days of delivery');
  });

  test('two messages of one conversation run one after the other, the second knows the first', async () => {
    const gate = Promise.withResolvers<void>();
    server.next(
      [...llm.hold(gate.promise), ...llm.text('The first answer.'), ...llm.done()],
      [...llm.text('The second answer.'), ...llm.done()],
    );
    const before = server.requests.length;
    const first = await textBody(
      await post(runtime, secret, { conversation_key: 'order', text: 'Number-one' }),
    );
    const second = await textBody(
      await post(runtime, secret, { conversation_key: 'order', text: 'Number-two' }),
    );
    await until(() => server.requests.length === before + 1, 'the first call');
    // While the first one hangs, another conversation goes through; the second message of this one does not.
    const third = await textBody(await post(runtime, secret, { conversation_key: 'other', text: 'Three' }));
    expect((await whenDone(runtime, secret, third)).output).toBe('The second answer.');
    expect(server.requests.length).toBe(before + 2);
    expect(lastPrompt()).not.toContain('Number-one');
    gate.resolve();
    expect((await whenDone(runtime, secret, first)).output).toBe('The first answer.');
    expect((await whenDone(runtime, secret, second)).status).toBe('succeeded');
    expect(server.requests.length).toBe(before + 3);
    expect(lastPrompt()).toMatch(/Number-one.*The first answer\..*Number-two/);
  });

  test('several conversations run at the same time', async () => {
    const gate = Promise.withResolvers<void>();
    const held = [...llm.hold(gate.promise), ...llm.text('Done.'), ...llm.done()];
    server.next(held, held, held, held);
    const runs = await Promise.all(
      [1, 2, 3, 4].map(async (n) =>
        textBody(await post(runtime, secret, { conversation_key: `parallel-${n}`, text: 'Go' })),
      ),
    );
    await until(() => server.open === 4, 'four calls at once');
    gate.resolve();
    for (const run of runs) expect((await whenDone(runtime, secret, run)).status).toBe('succeeded');
  });

  test('the stream shows steps and words as they come', async () => {
    const gate = Promise.withResolvers<void>();
    server.next([...llm.text('Word by '), ...llm.hold(gate.promise), ...llm.text('word.'), ...llm.done()]);
    const run = await textBody(await post(runtime, secret, { conversation_key: 'stream', text: 'Speak' }));
    const stream = await follow(runtime, secret, run);
    await until(() => stream.answer === 'Word by ', 'the first words');
    gate.resolve();
    await stream.closed;
    expect(stream.ids).toEqual([1, 2, 3, 4]);
    expect(stream.kinds.at(-1)).toBe('end');
    expect(stream.answer).toBe('Word by word.');
  });

  test('a provider that is down fails the run with its kind; nothing of its words or the key is shown', async () => {
    server.next(llm.status(401, `your key ${KEY} is wrong`));
    const failed = await home.cli(['ask', 'Will this work?', '--json']);
    expect(failed.code).toBeGreaterThan(0);
    expect(failed.json()).toMatchObject({ status: 'failed', error: { kind: expect.any(String) } });
    expect(failed.out + failed.err).not.toContain(KEY);
  });

  test('the key is in no log, no answer and no file of the data folder', async () => {
    const everything = [
      runtime.log(),
      (await home.cli(['audit', 'tail', '--json'])).out,
      (await home.cli(['secret', 'list', '--json'])).out,
      (await home.cli(['status', '--json'])).out,
    ].join('\n');
    expect(everything).not.toContain(KEY);
    expect(everything).not.toContain(secret);
    expect((await home.cli(['secret', 'list', '--json'])).json()).toMatchObject({
      items: [{ name: 'LLM_API_KEY', source: 'environment' }],
    });
    const set = await home.cli(['secret', 'set', 'LLM_API_KEY'], { input: 'another' });
    expect(set.code).toBe(6);
  });

  test('nothing is asked of a model while nobody asks anything', async () => {
    const before = server.requests.length;
    await (await fetch(`${runtime.url}/readyz`)).json();
    await home.cli(['status', '--json']);
    expect(server.requests.length).toBe(before);
  });
});
