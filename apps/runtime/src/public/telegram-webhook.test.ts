import { isWebhookSecret } from '@agent-runtime/adapters/telegram';
import { AppError } from '@agent-runtime/domain';
import { afterEach, expect, test } from 'vitest';
import { type PublicWorld, publicWorld } from './public.fixture.ts';

const SECRET = 'a-secret-of-more-than-24-letters';
let world: PublicWorld;
afterEach(() => world.close());

const open = async (receive: (update: unknown) => Promise<void> = async () => undefined) => {
  const taken: unknown[] = [];
  world = await publicWorld(1_000, {
    isGenuine: (header) => isWebhookSecret(header, SECRET),
    receive: async (update) => {
      await receive(update);
      taken.push(update);
    },
  });
  return taken;
};
const post = (body: string, secret?: string) =>
  world.request('/telegram/webhook', {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { 'X-Telegram-Bot-Api-Secret-Token': secret }),
    },
  });

test('an update with the secret is answered once it is durable', async () => {
  const durable = Promise.withResolvers<void>();
  const taken = await open(() => durable.promise);
  let isAnswered = false;
  const answer = post('{"update_id":1}', SECRET).then((response) => {
    isAnswered = true;
    return response;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isAnswered).toBe(false);
  durable.resolve();
  expect((await answer).status).toBe(200);
  expect(taken).toEqual([{ update_id: 1 }]);
});

test.each([undefined, '', 'x', `${SECRET}x`, SECRET.slice(1)])(
  'with the secret %j nothing is taken, and the body is not looked at',
  async (secret) => {
    const taken = await open();
    expect((await post('no json', secret)).status).toBe(401);
    expect(taken).toEqual([]);
  },
);

test('strangers are refused so often a minute, and whoever has the secret is heard all the same', async () => {
  const taken = await open();
  const answers: number[] = [];
  for (let time = 0; time < 620; time += 1) answers.push((await post('{}', 'wrong')).status);
  expect(answers.at(-1)).toBe(429);
  expect((await post('{}', SECRET)).status).toBe(200);
  expect(taken).toHaveLength(1);
});

test('what is no JSON, and other methods, are refused; trouble brings it again', async () => {
  await open(async () => {
    throw new AppError({
      code: 'database.disk.unavailable',
      kind: 'unavailable',
      message: 'The disk is full.',
    });
  });
  expect((await post('{"a":', SECRET)).status).toBe(400);
  expect((await world.request('/telegram/webhook')).status).toBe(405);
  expect((await post('{}', SECRET)).status).toBe(503);
});

test('where Telegram is asked, the path does not exist', async () => {
  world = await publicWorld();
  expect((await post('{}', SECRET)).status).toBe(404);
});
