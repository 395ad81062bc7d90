import { once } from 'node:events';
import { createServer } from 'node:net';
import { until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, type Room, type TelegramPlatform, telegramPlatform } from './platform.fixture.ts';
import { LIMIT_MS, type PlatformWorld, platformWorld } from './platform-world.fixture.ts';

const SECRET = 'a-secret-of-more-than-24-letters';

/** Telegram must be told where we will listen before we do. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('Telegram calls us', { timeout: 120_000 }, () => {
  let world: PlatformWorld;
  let platform: TelegramPlatform;
  let ada: Person;
  let talk: Room;
  let url: string;
  beforeAll(async () => {
    platform = await telegramPlatform();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    world = await platformWorld(async () => platform, {
      AGENT_RUNTIME_PUBLIC_LISTEN: `127.0.0.1:${port}`,
      AGENT_RUNTIME_PUBLIC_URL: url,
      AGENT_RUNTIME_TELEGRAM_MODE: 'webhook',
      AGENT_RUNTIME_TELEGRAM_WEBHOOK_SECRET: SECRET,
    });
    await until(() => platform.server.webhook.url !== undefined, 'the webhook is registered', LIMIT_MS);
    ada = platform.person('Ada');
    talk = await world.pair(ada, 'ada', 'member');
  }, 120_000);
  afterAll(() => world?.close());

  const answers = (n: number): number =>
    platform.shown(talk).filter(({ text }) => text === `Answer to question-${n}.`).length;

  test('what is said is answered, once, also when it comes twice', async () => {
    platform.say(talk, ada, 'This is question-1', { again: true });
    await until(() => answers(1) > 0, 'the answer', LIMIT_MS);
    expect([answers(1), platform.server.updates.polls]).toEqual([1, 0]);
  });

  test('what is said while nobody listens is answered after kill -9, once', async () => {
    const restarted = world.restart();
    platform.say(talk, ada, 'This is question-2');
    await restarted;
    await until(() => answers(2) > 0, 'the answer', LIMIT_MS);
    expect(answers(2)).toBe(1);
  });

  test('nobody else speaks in the name of Telegram', async () => {
    const update = {
      update_id: 1,
      message: {
        message_id: 999,
        date: 1,
        chat: { id: Number(talk.id), type: 'private', first_name: 'Ada' },
        from: { id: Number(ada.id), is_bot: false, first_name: 'Ada' },
        text: 'This is question-3',
      },
    };
    for (const secret of ['', `${SECRET}x`]) {
      const answer = await fetch(`${url}/telegram/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'X-Telegram-Bot-Api-Secret-Token': secret },
        body: JSON.stringify(update),
      });
      expect(answer.status).toBe(401);
    }
    platform.say(talk, ada, 'This is question-4');
    await until(() => answers(4) > 0, 'the answer to the real one', LIMIT_MS);
    expect([answers(3), platform.problems()]).toEqual([0, []]);
  });
});
