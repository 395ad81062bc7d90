import { until } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { skippingClock } from './discord.fixture.ts';
import { discordApi } from './rest.ts';

const ok = (headers: Record<string, string> = {}): Response =>
  new Response('{}', { status: 200, headers: { 'content-type': 'application/json', ...headers } });

function staged(answers: Response[]) {
  const asked: string[] = [];
  const api = discordApi({
    token: () => 'a.b.c',
    apiRoot: 'http://127.0.0.1:9/api',
    clock: skippingClock(true),
    timeoutMs: 60_000,
    patienceMs: 600_000,
    makeRequest: async (url) => {
      asked.push(url);
      return answers.shift() ?? ok();
    },
  });
  return { api, asked };
}

test("a 429 without Discord's words is about everything", async () => {
  const headers = { 'retry-after': '600', 'content-type': 'text/html' };
  const { api, asked } = staged([new Response('<h1>1015</h1>', { status: 429, headers })]);
  await expect(api.call({ method: 'GET', route: '/channels/1/messages' })).rejects.toMatchObject({
    kind: 'exhausted',
    retryAfterMs: 600_000,
  });
  await expect(api.call({ method: 'POST', route: '/channels/2/messages' })).rejects.toMatchObject({
    kind: 'exhausted',
  });
  expect(asked).toHaveLength(1);
  api.close();
});

test('given up while it waited for room: it never left, and everybody may know', async () => {
  const full = {
    'x-ratelimit-limit': '1',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset-after': '300',
    'x-ratelimit-bucket': 'b',
  };
  const { api, asked } = staged([ok(full), ok(full)]);
  const call = { method: 'POST', route: '/channels/1/messages', body: {} } as const;
  // The library learns the name of the bucket first, then how full it is.
  await api.call(call);
  await api.call(call);
  const control = new AbortController();
  let isOver = false;
  const waiting = api.call({ ...call, signal: control.signal }).finally(() => {
    isOver = true;
  });
  const refused = expect(waiting).rejects.toMatchObject({ kind: 'unavailable' });
  control.abort();
  await until(() => isOver, 'the end of the wait');
  await refused;
  expect(asked).toHaveLength(2);
  api.close();
});
