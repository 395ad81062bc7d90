import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ManualClock, manualClock, until } from '../../clock.ts';
import { call, home } from '../discord.fixture.ts';
import { type DiscordServer, startDiscordServer } from '../server.ts';

let clock: ManualClock;
let discord: DiscordServer;
let place: ReturnType<typeof home>;
beforeEach(async () => {
  clock = manualClock();
  discord = await startDiscordServer({ clock });
  place = home(discord);
});
afterEach(() => discord.close());

const post = (content = 'x', path = place.messagesPath) => call(discord, 'POST', path, { content });
const contents = () => discord.messages(place.channel).map(({ wire }) => wire.content);
const MESSAGES = '/channels/{channel_id}/messages';

describe('limits', () => {
  test('so many calls per window and channel; the rest is told how long to wait', async () => {
    discord.limits.add({ method: 'POST', route: MESSAGES, limit: 2, windowMs: 5_000 });
    const other = discord.channel({ guild: place.guild, name: 'other' });
    const first = await post();
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
      'x-ratelimit-reset-after': '5.000',
    });
    await post();
    await clock.advance(1_500);
    const refused = await post();
    expect([refused.status, refused.body]).toEqual([
      429,
      { message: expect.any(String), retry_after: 3.5, global: false },
    ]);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '4',
      'x-ratelimit-scope': 'user',
      'x-ratelimit-bucket': first.headers.get('x-ratelimit-bucket'),
    });
    expect((await post('x', `/channels/${other.id}/messages`)).status).toBe(200);
    await clock.advance(3_500);
    expect((await post()).status).toBe(200);
    expect([discord.invalidRequests, discord.limits.tooEarly.length]).toEqual([1, 0]);
  });

  test('who does not wait is noted', async () => {
    discord.faults.add({ kind: 'too-many', retryAfterS: 2 });
    await post();
    await clock.advance(1_999);
    await post();
    await clock.advance(1);
    await post();
    expect(discord.limits.tooEarly.map(({ index }) => index)).toEqual([1]);
  });

  test('a global limit stops every route but those of interactions', async () => {
    discord.limits.setGlobal(1, 1_000);
    await post();
    const refused = await call(discord, 'GET', '/users/@me');
    expect([refused.status, refused.body.global, refused.headers.get('x-ratelimit-scope')]).toEqual([
      429,
      true,
      'global',
    ]);
    expect((await call(discord, 'POST', '/interactions/1/x/callback', { type: 5 })).body.code).toBe(10062);
    await call(discord, 'GET', '/users/@me');
    expect(discord.limits.tooEarly).toHaveLength(1);
  });

  test('a shared limit does not count against the caller', async () => {
    discord.faults.add({ kind: 'too-many', scope: 'shared' });
    expect((await post()).status).toBe(429);
    expect(discord.invalidRequests).toBe(0);
  });
});

describe('faults', () => {
  test('a refusal, so many times, only where it is meant', async () => {
    discord.faults.add({
      kind: 'refusal',
      status: 403,
      code: 50013,
      method: 'POST',
      route: MESSAGES,
      times: 2,
    });
    expect((await call(discord, 'GET', place.messagesPath)).status).toBe(200);
    expect([(await post()).body.code, (await post()).body.code, (await post()).status]).toEqual([
      50013, 50013, 200,
    ]);
    expect([discord.invalidRequests, discord.faults.waiting, contents()]).toEqual([2, 0, ['x']]);
  });

  test.each([
    ['drop-before', []],
    ['refuse', []],
    ['drop-after', ['x']],
  ] as const)('%s: the line ends, and the channel has %j', async (kind, expected) => {
    discord.faults.add({ kind });
    await expect(post()).rejects.toThrow();
    expect(contents()).toEqual(expected);
    expect((await post('next')).status).toBe(200);
  });

  test.each([
    [false, []],
    [true, ['x']],
  ])('a server error (processed: %s) leaves %j', async (isProcessed, expected) => {
    discord.faults.add({ kind: 'server-error', status: 502, isProcessed });
    expect((await post()).status).toBe(502);
    expect(contents()).toEqual(expected);
  });

  test.each([
    [false, []],
    [true, ['x']],
  ])(
    'a call that hangs (processed: %s) leaves %j and ends with the server',
    async (isProcessed, expected) => {
      discord.faults.add({ kind: 'hang', isProcessed });
      const hanging = post().catch((error: unknown) => error);
      await discord.until(
        () => discord.calls.length === 1 && contents().length === expected.length,
        'the call',
      );
      await discord.down();
      expect(await hanging).toBeInstanceOf(Error);
      expect(contents()).toEqual(expected);
      await discord.up();
    },
  );

  test('a slow call waits on the clock', async () => {
    discord.faults.add({ kind: 'slow', delayMs: 4_000 });
    const slow = post();
    await until(() => clock.sleeping === 1, 'the call');
    expect(contents()).toEqual([]);
    await clock.advance(4_000);
    expect((await slow).status).toBe(200);
  });
});

test('a hook runs after the effect, and the answer waits for it', async () => {
  let isAnswered = false;
  const seen: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  const off = discord.onCall({ method: 'POST', when: ({ body }) => body !== undefined }, ({ status }) => {
    seen.push([status, contents()]);
    return gate.promise;
  });
  const posting = post().then(() => {
    isAnswered = true;
  });
  await until(() => seen.length === 1, 'the hook');
  await call(discord, 'GET', '/users/@me');
  expect([seen, isAnswered]).toEqual([[[200, ['x']]], false]);
  gate.resolve();
  await posting;
  off();
  await post();
  expect(seen).toHaveLength(1);
});

test('when it is down nobody listens; it comes back on the same port', async () => {
  const { apiUrl } = discord;
  await discord.down();
  await expect(post()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  await discord.up();
  expect([discord.apiUrl, (await post()).status]).toEqual([apiUrl, 200]);
});
