import { afterEach, expect, test } from 'vitest';
import { type ManualClock, manualClock, until } from '../clock.ts';
import type { RateRules } from './rates.ts';
import { startTelegramServer, type TelegramServer } from './server.ts';
import { call, refusal } from './telegram.fixture.ts';
import type { TelegramChat } from './wire.ts';

let server: TelegramServer | undefined;
afterEach(() => server?.close());

interface Scene {
  readonly own: TelegramServer;
  readonly clock: ManualClock;
  readonly chat: TelegramChat;
  send(to?: TelegramChat): Promise<number>;
  texts(): readonly (string | undefined)[];
}

async function scene(rates?: RateRules): Promise<Scene> {
  const clock = manualClock();
  const own = await startTelegramServer({ clock, ...(rates === undefined ? {} : { rates }) });
  server = own;
  const chat = own.cast.chat({ type: 'group', title: 'G' });
  return {
    own,
    clock,
    chat,
    send: async (to = chat) => (await call(own, 'sendMessage', { chat_id: to.id, text: 'x' })).status,
    texts: () => own.visible(chat).map(({ text }) => text),
  };
}

test('429 holds for its chat until its time has passed, and who comes earlier is counted', async () => {
  const { own, clock, chat, send } = await scene();
  const other = own.cast.chat({ type: 'group', title: 'H' });
  own.faults.add({ kind: 'too-many', retryAfterSeconds: 3, chat });
  expect(await call(own, 'sendMessage', { chat_id: chat.id, text: 'x' })).toMatchObject({
    status: 429,
    description: 'Too Many Requests: retry after 3',
    parameters: { retry_after: 3 },
  });
  expect([await send(), await send(other)]).toEqual([429, 200]);
  await clock.advance(1500);
  expect(await call(own, 'sendMessage', { chat_id: chat.id, text: 'x' })).toMatchObject({
    parameters: { retry_after: 2 },
  });
  await clock.advance(1500);
  expect(await send()).toBe(200);
  expect([own.faults.tooEarly, own.invalid.tooMany]).toEqual([2, 3]);
});

test('a global 429 holds everywhere', async () => {
  const { own, clock, send } = await scene();
  own.faults.add({ kind: 'too-many', retryAfterSeconds: 1, isGlobal: true });
  await send();
  expect((await call(own, 'getMe')).status).toBe(429);
  await clock.advance(1000);
  expect((await call(own, 'getMe')).status).toBe(200);
  expect(own.faults.tooEarly).toBe(1);
});

test('a fault strikes the calls it is for, so many times, after so many good ones', async () => {
  const { own, chat, send } = await scene();
  const other = own.cast.chat({ type: 'group', title: 'H' });
  own.faults.add({ method: 'editMessageText', kind: 'server-error' });
  own.faults.add({
    method: 'sendMessage',
    chat,
    kind: 'refuse',
    description: "Bad Request: can't parse entities: x",
    after: 1,
    times: 2,
  });
  expect([await send(), await send(other), await send(), await send(other)]).toEqual([200, 200, 400, 200]);
  expect([await send(), await send()]).toEqual([400, 200]);
  expect(own.faults.left).toBe(1);
  own.faults.clear();
  expect(own.faults.left).toBe(0);
});

test('a server error is a page, no JSON', async () => {
  const { own } = await scene();
  own.faults.add({ kind: 'server-error', status: 500 });
  const response = await fetch(`${own.apiRoot}/bot${own.token}/getMe`);
  expect([response.status, response.headers.get('content-type')]).toEqual([500, 'text/html']);
  expect(await response.text()).toContain('<html>');
});

test('a line may break before and after a call was processed', async () => {
  const { own, send, texts } = await scene();
  own.faults.add({ method: 'sendMessage', kind: 'drop-before' });
  await expect(send()).rejects.toThrow();
  expect(texts()).toEqual([]);
  own.faults.add({ method: 'sendMessage', kind: 'drop-after' });
  await expect(send()).rejects.toThrow();
  expect(texts()).toEqual(['x']);
  expect(own.callsOf('sendMessage').map(({ status }) => status)).toEqual([undefined, undefined]);
});

test('a call may hang before and after it was processed, or be slow', async () => {
  const { own, clock, chat, send, texts } = await scene();
  const left = async (): Promise<unknown> => {
    const control = new AbortController();
    const known = own.calls.length;
    const asked = fetch(`${own.apiRoot}/bot${own.token}/sendMessage?chat_id=${chat.id}&text=x`, {
      signal: control.signal,
    });
    await until(() => own.calls.length > known, 'the call came');
    setImmediate(() => control.abort());
    return asked.catch((error: unknown) => error);
  };
  own.faults.add({ kind: 'hang' });
  expect(await left()).toBeInstanceOf(Error);
  expect(texts()).toEqual([]);
  own.faults.add({ kind: 'hang-after' });
  expect(await left()).toBeInstanceOf(Error);
  expect(texts()).toEqual(['x']);
  own.faults.add({ kind: 'slow', ms: 5000 });
  const slow = send();
  await until(() => clock.sleeping === 1, 'it sleeps');
  await clock.advance(5000);
  expect(await slow).toBe(200);
});

test('downloads have faults of their own', async () => {
  const { own, chat } = await scene();
  const ada = own.cast.user({ first_name: 'Ada' });
  const said = own.people.say({ chat, from: ada, document: { bytes: 'abc', file_name: 'a.txt' } });
  const { result } = await call(own, 'getFile', { file_id: said.document?.file_id });
  const url = `${own.apiRoot}/file/bot${own.token}/${(result as { file_path: string }).file_path}`;
  own.faults.add({ method: 'file', kind: 'server-error' });
  const statuses: number[] = [];
  for (const address of [url, url, `${url}x`]) statuses.push((await fetch(address)).status);
  expect(statuses).toEqual([502, 200, 404]);
  expect(own.callsOf('file').map(({ status }) => status)).toEqual([502, 200, 404]);
});

test('a hook runs after a call was processed and before it is answered', async () => {
  const { own, send, texts } = await scene();
  const seen: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  const stop = own.onCall('sendMessage', async ({ status }, result) => {
    seen.push([status, texts(), result]);
    await gate.promise;
  });
  const sent = send();
  await until(() => seen.length === 1, 'the hook runs');
  expect(seen[0]).toEqual([undefined, ['x'], expect.objectContaining({ text: 'x' })]);
  gate.resolve();
  expect(await sent).toBe(200);
  stop();
  expect(await send()).toBe(200);
  expect(seen).toHaveLength(1);
});

test('limits of the real server, when they are on', async () => {
  const { own, clock, send } = await scene({ perChatPerSecond: 1, perGroupPerMinute: 2, perSecond: 3 });
  expect([await send(), await send()]).toEqual([200, 429]);
  await clock.advance(1000);
  expect(await send()).toBe(200);
  await clock.advance(1000);
  expect(await call(own, 'sendMessage', { chat_id: 0, text: 'x' })).toMatchObject({ status: 400 });
  expect(
    await refusal(own, 'sendMessage', {
      chat_id: own.cast.chat({ type: 'group', title: 'I' }).id,
      text: 'x',
    }),
  ).toBe('');
  expect(await send()).toBe(429);
  await clock.advance(58_000);
  expect(await send()).toBe(200);
  expect(own.faults.tooEarly).toBe(0);
});
