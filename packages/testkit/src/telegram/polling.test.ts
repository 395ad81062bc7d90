import { afterEach, expect, test } from 'vitest';
import { manualClock, until } from '../clock.ts';
import { startTelegramServer, type TelegramServer, type TelegramServerOptions } from './server.ts';
import { call } from './telegram.fixture.ts';
import type { TelegramChat, TelegramUpdate, TelegramUser } from './wire.ts';

let server: TelegramServer | undefined;
afterEach(() => server?.close());

interface Scene {
  readonly own: TelegramServer;
  readonly ada: TelegramUser;
  readonly chat: TelegramChat;
  say(...texts: readonly string[]): void;
  poll(params?: object): Promise<readonly number[]>;
}

async function scene(options: TelegramServerOptions = {}): Promise<Scene> {
  const own = await startTelegramServer(options);
  server = own;
  const ada = own.cast.user({ first_name: 'Ada' });
  const chat = own.cast.privateChat(ada);
  return {
    own,
    ada,
    chat,
    say: (...texts) => {
      for (const text of texts) own.people.say({ chat, from: ada, text });
    },
    poll: async (params = {}) => {
      const { result } = await call(own, 'getUpdates', params);
      return (result as readonly TelegramUpdate[]).map(({ update_id }) => update_id);
    },
  };
}

test('an offset confirms everything lower, and nothing else does', async () => {
  const { say, poll } = await scene({ firstUpdateId: 10 });
  say('a', 'b', 'c');
  expect(await poll()).toEqual([10, 11, 12]);
  expect(await poll({ limit: 2 })).toEqual([10, 11]);
  expect(await poll({ offset: 11 })).toEqual([11, 12]);
  expect(await poll({ offset: 0 })).toEqual([11, 12]);
  expect(await poll({ offset: 13 })).toEqual([]);
  expect(await poll()).toEqual([]);
});

test('a negative offset forgets all but the last', async () => {
  const { say, poll } = await scene();
  say('a', 'b', 'c');
  expect(await poll({ offset: -1 })).toEqual([3]);
  expect(await poll()).toEqual([3]);
});

test('a long poll ends when something comes, and when its time is over', async () => {
  const clock = manualClock();
  const { own, say, poll } = await scene({ clock });
  const woken = poll({ timeout: 30 });
  await until(() => own.updates.isPolled, 'it waits');
  say('a');
  expect(await woken).toEqual([1]);
  const late = poll({ offset: 2, timeout: 30 });
  await until(() => own.updates.isPolled, 'it waits again');
  await clock.advance(29_999);
  expect(own.updates.isPolled).toBe(true);
  await clock.advance(1);
  expect(await late).toEqual([]);
});

test('a second poll ends the first with 409', async () => {
  const { own, say, poll } = await scene();
  const first = call(own, 'getUpdates', { timeout: 30 });
  await until(() => own.updates.isPolled, 'the first waits');
  const second = poll({ timeout: 30 });
  expect(await first).toMatchObject({
    status: 409,
    description: expect.stringMatching(/^Conflict: terminated by other getUpdates request/),
  });
  say('a');
  expect(await second).toEqual([1]);
});

test('who hangs up waits no longer, and loses nothing', async () => {
  const { own, say, poll } = await scene();
  const control = new AbortController();
  const left = fetch(`${own.apiRoot}/bot${own.token}/getUpdates?timeout=30`, { signal: control.signal });
  await until(() => own.updates.isPolled, 'it waits');
  control.abort();
  await expect(left).rejects.toThrow();
  await until(() => !own.updates.isPolled, 'it waits no longer');
  say('a');
  expect(await poll()).toEqual([1]);
});

test('allowed_updates are remembered; some kinds must be named', async () => {
  const { own, ada, chat, say, poll } = await scene();
  const { message_id } = own.people.say({ chat, from: ada, text: 'a' });
  expect(own.people.react({ message_id, chat }, ['👍'], ada)).toBeUndefined();
  await poll({ allowed_updates: ['message_reaction'], offset: 2 });
  say('not asked for');
  expect(own.people.react({ message_id, chat }, ['🔥'], ada)).toMatchObject({
    message_reaction: { old_reaction: [{ emoji: '👍' }], new_reaction: [{ emoji: '🔥' }], user: ada },
  });
  expect(await poll()).toEqual([2]);
  await poll({ allowed_updates: [], offset: 3 });
  say('asked for again');
  expect(await poll()).toEqual([3]);
});

test('ids that restart lower: an offset far ahead is answered from the beginning', async () => {
  const { own, say, poll } = await scene({ firstUpdateId: 1000 });
  say('a');
  expect(await poll({ offset: 1000 })).toEqual([1000]);
  expect(await poll({ offset: 1001 })).toEqual([]);
  own.updates.restart(500);
  say('b', 'c');
  expect(await poll({ offset: 1001 })).toEqual([500, 501]);
  expect(await poll({ offset: 501 })).toEqual([501]);
});

test('duplicates and another order on request', async () => {
  const { own, say, poll } = await scene();
  say('a', 'b');
  own.updates.duplicate();
  expect(await poll()).toEqual([1, 2, 1, 2]);
  own.updates.reorder((pending) => pending.slice(0, 2).reverse());
  expect(await poll()).toEqual([2, 1]);
});

test('a wrong token is 401, an unknown method 404, and invalid requests are counted', async () => {
  const { own } = await scene();
  const wrong = await fetch(`${own.apiRoot}/bot1:wrong/getMe`);
  expect([wrong.status, await wrong.json()]).toEqual([
    401,
    { ok: false, error_code: 401, description: 'Unauthorized' },
  ]);
  expect((await call(own, 'makeCoffee')).status).toBe(404);
  expect((await fetch(`${own.apiRoot}/elsewhere`)).status).toBe(404);
  expect(own.invalid).toEqual({ unauthorized: 1, forbidden: 0, tooMany: 0 });
});

test('a poll ends when the server closes', async () => {
  const { own } = await scene();
  const left = call(own, 'getUpdates', { timeout: 30 });
  await until(() => own.updates.isPolled, 'it waits');
  await own.close();
  await expect(left).rejects.toThrow();
});
