import { afterEach, expect, test } from 'vitest';
import { until } from '../clock.ts';
import { llm } from './moves.ts';
import { type LlmServer, startLlmServer } from './server.ts';

let server: LlmServer | undefined;
afterEach(() => server?.close());

const ask = (to: LlmServer, body: object = { model: 'm' }): Promise<Response> =>
  fetch(`${to.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization: 'Bearer k' },
  });

/** The chunks of an answer, without the end mark. */
async function chunksOf(
  response: Response,
): Promise<readonly { choices: { delta: Record<string, unknown> }[] }[]> {
  const lines = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('data: ') && !line.includes('[DONE]'));
  return lines.map((line) => JSON.parse(line.slice(6)));
}

test('records a request before it answers, plans come in order, then the fallback', async () => {
  server = await startLlmServer({ fallback: [...llm.text('again'), ...llm.done()] });
  server.next([...llm.text('one two'), ...llm.done()], (request, index) =>
    llm.text(`${request.body.model} ${index}`),
  );
  const first = await chunksOf(await ask(server));
  expect(first.map(({ choices }) => choices[0]?.delta.content)).toEqual(['one', ' two', undefined]);
  expect(
    (await chunksOf(await ask(server, { model: 'x' }))).map(({ choices }) => choices[0]?.delta.content),
  ).toEqual(['x', ' 1']);
  expect(await (await ask(server)).text()).toContain('again');
  expect(server.requests.map(({ body, path }) => [path, body.model])).toEqual([
    ['/v1/chat/completions', 'm'],
    ['/v1/chat/completions', 'x'],
    ['/v1/chat/completions', 'm'],
  ]);
  expect(server.requests[0]?.headers.authorization).toBe('Bearer k');
});

test('parallel tool calls come in pieces that add up', async () => {
  server = await startLlmServer();
  const calls = [
    { id: 'a', name: 'f', arguments: '{"x":"long enough to be cut"}' },
    { id: 'b', name: 'g', arguments: '{}' },
  ];
  server.next([...llm.toolCalls(calls, 5), ...llm.done('tool_calls')]);
  const sums = ['', ''];
  for (const { choices } of await chunksOf(await ask(server))) {
    const deltas = (choices[0]?.delta.tool_calls ?? []) as {
      index: number;
      function: { arguments?: string };
    }[];
    for (const delta of deltas) sums[delta.index] += delta.function.arguments ?? '';
  }
  expect(sums).toEqual(calls.map((call) => call.arguments));
});

test('answers with a status and headers, lists models, and breaks the line', async () => {
  server = await startLlmServer();
  server.next(llm.status(429, 'busy', { 'retry-after': '3' }), [...llm.text('half'), ...llm.cut()]);
  const busy = await ask(server);
  expect([busy.status, busy.headers.get('retry-after'), await busy.text()]).toEqual([
    429,
    '3',
    expect.stringContaining('busy'),
  ]);
  const cut = await ask(server);
  await expect(cut.text()).rejects.toThrow();
  expect(await (await fetch(`${server.baseUrl}/models`)).json()).toMatchObject({
    data: [{ id: 'emulated' }],
  });
});

test('holds until told, hangs until left, and knows what is open', async () => {
  server = await startLlmServer();
  const own = server;
  const gate = Promise.withResolvers<void>();
  own.next([...llm.hold(gate.promise), ...llm.text('late'), ...llm.done()], llm.hang());
  let isAnswered = false;
  const held = ask(own).then(async (response) => {
    isAnswered = true;
    return response.text();
  });
  await until(() => own.requests.length === 1, 'the request was recorded');
  expect([isAnswered, own.open]).toEqual([false, 1]);
  gate.resolve();
  expect(await held).toContain('late');
  const control = new AbortController();
  const hanging = fetch(`${own.baseUrl}/chat/completions`, {
    method: 'POST',
    body: '{}',
    signal: control.signal,
  });
  await until(() => own.requests.length === 2, 'the second request was recorded');
  control.abort();
  await expect(hanging).rejects.toThrow();
  await until(() => own.open === 0, 'nothing is open');
});

test('an endless answer stops when nobody reads it', async () => {
  server = await startLlmServer();
  const own = server;
  own.next(llm.endless());
  const response = await ask(own);
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await until(() => own.open === 0, 'the line is closed');
});

test('ends in good order without its mark, sends bytes as they are, one by one', async () => {
  server = await startLlmServer();
  const pauses: number[] = [];
  server.next(
    [...llm.text('a'), ...llm.end()],
    llm.body(Uint8Array.of(0xff), { 'content-type': 'x/y' }),
    () => llm.drip('abc', async () => pauses.push(1)),
  );
  expect(await (await ask(server)).text()).not.toContain('[DONE]');
  const other = await ask(server);
  expect([other.headers.get('content-type'), ...new Uint8Array(await other.arrayBuffer())]).toEqual([
    'x/y',
    0xff,
  ]);
  expect(await (await ask(server)).text()).toMatch(/^abc/);
  expect(pauses).toHaveLength(3);
});

test('knows how many requests wait', async () => {
  server = await startLlmServer();
  const own = server;
  const gate = Promise.withResolvers<void>();
  own.next([...llm.text('a'), ...llm.hold(gate.promise), ...llm.done()]);
  const held = ask(own).then((response) => response.text());
  await until(() => own.stalled === 1, 'it waits');
  gate.resolve();
  await held;
  expect(own.stalled).toBe(0);
});
