import { type LlmServer, llm, seededRandom, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBooks } from './invariants.fixture.ts';
import { type Home, newHome, type Running } from './journey.fixture.ts';
import { discordPlatform, type Platform, type Room, telegramPlatform } from './platform.fixture.ts';

const KILLS = Number(process.env.CHAT_KILLS ?? (process.env.SOAK === '1' ? 500 : 25));
/** Messages of one trace; each third is delivered twice. */
const MESSAGES = 200;
const SEED = Number(process.env.CHAT_SEED ?? (process.env.SOAK === '1' ? Date.now() % 1_000_000_000 : 7));
/** A kill comes after this at the most, ms: before anything is heard, in the middle of a turn, or when all is said. */
const MAX_DELAY_MS = 250;
const GROUPS = 4;
/** Kills that a question may meet before the next one waits for its answer. */
const SURVIVED = 2;

describe.each([
  ['telegram', telegramPlatform],
  ['discord', discordPlatform],
] as const)('kill -9 over a trace of %s', { timeout: 60_000 + 10_000 * KILLS }, (name, make) => {
  let home: Home;
  let server: LlmServer;
  let platform: Platform;
  let runtime: Running;
  const rooms: Room[] = [];
  beforeAll(async () => {
    server = await startLlmServer({
      fallback: (request) => {
        const asked = JSON.stringify(request.body.messages?.at(-1)?.content ?? '');
        return [...llm.text(`Answer to ${/question-\d+/.exec(asked)?.[0]}.`), ...llm.done()];
      },
    });
    platform = await make();
    home = newHome({
      AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl,
      AGENT_RUNTIME_LLM_MODEL: 'emulated',
      ...platform.env,
    });
    runtime = await home.start();
    await until(() => platform.isHeard(), 'the platform to be heard', 30_000);
    for (let n = 0; n < GROUPS; n += 1) {
      const room = platform.group(`Group ${n}`);
      rooms.push(room);
      await home.cli(['context', 'bind', platform.source, room.id, '--workspace', 'community']);
    }
  }, 120_000);
  afterAll(async () => {
    await home?.remove();
    await platform?.close();
    await server?.close();
  });

  let seen = 0;
  const answered = async (upTo: number): Promise<void> => {
    for (; seen < upTo; seen += 1)
      await until(() => answersTo(seen + 1).length > 0, `the answer to question ${seen + 1}`, 60_000);
  };
  const answersTo = (n: number): readonly string[] =>
    rooms.flatMap((room) =>
      platform
        .shown(room)
        .filter(({ text }) => text.includes(`Answer to question-${n}.`))
        .map(({ id }) => id),
    );

  test(`${KILLS} kills in ${MESSAGES} messages (seed ${SEED}): nothing is lost, doubles are listed`, async () => {
    const random = seededRandom(SEED);
    const perKill = Math.ceil(MESSAGES / KILLS);
    let said = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let n = 0; n < perKill; n += 1) {
        said += 1;
        // Each from another visitor: one alone may ask only a few times a minute.
        const visitor = platform.person(`Visitor ${said}`);
        const room = rooms[said % GROUPS];
        if (room === undefined) throw new Error('no room');
        platform.say(room, visitor, `This is question-${said}`, { isCall: true, again: said % 3 === 0 });
      }
      // A run that met four deaths would count as poison, which is another promise.
      await answered(said - SURVIVED * perKill);
      await new Promise((resolve) => setTimeout(resolve, random() * MAX_DELAY_MS));
      await runtime.kill();
      runtime = await home.start({}, ['up', '--json']);
    }
    await answered(said);
    await runtime.stop();
    const doubles = Array.from({ length: said }, (_, at) => at + 1).filter((n) => answersTo(n).length > 1);
    const books = openBooks(home.dataDir);
    const listed = books
      .rows(`select payloads from effect where error like '%settle.repeat.uncertain%'`)
      .map((row) => JSON.stringify(row));
    const unlisted = doubles.filter((n) => !listed.some((one) => one.includes(`question-${n}.`)));
    const runs = books.rows(`select task from run where state = 'succeeded'`).length;
    books.close();
    console.info(
      `${name}: ${said} messages, ${KILLS} kills, 0 lost, ${doubles.length} answered twice, ${listed.length} listed as doubtful`,
    );
    expect({ unlisted, problems: platform.problems() }).toEqual({ unlisted: [], problems: [] });
    expect(runs).toBe(said);
  });
});
