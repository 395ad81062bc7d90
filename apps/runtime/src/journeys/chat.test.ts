import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, type Running } from './journey.fixture.ts';

const KILLS = process.env.SOAK === '1' ? 50 : 2;

describe('a chat', { timeout: 15_000 * (KILLS + 4) }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  beforeAll(async () => {
    server = await startLlmServer({
      fallback: (request) => {
        const asked = JSON.stringify(request.body.messages?.at(-1)?.content ?? '');
        return [...llm.text(`Answer to ${/question-\d+/.exec(asked)?.[0]}.`), ...llm.done()];
      },
    });
    home = newHome({ AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'emulated' });
    mkdirSync(join(home.folder, 'chat'), { recursive: true });
    runtime = await home.start();
  }, 60_000);
  afterAll(async () => {
    await home.remove();
    await server.close();
  });

  // Each from another visitor: one alone may ask only a few times a minute.
  const say = (id: string, text: string): void =>
    home.chat.say({ id, channel: 'general', sender: `visitor-${id}`, text });
  const answers = (n: number): number =>
    home.chat.textsIn('general').filter((text) => text.includes(`Answer to question-${n}.`)).length;

  test('a question of a visitor is answered there', async () => {
    say('m1', 'This is question-1');
    await until(() => answers(1) === 1, 'the answer arrived', 10_000);
    expect(home.chat.delivered().every(({ address }) => address === 'general')).toBe(true);
  });

  test('the same event again is one event', async () => {
    say('m1', 'This is question-1');
    say('m2', 'This is question-2');
    await until(() => answers(2) === 1, 'the next answer arrived', 10_000);
    expect(answers(1)).toBe(1);
  });

  test('a visitor gives no orders', async () => {
    say('m3', '/panic on');
    say('m4', 'This is question-3');
    await until(() => answers(3) === 1, 'work goes on', 10_000);
    expect((await home.cli(['panic', 'status', '--json'])).json()).toMatchObject({ on: false });
  });

  test(`kill -9 ${KILLS} times with a question in the air: each is answered, none twice`, async () => {
    const first = 100;
    for (let n = first; n < first + KILLS; n += 1) {
      const asked = server.requests.length;
      say(`k${n}`, `This is question-${n}`);
      // In turn: before the chat was looked at, and while the answer is made.
      if (n % 2 === 1) await until(() => server.requests.length > asked, 'the model is being asked', 10_000);
      await runtime.kill();
      runtime = await home.start({}, ['up', '--json']);
      await until(() => answers(n) > 0, `the answer to question ${n}`, 20_000);
    }
    expect((await home.ask('ping')).status).toBe('succeeded');
    for (let n = first; n < first + KILLS; n += 1) expect(answers(n), `question ${n}`).toBe(1);
  });
});
