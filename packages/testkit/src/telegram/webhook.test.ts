import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from '../clock.ts';
import { startTelegramServer, type TelegramServer } from './server.ts';
import { call, refusal } from './telegram.fixture.ts';
import type { TelegramUpdate } from './wire.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

interface Hook {
  readonly url: string;
  readonly got: { readonly id: number; readonly headers: IncomingHttpHeaders }[];
  status: number;
}

async function hook(): Promise<Hook> {
  const own: Hook & { url: string } = { url: '', got: [], status: 200 };
  const server: Server = createServer(async (message, response) => {
    let body = '';
    for await (const chunk of message) body += String(chunk);
    own.got.push({ id: (JSON.parse(body) as TelegramUpdate).update_id, headers: message.headers });
    response.writeHead(own.status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ close: () => server.closeAllConnections() }, server);
  own.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return own;
}

async function start(): Promise<{ readonly own: TelegramServer; say(text: string): void }> {
  const own = await startTelegramServer({ webhookRetryMs: 1 });
  open.push(own);
  const ada = own.cast.user({ first_name: 'Ada' });
  const chat = own.cast.privateChat(ada);
  return { own, say: (text) => void own.people.say({ chat, from: ada, text }) };
}

test('updates come in order with the secret, again and again until one is taken', async () => {
  const target = await hook();
  const { own, say } = await start();
  say('before it was set');
  target.status = 500;
  expect((await call(own, 'setWebhook', { url: target.url, secret_token: 'hush' })).ok).toBe(true);
  await until(() => target.got.length >= 3, 'it tries again');
  say('second');
  const info = await call(own, 'getWebhookInfo');
  expect(info.result).toMatchObject({
    url: target.url,
    pending_update_count: 2,
    last_error_message: expect.stringContaining('500'),
  });
  target.status = 200;
  await until(() => own.updates.pending.length === 0, 'all is delivered');
  const ids = target.got.map(({ id }) => id);
  expect(ids.slice(0, -1).every((id) => id === 1)).toBe(true);
  expect(ids.at(-1)).toBe(2);
  expect(target.got[0]?.headers['x-telegram-bot-api-secret-token']).toBe('hush');
});

test('while a webhook is set nobody polls, and setting it ends the poll', async () => {
  const target = await hook();
  const { own } = await start();
  const poll = call(own, 'getUpdates', { timeout: 30 });
  await until(() => own.updates.isPolled, 'it waits');
  await call(own, 'setWebhook', { url: target.url });
  expect(await poll).toMatchObject({
    status: 409,
    description: 'Conflict: terminated by setWebhook request',
  });
  expect(await call(own, 'getUpdates')).toMatchObject({
    status: 409,
    description: expect.stringContaining('webhook is active'),
  });
  await call(own, 'deleteWebhook');
  expect((await call(own, 'getUpdates')).ok).toBe(true);
});

test('moved behind the back of the bot, updates go elsewhere without its secret', async () => {
  const [mine, other] = [await hook(), await hook()];
  const { own, say } = await start();
  await call(own, 'setWebhook', { url: mine.url, secret_token: 'hush' });
  own.webhook.changeBehindBack(other.url);
  say('hello');
  await until(() => other.got.length === 1, 'the other gets it');
  expect(mine.got).toEqual([]);
  expect(other.got[0]?.headers['x-telegram-bot-api-secret-token']).toBeUndefined();
  expect((await call(own, 'getWebhookInfo')).result).toMatchObject({ url: other.url });
  own.webhook.changeBehindBack('');
  expect((await call(own, 'getUpdates')).ok).toBe(true);
});

test('pending updates are dropped on request; bad addresses and secrets are refused', async () => {
  const { own, say } = await start();
  say('a');
  await call(own, 'deleteWebhook', { drop_pending_updates: true });
  expect(own.updates.pending).toEqual([]);
  expect(await refusal(own, 'setWebhook', { url: 'http://example.org/x' })).toContain('HTTPS URL');
  expect(await refusal(own, 'setWebhook', { url: 'nonsense' })).toContain('invalid webhook URL');
  const url = 'https://127.0.0.1:1/x';
  expect(await refusal(own, 'setWebhook', { url, secret_token: 'a b' })).toContain('unallowed characters');
});
