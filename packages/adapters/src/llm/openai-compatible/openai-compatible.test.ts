import type { LlmRequest } from '@agent-runtime/domain';
import { type LlmAnswer, type LlmServer, llm, recordingLogger, startLlmServer } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, type LlmSituation, llmConformance, textOf } from '../conformance.ts';
import type { OpenAiCompatibleOptions } from './options.ts';
import { openAiCompatibleProvider } from './provider.ts';

const KEY = 'canary-key-0123456789';
let server: LlmServer;
/** An address at which nobody listens any more. */
let nobodyUrl = '';
beforeAll(async () => {
  const gone = await startLlmServer();
  nobodyUrl = gone.baseUrl;
  await gone.close();
  server = await startLlmServer();
});
afterAll(() => server.close());

function provider(options: Partial<OpenAiCompatibleOptions> = {}) {
  return openAiCompatibleProvider({ id: 'llm', baseUrl: server.baseUrl, apiKey: () => KEY, ...options });
}

/** Every request of this provider gets this answer. */
const answering =
  (answer: LlmAnswer, options: Partial<OpenAiCompatibleOptions> = {}) =>
  () => {
    server.setFallback(answer);
    return provider(options);
  };

const twoCalls = [
  { id: 'c1', name: 'qmd_search', arguments: '{"query":"refund","limit":3}' },
  { id: 'c2', name: 'md_read', arguments: '{"path":"faq.md"}' },
];

const good: readonly LlmSituation[] = [
  {
    name: 'a text',
    provider: answering([...llm.text('Write to support.'), ...llm.done()]),
    expect: { finish: 'stop', text: 'Write to support.' },
  },
  {
    name: 'parallel tool calls in pieces come whole and in order',
    provider: answering([...llm.toolCalls(twoCalls), ...llm.done('tool_calls')]),
    expect: { finish: 'tool_calls', tools: ['qmd_search', 'md_read'] },
  },
  {
    name: 'reasoning_content is kept apart',
    provider: answering([...llm.reasoning('thought-1'), ...llm.text('Yes.'), ...llm.done()]),
    expect: { finish: 'stop', text: 'Yes.', reasoning: 'thought-1' },
  },
  {
    name: 'a think block at the head of the text is kept apart',
    provider: answering([...llm.text('<think>thought-2 is long</think>\n\nYes.'), ...llm.done()]),
    expect: { finish: 'stop', text: 'Yes.', reasoning: 'thought-2' },
  },
  {
    name: 'cut for length: the text stays, tool calls do not',
    provider: answering([...llm.text('Well'), ...llm.toolCalls(twoCalls), ...llm.done('length')]),
    expect: { finish: 'length', text: 'Well', tools: [] },
  },
  {
    name: 'filtered: tool calls do not get through',
    provider: answering([...llm.toolCalls(twoCalls), ...llm.done('content_filter')]),
    expect: { finish: 'filtered', tools: [] },
  },
  {
    name: 'tool calls that a server ends with stop',
    provider: answering([...llm.toolCalls(twoCalls), ...llm.done('stop')]),
    expect: { finish: 'tool_calls', tools: ['qmd_search', 'md_read'] },
  },
  {
    name: 'broken JSON in arguments comes as it is, for the caller to refuse',
    provider: answering([
      ...llm.toolCalls([{ id: 'c', name: 'md_read', arguments: '{"path":' }]),
      ...llm.done('tool_calls'),
    ]),
    expect: { finish: 'tool_calls', tools: ['md_read'] },
  },
];

const bad: readonly LlmSituation[] = [
  ['401', 401, 'rejected'],
  ['403', 403, 'rejected'],
  ['402', 402, 'rejected'],
  ['400', 400, 'rejected'],
  ['404', 404, 'missing'],
  ['413', 413, 'rejected'],
  ['429', 429, 'exhausted'],
  ['302', 302, 'rejected'],
  ['500', 500, 'unavailable'],
  ['503', 503, 'unavailable'],
].map(([name, status, kind]) => ({
  name: `status ${name} is ${kind}, and the server's words stay in the log`,
  provider: answering(llm.status(Number(status), `you sent ${KEY} server-words`)),
  expect: { failed: kind as 'rejected' }, // safe: from the table above
}));

const broken: readonly LlmSituation[] = [
  { name: 'cut before anything', provider: answering(llm.cut()), expect: { failed: 'unavailable' } },
  {
    name: 'cut in the text',
    provider: answering([...llm.text('half an'), ...llm.cut()]),
    expect: { failed: 'unavailable' },
  },
  {
    name: 'cut in a tool call yields none of it',
    provider: answering([...llm.toolCalls(twoCalls).slice(0, 4), ...llm.cut()]),
    expect: { failed: 'unavailable', tools: [] },
  },
  {
    name: 'a stream that ends in whole calls without a finish yields none of them',
    provider: answering(llm.toolCalls(twoCalls)),
    expect: { failed: 'unavailable', tools: [] },
  },
  {
    name: 'a malformed chunk',
    provider: answering([...llm.text('a'), ...llm.raw('data: {"choices":[{"del\n\n'), ...llm.done()]),
    expect: { failed: 'unavailable' },
  },
  {
    name: 'an error inside the stream',
    provider: answering(llm.raw(`data: {"error":{"message":"busy ${KEY} server-words","code":429}}\n\n`)),
    expect: { failed: 'exhausted' },
  },
  {
    name: 'no choices at all',
    provider: answering([...llm.empty(), ...llm.empty()]),
    expect: { failed: 'unavailable' },
  },
  { name: 'an empty answer', provider: answering(llm.done()), expect: { failed: 'unavailable' } },
  {
    name: 'no event stream but a page',
    provider: answering([{ kind: 'status', status: 200, body: '<html>welcome server-words</html>' }]),
    expect: { failed: 'unavailable' },
  },
  {
    name: 'an answer that does not stop',
    provider: answering(() => llm.endless(), { maxBytes: 50_000 }),
    expect: { failed: 'rejected' },
  },
  {
    name: 'silence before the answer',
    isSlow: true,
    provider: answering(llm.hang(), { timeouts: { firstByteMs: 50 } }),
    expect: { failed: 'unavailable' },
  },
  {
    name: 'silence in the answer',
    isSlow: true,
    provider: answering([...llm.text('half'), ...llm.hang()], { timeouts: { silenceMs: 50 } }),
    expect: { failed: 'unavailable' },
  },
  {
    name: 'nobody listens',
    provider: () => provider({ baseUrl: nobodyUrl }),
    expect: { failed: 'unavailable' },
  },
];

// undici looks at its timers about twice a second.
llmConformance('openai-compatible', {
  situations: [...good, ...bad, ...broken],
  hanging: answering([...llm.text('half'), ...llm.hang()]),
  secrets: [KEY, 'server-words'],
  open: () => server.open,
});

describe('what is sent', () => {
  const request: LlmRequest = {
    model: 'm-1',
    messages: [
      { role: 'system', text: 'Rules.' },
      { role: 'user', text: 'Hi' },
      {
        role: 'assistant',
        text: '',
        toolCalls: [
          { id: 'c1', name: 'md_read', argumentsJson: '{"path":"a.md"}' },
          { id: 'c2', name: 'md_read', argumentsJson: '{broken' },
          { id: 'c3', name: 'md_read', argumentsJson: '[1]' },
        ],
      },
      { role: 'tool', callId: 'c1', name: 'md_read', text: '1  A', isError: false },
      {
        role: 'tool',
        callId: 'c2',
        name: 'md_read',
        text: 'The arguments are not valid JSON.',
        isError: true,
      },
    ],
    tools: [{ name: 'md_read', description: 'Read.', schema: { type: 'object', properties: {} } }],
    temperature: 0.2,
    maxOutputTokens: 99,
    idempotencyKey: 'run_1.0',
  };
  const sent = async (options: Partial<OpenAiCompatibleOptions> = {}, change: Partial<LlmRequest> = {}) => {
    await collect(answering([...llm.text('ok'), ...llm.done()], options)(), { ...request, ...change });
    const last = server.requests.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  };

  test('messages, tools and limits in the words of the protocol', async () => {
    const { body, headers, path } = await sent({ headers: { 'x-team': 'garden' } });
    expect(path).toBe('/v1/chat/completions');
    expect(headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'x-team': 'garden',
      'idempotency-key': 'run_1.0',
    });
    expect(body).toMatchObject({
      model: 'm-1',
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.2,
      max_tokens: 99,
      tools: [{ type: 'function', function: { name: 'md_read', description: 'Read.' } }],
    });
    expect(body.messages).toMatchObject([
      { role: 'system', content: 'Rules.' },
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        tool_calls: [
          { id: 'c1', function: { name: 'md_read', arguments: '{"path":"a.md"}' } },
          { id: 'c2', function: { name: 'md_read', arguments: '{}' } },
          { id: 'c3', function: { name: 'md_read', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: '1  A' },
      { role: 'tool', tool_call_id: 'c2' },
    ]);
  });

  test('a redirect is not followed: the prompt goes to nobody else', async () => {
    const elsewhere = await startLlmServer();
    const location = `${elsewhere.baseUrl}/chat/completions`;
    server.next(llm.status(307, 'moved', { location }));
    expect((await collect(provider())).at(-1)).toMatchObject({ error: { kind: 'rejected' } });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  test('no key, no header', async () => {
    expect((await sent({ apiKey: () => '' })).headers.authorization).toBeUndefined();
  });

  test('a rotated key counts at the next call', async () => {
    let key = 'first-key-000';
    const rotating = provider({ apiKey: () => key });
    server.setFallback([...llm.text('ok'), ...llm.done()]);
    await collect(rotating, request);
    key = 'second-key-000';
    await collect(rotating, request);
    expect(server.requests.slice(-2).map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first-key-000',
      'Bearer second-key-000',
    ]);
  });

  test('structured output by schema, as JSON, and in words', async () => {
    const output = { name: 'verdict', schema: { type: 'object', properties: { ok: { type: 'boolean' } } } };
    const bySchema = await sent({}, { output, tools: [] });
    expect(bySchema.body.response_format).toMatchObject({
      type: 'json_schema',
      json_schema: { name: 'verdict', schema: output.schema },
    });
    const asJson = await sent({ structuredOutput: 'json' }, { output, tools: [] });
    expect(asJson.body.response_format).toEqual({ type: 'json_object' });
    expect(asJson.body.messages?.[0]?.content).toContain(JSON.stringify(output.schema));
    const inWords = await sent({ structuredOutput: 'words' }, { output, tools: [] });
    expect(inWords.body.response_format).toBeUndefined();
    expect(inWords.body.messages?.[0]?.content).toContain('one JSON object');
  });

  test('a server that refuses the schema is asked once more for JSON', async () => {
    const output = { name: 'verdict', schema: { type: 'object', properties: {} } };
    const before = server.requests.length;
    server.next(llm.status(400, 'json_schema is not supported'), [...llm.text('{"ok":true}'), ...llm.done()]);
    expect(textOf(await collect(provider(), { output }))).toBe('{"ok":true}');
    expect(server.requests.slice(before).map(({ body }) => body.response_format)).toMatchObject([
      { type: 'json_schema' },
      { type: 'json_object' },
    ]);
    server.next(llm.status(400), llm.status(400));
    expect((await collect(provider(), { output })).at(-1)).toMatchObject({ error: { kind: 'rejected' } });
  });

  test('a call is one request: no retry of its own', async () => {
    const before = server.requests.length;
    server.next(llm.status(503), [...llm.text('late'), ...llm.done()]);
    expect((await collect(provider())).at(-1)).toMatchObject({ error: { kind: 'unavailable' } });
    expect(server.requests.length - before).toBe(1);
    await collect(provider());
  });
});

describe('what comes back', () => {
  const last = async (answer: LlmAnswer) => (await collect(answering(answer)())).at(-1);

  test('arguments are the bytes of the model', async () => {
    const events = await collect(answering([...llm.toolCalls(twoCalls, 3), ...llm.done('tool_calls')])());
    const calls = events.flatMap((event) => (event.kind === 'tool_call' ? [event.call] : []));
    expect(calls).toEqual(
      twoCalls.map(({ id, name, arguments: argumentsJson }) => ({ id, name, argumentsJson })),
    );
  });

  test('usage with cached tokens, absurd usage as it is, and an estimate when there is none', async () => {
    const counted = {
      prompt_tokens: 100,
      completion_tokens: 20,
      prompt_tokens_details: { cached_tokens: 60 },
    };
    expect(await last([...llm.text('a'), ...llm.done('stop', counted)])).toMatchObject({
      usage: { inputTokens: 100, outputTokens: 20, cachedTokens: 60 },
    });
    const absurd = { prompt_tokens: -5, completion_tokens: 1e15 };
    expect(await last([...llm.text('a'), ...llm.done('stop', absurd)])).toMatchObject({
      usage: { inputTokens: -5, outputTokens: 1e15 },
    });
    for (const blind of [{ prompt_tokens: 0, completion_tokens: 0 }, { prompt_tokens: null }, {}]) {
      const event = await last([...llm.text('some words'), ...llm.done('stop', blind)]);
      expect(event?.kind === 'done' && event.usage.inputTokens).toBeGreaterThan(5);
      expect(event?.kind === 'done' && event.usage.outputTokens).toBeGreaterThan(1);
    }
    const none = await last([...llm.text('some words'), { kind: 'finish', finish: 'stop' }]);
    expect(none).toMatchObject({ kind: 'done' });
    expect(none?.kind === 'done' && none.usage.inputTokens).toBeGreaterThan(5);
    expect(none?.kind === 'done' && none.usage.outputTokens).toBeGreaterThan(1);
  });

  test('a call that was refused or never arrived cost nothing; one that broke cost what was heard', async () => {
    const spent = async (answer: LlmAnswer, options: Partial<OpenAiCompatibleOptions> = {}) => {
      const event = (await collect(answering(answer, options)())).at(-1);
      return event?.kind === 'failed' ? event.usage : undefined;
    };
    const nothing = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };
    for (const status of [401, 404, 429, 503]) expect(await spent(llm.status(status))).toEqual(nothing);
    expect(await spent([], { baseUrl: nobodyUrl })).toEqual(nothing);
    const cut = await spent([...llm.text('a few words before the end'), ...llm.cut()]);
    expect(cut?.inputTokens).toBeGreaterThan(5);
    expect(cut?.outputTokens).toBeGreaterThan(5);
    expect((await spent(llm.cut()))?.inputTokens).toBeGreaterThan(5);
    // Without a count the engine books the whole reservation.
    expect(await spent(() => llm.endless(), { maxBytes: 50_000 })).toBeUndefined();
  });

  test('a call that is stopped cost what was heard', async () => {
    const control = new AbortController();
    const usages = [];
    const stuck = answering([...llm.text('half an answer'), ...llm.hang()])();
    for await (const event of stuck.stream(
      {
        model: 'm',
        messages: [{ role: 'user', text: 'Hello there' }],
        tools: [],
        maxOutputTokens: 9,
        idempotencyKey: 'k',
      },
      control.signal,
    )) {
      control.abort();
      if (event.kind === 'failed') usages.push(event.usage);
    }
    expect(usages).toHaveLength(1);
    expect(usages[0]?.inputTokens).toBeGreaterThan(2);
    expect(usages[0]?.outputTokens).toBeGreaterThan(1);
  });

  test('429 says when to come back: milliseconds, seconds, a date, or nothing', async () => {
    const after = async (headers: Record<string, string>) => {
      const event = await last(llm.status(429, 'busy', headers));
      return event?.kind === 'failed' ? event.error.retryAfterMs : 'no failure';
    };
    expect(await after({ 'retry-after-ms': '1500' })).toBe(1_500);
    expect(await after({ 'retry-after': '2.5' })).toBe(2_500);
    const dates = { date: 'Sat, 21 Nov 2026 09:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 09:00:30 GMT' };
    expect(await after(dates)).toBe(30_000);
    expect(await after({ 'retry-after': 'soon' })).toBeUndefined();
    expect(await after({ 'retry-after': '-4' })).toBeUndefined();
    expect(await after({ 'retry-after': '99999999' })).toBe(86_400_000);
    expect(await after({})).toBeUndefined();
  });

  test('a prompt that is too long and a model that is unknown are told apart from other refusals', async () => {
    expect(await last(llm.status(400, 'This model has a maximum context length of 8192'))).toMatchObject({
      error: { kind: 'rejected', message: expect.stringContaining('too long') },
    });
    expect(await last(llm.status(400, 'The model `x` does not exist'))).toMatchObject({
      error: { kind: 'missing' },
    });
  });

  test('the log has the words of the server, without the key', async () => {
    const log = recordingLogger();
    await collect(answering(llm.status(400, `bad field temperature, key ${KEY}`), { log })());
    expect(log.dump()).toContain('bad field temperature');
    expect(log.dump()).not.toContain(KEY);
  });
});
