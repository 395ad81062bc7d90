import { createServer, type Server } from 'node:http';
import { AppError } from '@agent-runtime/domain';
import { manualClock, recordingLogger } from '@agent-runtime/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import type { TelegramOptions } from './options.ts';
import { type Stage, stages, testMemory } from './telegram.fixture.ts';
import { telegramConnector } from './telegram.ts';
import { isWebhookSecret } from './webhook.ts';

const SECRET = 'a-secret_word';
const servers: Server[] = [];
const { open, close } = stages();
afterEach(async () => {
  await close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A route as the runtime has one: the secret first, then `receive`. */
async function route(
  port = 0,
): Promise<{ readonly url: string; serve: Stage['connector'] | undefined; readonly answers: number[] }> {
  const site: { url: string; serve: Stage['connector'] | undefined; answers: number[] } = {
    url: '',
    serve: undefined,
    answers: [],
  };
  const server = createServer(async (request, response) => {
    const header = request.headers['x-telegram-bot-api-secret-token'];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const isRight = request.url === '/telegram/webhook' && isWebhookSecret(String(header ?? ''), SECRET);
    const status = isRight
      ? await site.serve?.receive(JSON.parse(Buffer.concat(chunks).toString())).then(
          () => 200,
          () => 503,
        )
      : 401;
    site.answers.push(status ?? 500);
    response.writeHead(status ?? 500).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  site.url = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : '';
  return site;
}

async function hooked(
  webhookRetryMs = 20,
): Promise<Stage & { readonly site: Awaited<ReturnType<typeof route>> }> {
  const site = await route();
  const options = { mode: 'webhook', publicUrl: `${site.url}/`, webhookSecret: SECRET } as const;
  const one = await open(options, { webhookRetryMs });
  site.serve = one.connector;
  return { ...one, site };
}

describe('making it', () => {
  const clock = manualClock();
  const options: TelegramOptions = {
    token: () => '12:abc',
    mode: 'webhook',
    publicUrl: 'https://bot.example.org',
    webhookSecret: SECRET,
    memory: testMemory(() => 0),
    clock,
    log: recordingLogger(),
  };
  test.each([
    ['no secret', { webhookSecret: undefined }, /needs a secret/],
    ['a blank secret', { webhookSecret: '' }, /needs a secret/],
    ['a secret that Telegram would refuse', { webhookSecret: 'a b' }, /needs a secret/],
    ['no address', { publicUrl: undefined }, /https/],
    ['plain http', { publicUrl: 'http://bot.example.org' }, /https/],
    ['a name that looks like loopback', { publicUrl: 'http://127.0.0.1.example.org' }, /https/],
    ['a token of another form', { token: () => 'abc' }, /123456:ABC/],
  ])('%s is refused with words', (_name, more, words) => {
    const make = (): unknown => telegramConnector({ ...options, ...more });
    expect(make).toThrow(AppError);
    expect(make).toThrow(words);
  });
  test.each(['https://bot.example.org', 'http://127.0.0.1:8080', 'http://localhost'])(
    '%s will do',
    (publicUrl) => {
      expect(telegramConnector({ ...options, publicUrl }).account).toBe('12');
    },
  );
});

test('the secret is compared as a whole, and nothing equals a blank one', () => {
  expect(isWebhookSecret(SECRET, SECRET)).toBe(true);
  for (const header of [undefined, '', SECRET.slice(1), `${SECRET}x`, SECRET.toUpperCase()])
    expect(isWebhookSecret(header, SECRET)).toBe(false);
  for (const header of [undefined, '', 'x']) expect(isWebhookSecret(header, '')).toBe(false);
});

test('it is registered with secret and kinds; what comes is answered after it is durable', async () => {
  const one = await hooked();
  const gate = Promise.withResolvers<void>();
  await one.connector.start(async (event) => {
    one.heard.push(event);
    await gate.promise;
  });
  await one.pass(() => one.server.webhook.url !== undefined, 'it is set', 20);
  expect(one.server.callsOf('setWebhook')[0]?.params).toMatchObject({
    url: `${one.site.url}/telegram/webhook`,
    secret_token: SECRET,
    allowed_updates: expect.arrayContaining(['message', 'message_reaction', 'chat_member']),
  });
  one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
  await one.pass(() => one.heard.length === 1, 'it is offered', 20);
  expect(one.site.answers).toEqual([]);
  expect(one.server.updates.pending).toHaveLength(1);
  gate.resolve();
  await one.pass(() => one.server.updates.pending.length === 0, 'it is confirmed', 20);
  expect(one.site.answers).toEqual([200]);
  expect(one.server.callsOf('getUpdates')).toEqual([]);
});

test('a refusal that passes is told, so that it comes again; one for good is not', async () => {
  const one = await hooked();
  let tries = 0;
  await one.connector.start(async (event) => {
    tries += 1;
    if (tries === 1)
      throw new AppError({ code: 'ingest.test.unavailable', kind: 'unavailable', message: 'No.' });
    if (event.text === 'b')
      throw new AppError({ code: 'ingest.test.invalid', kind: 'invalid', message: 'No.' });
  });
  await one.pass(() => one.server.webhook.url !== undefined, 'it is set', 20);
  for (const text of ['a', 'b']) one.server.people.say({ chat: one.group, from: one.ann, text });
  await one.pass(() => one.server.updates.pending.length === 0, 'both are confirmed', 20);
  expect(one.site.answers).toEqual([503, 200, 200]);
});

test('nothing is taken before the start, after the stop, or while it asks by itself', async () => {
  const one = await hooked();
  const update = {
    update_id: 1,
    message: { message_id: 1, date: 1, chat: one.group, from: one.ann, text: 'a' },
  };
  await expect(one.connector.receive(update)).rejects.toMatchObject({ kind: 'unavailable' });
  await one.connector.start(one.accept);
  await one.pass(() => one.server.webhook.url !== undefined, 'it is set', 20);
  await one.connector.receive(update);
  await one.connector.stop();
  await expect(one.connector.receive(update)).rejects.toMatchObject({ kind: 'unavailable' });
  const polling = await open();
  await polling.connector.start(polling.accept);
  await polling.pass(() => polling.server.updates.isPolled, 'it polls', 20);
  await expect(polling.connector.receive(update)).rejects.toMatchObject({ kind: 'unavailable' });
  expect([...one.heard, ...polling.heard]).toHaveLength(1);
});

test('a stolen token moves the webhook: alarm within five minutes, and it is set again', async () => {
  const one = await hooked();
  await one.connector.start(one.accept);
  await one.pass(() => one.server.webhook.url !== undefined, 'it is set', 20);
  one.server.webhook.changeBehindBack('http://127.0.0.1:9/thief');
  await one.pass(() => one.server.webhook.url?.startsWith(one.site.url) === true, 'it is set again', 20_000);
  expect(one.connector.trouble?.()).toMatch(/token is stolen/);
  expect(one.server.callsOf('setWebhook').at(-1)?.params).toMatchObject({ secret_token: SECRET });
  expect(one.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  const looks = one.server.callsOf('getWebhookInfo').length;
  await one.pass(() => one.server.callsOf('getWebhookInfo').length > looks, 'the next look', 20_000);
  await one.clock.settle();
  expect(one.connector.trouble?.()).toMatch(/token is stolen/);
  await one.connector.start(one.accept);
  await one.pass(() => one.connector.trouble?.() === undefined, 'a restart ends it', 20);
});

test('Telegram does not get through: alarm with its own words until a look without news', async () => {
  const one = await hooked(30_000);
  await one.connector.start(one.accept);
  await one.pass(() => one.server.webhook.url !== undefined, 'it is set', 20);
  one.site.serve = undefined;
  one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
  await one.pass(() => /PUBLIC_URL and the proxy/.test(one.connector.trouble?.() ?? ''), 'it is told', 5_000);
  expect(one.connector.trouble?.()).toMatch(/Wrong response from the webhook: 500/);
  expect(one.server.callsOf('setWebhook')).toHaveLength(1);
  one.site.serve = one.connector;
  await one.pass(() => one.heard.length === 1, 'it comes', 5_000);
  await one.pass(() => one.connector.trouble?.() === undefined, 'it is over', 20_000);
});

test('Telegram calls with another secret: the webhook is set again', async () => {
  const one = await hooked(30_000);
  await one.connector.start(one.accept);
  await one.pass(() => one.server.webhook.url !== undefined, 'it is set', 20);
  one.server.webhook.changeBehindBack(`${one.site.url}/telegram/webhook`);
  one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
  await one.pass(() => one.heard.length === 1, 'it comes', 5_000);
  expect(one.site.answers).toContain(401);
  expect(one.server.callsOf('setWebhook')).toHaveLength(2);
});

test('a webhook that Telegram refuses is told in its own words', async () => {
  const one = await open({ mode: 'webhook', publicUrl: 'https://bot.example.org', webhookSecret: SECRET });
  one.server.faults.add({
    kind: 'refuse',
    method: 'setWebhook',
    status: 400,
    description: 'Bad Request: bad webhook: Failed to resolve host',
  });
  await one.connector.start(one.accept);
  await one.pass(() => one.connector.trouble?.() !== undefined, 'it is told', 20);
  expect(one.connector.trouble?.()).toMatch(/Failed to resolve host/);
  await one.pass(() => one.connector.trouble?.() === undefined, 'it works');
});

test('a stop waits for what Telegram is just telling', async () => {
  const one = await hooked();
  const gate = Promise.withResolvers<void>();
  await one.connector.start(async (event) => {
    one.heard.push(event);
    await gate.promise;
  });
  await one.pass(() => one.server.webhook.url !== undefined, 'it is set', 20);
  one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
  await one.pass(() => one.heard.length === 1, 'it is offered', 20);
  let isStopped = false;
  const stopped = one.connector.stop().then(() => {
    isStopped = true;
  });
  await one.clock.advance(60_000);
  expect(isStopped).toBe(false);
  gate.resolve();
  await stopped;
});
