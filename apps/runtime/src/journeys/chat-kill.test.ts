import { seededRandom, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Books, openBooks } from './invariants.fixture.ts';
import { discordPlatform, type Person, type Room, telegramPlatform } from './platform.fixture.ts';
import { type PlatformWorld, platformWorld } from './platform-world.fixture.ts';

/** On each platform. `CHAT_KILLS=<number>` makes it shorter or longer. */
const KILLS = Number(process.env.CHAT_KILLS ?? (process.env.SOAK === '1' ? 500 : 25));
/** `CHAT_SEED=<seed>` chooses the same moments again. */
const SEED = Number(process.env.CHAT_SEED ?? (process.env.SOAK === '1' ? Date.now() % 1_000_000_000 : 7));
/** Messages of a trace of 25 kills; each third is delivered twice. */
const MESSAGES_PER_KILL = 8;
/** Somebody of the staff approves a post right before each kill of so many. */
const KILLS_PER_POST = 5;
/** A kill comes after this at the most, ms: before anything is heard, in the middle of a turn, or when all is said. */
const MAX_DELAY_MS = 250;
const GROUPS = 4;
/** Kills that a question may meet before the next one waits for its answer: a run that met four would count as poison. */
const SURVIVED = 2;
const WAIT_MS = 60_000;

describe.each([
  ['telegram', telegramPlatform],
  ['discord', discordPlatform],
] as const)('kill -9 over a trace of %s', { timeout: 120_000 + 10_000 * KILLS }, (name, make) => {
  let world: PlatformWorld;
  let boss: Person;
  let staffRoom: Room;
  let books: Books;
  const rooms: Room[] = [];
  beforeAll(async () => {
    world = await platformWorld(make);
    books = openBooks(world.home.dataDir);
    boss = world.platform.person('Boss');
    await world.pair(boss, 'boss', 'operator');
    staffRoom = world.platform.group('Staff', boss);
    await world.bind(staffRoom, '--closed');
    for (let n = 0; n < GROUPS; n += 1) {
      const room = world.platform.group(`Group ${n}`);
      rooms.push(room);
      await world.bind(room);
    }
  }, 120_000);
  afterAll(() => world?.close());

  const roomOf = (n: number): Room => rooms[n % GROUPS] ?? staffRoom;
  const shownTimes = (room: Room, words: string): number =>
    world.platform.shown(room).filter(({ text }) => text.includes(words)).length;
  const answersTo = (n: number): number => shownTimes(roomOf(n), `Answer to question-${n}.`);
  let seen = 0;
  const answered = async (upTo: number): Promise<void> => {
    for (; seen < upTo; seen += 1)
      await until(() => answersTo(seen + 1) > 0, `the answer to question ${seen + 1}`, WAIT_MS);
  };
  const countPosts = (states: string): number =>
    books.rows(`select 1 from effect where kind = 'message.post' and state in (${states})`).length;
  /** Proposed, shown on a card, and approved by its button a moment ago: a platform may forget a press that nobody has heard yet. */
  const approvePost = async (n: number): Promise<void> => {
    const { platform } = world;
    platform.say(staffRoom, boss, `Please post "Post-${n}." to ${roomOf(0).id}.`, { isCall: true });
    const card = await world.sees(
      staffRoom,
      ({ text, buttons }) => text.includes(`Post-${n}.`) && buttons.length > 0,
      `the card of post ${n}`,
    );
    const approve = card.buttons.find(({ label }) => label === 'Approve')?.id ?? '';
    const isApproved = (): boolean => countPosts(`'proposed'`) === 0;
    // Faster than any hand, the first press may come before it is written down on which message its button stands.
    for (let time = 0; time < 400 && !isApproved(); time += 1) {
      platform.press(staffRoom, boss, card.id, approve);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expect(isApproved(), `post ${n} is approved`).toBe(true);
  };

  test(`${KILLS} kills (seed ${SEED}): nothing is lost, doubles of answers are listed, no approved post comes twice`, async () => {
    const random = seededRandom(SEED);
    let said = 0;
    let posts = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      await answered(said - SURVIVED * MESSAGES_PER_KILL);
      if (kill % KILLS_PER_POST === 0) {
        posts += 1;
        await approvePost(posts);
      }
      for (let n = 0; n < MESSAGES_PER_KILL; n += 1) {
        said += 1;
        // Each from another visitor: one alone may ask only a few times a minute.
        const visitor = world.platform.person(`Visitor ${said}`);
        const text = `This is question-${said}`;
        world.platform.say(roomOf(said), visitor, text, { isCall: true, again: said % 3 === 0 });
      }
      await new Promise((resolve) => setTimeout(resolve, random() * MAX_DELAY_MS));
      await world.restart();
    }
    await answered(said);
    await until(() => countPosts(`'done', 'uncertain'`) === posts, 'the posts are over', WAIT_MS);
    await world.runtime().stop();
    const doubles = Array.from({ length: said }, (_, at) => at + 1).filter((n) => answersTo(n) > 1);
    const doubtful = books
      .rows(`select payloads from effect where error like '%settle.repeat.uncertain%'`)
      .map((row) => JSON.stringify(row));
    const tasks = books.rows(`select 1 from task where title like '%question-%'`).length;
    const doubtedPosts = countPosts(`'uncertain'`);
    books.close();
    const postTimes = Array.from({ length: posts }, (_, at) => shownTimes(roomOf(0), `Post-${at + 1}.`));
    console.info(
      `${name}: ${said} messages, ${KILLS} kills, 0 lost, ${doubles.length} answered twice, ${doubtful.length} listed as doubtful; ` +
        `${posts} approved posts, ${postTimes.filter((one) => one > 1).length} twice, ${doubtedPosts} uncertain`,
    );
    expect(doubles.filter((n) => !doubtful.some((one) => one.includes(`question-${n}.`)))).toEqual([]);
    expect(postTimes.filter((times) => times > 1)).toEqual([]);
    expect(postTimes.filter((times) => times === 0).length).toBeLessThanOrEqual(doubtedPosts);
    expect(tasks).toBe(said);
    expect(world.platform.problems()).toEqual([]);
  });
});
