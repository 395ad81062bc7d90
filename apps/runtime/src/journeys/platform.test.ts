import { llm, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { discordPlatform, type Person, type Room, type Shown, telegramPlatform } from './platform.fixture.ts';
import { LIMIT_MS, type PlatformWorld, platformWorld } from './platform-world.fixture.ts';

describe.each([
  ['telegram', telegramPlatform],
  ['discord', discordPlatform],
] as const)('a community on %s', { timeout: 120_000 }, (_name, make) => {
  let world: PlatformWorld;
  let ada: Person;
  let boss: Person;
  let stranger: Person;
  let adaTalk: Room;
  let bossTalk: Room;
  let square: Room;
  let staffRoom: Room;
  beforeAll(async () => {
    world = await platformWorld(make);
    ada = world.platform.person('Ada');
    boss = world.platform.person('Boss');
    stranger = world.platform.person('Stranger');
    square = world.platform.group('Square', ada, boss, stranger);
    staffRoom = world.platform.group('Staff', ada, boss);
  }, 120_000);
  afterAll(() => world?.close());

  const with_ = (words: string) => (shown: Shown) => shown.text.includes(words);
  const count = (room: Room, words: string): number => world.platform.shown(room).filter(with_(words)).length;

  test('a stranger hears how to be paired; paired, the first question is answered as a reply', async () => {
    const talk = world.platform.direct(ada);
    world.platform.say(talk, ada, 'When do you open?');
    await world.sees(talk, with_('Send the direct message "pair"'), 'how to be paired');
    adaTalk = await world.pair(ada, 'ada', 'member');
    bossTalk = await world.pair(boss, 'boss', 'operator');
    const asked = world.platform.say(adaTalk, ada, 'This is question-1', { again: true });
    const said = await world.sees(adaTalk, with_('Answer to question-1.'), 'the answer');
    expect(said.replyTo).toBe(asked);
    expect(count(adaTalk, 'Answer to question-1.')).toBe(1);
  });

  test('a group that is bound to nothing hears nothing, and is listed; bound, only a call is answered', async () => {
    world.platform.say(square, ada, 'This is question-2', { isCall: true });
    await until(
      async () => (await world.home.cli(['context', 'list', '--json'])).out.includes(square.id),
      'the place is listed',
      LIMIT_MS,
    );
    expect(world.platform.shown(square)).toEqual([]);
    await world.bind(square);
    await world.bind(staffRoom, '--closed');
    world.platform.say(square, ada, 'This is question-3');
    world.platform.say(square, ada, 'This is question-4', { isCall: true });
    const said = await world.sees(square, with_('Answer to question-4.'), 'the answer to the call');
    world.platform.say(square, ada, 'This is question-5', { replyTo: said.id });
    await world.sees(square, with_('Answer to question-5.'), 'the answer to an answer');
    world.platform.say(square, stranger, 'This is question-6', { isCall: true });
    await world.sees(square, with_('Answer to question-6.'), 'the answer to a guest');
    expect([count(square, 'question-2'), count(square, 'question-3')]).toEqual([0, 0]);
  });

  test('native commands are answered where they were said', async () => {
    world.platform.command(adaTalk, ada, '/whoami');
    await world.sees(adaTalk, with_('You are ada'), 'who she is');
    world.platform.command(adaTalk, ada, '/help');
    await world.sees(adaTalk, with_('/search QUERY'), 'the commands');
    world.platform.command(adaTalk, ada, '/workspace community');
    await until(async () => count(adaTalk, 'community') > 0, 'the workspace is another one', LIMIT_MS);
    world.platform.command(adaTalk, ada, '/search refund');
    await world.sees(adaTalk, with_('faq.md:'), 'a passage of the notes');
    world.platform.command(adaTalk, ada, '/open faq.md:1-4');
    await world.sees(adaTalk, with_('faq.md:1'), 'a note');
  });

  test('an approved post is what was shown, buttons work once and only for staff', async () => {
    world.platform.say(staffRoom, ada, `Please post "Closed on Monday." to ${square.id}.`, { isCall: true });
    const card = await world.sees(staffRoom, ({ buttons }) => buttons.length > 0, 'a card with buttons');
    expect(card.text).toContain('Closed on Monday.');
    const approve = card.buttons.find(({ label }) => label === 'Approve')?.id ?? '';
    world.platform.press(staffRoom, ada, card.id, approve);
    world.platform.press(staffRoom, stranger, card.id, approve);
    world.platform.press(staffRoom, boss, card.id, `${approve}x`);
    world.platform.press(square, boss, card.id, 'a'.repeat(20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(count(square, 'Closed on Monday.')).toBe(0);
    world.platform.press(staffRoom, boss, card.id, approve);
    world.platform.press(staffRoom, boss, card.id, approve);
    await world.sees(square, with_('Closed on Monday.'), 'the post');
    await world.sees(
      staffRoom,
      ({ id, buttons }) => id === card.id && buttons.length === 0,
      'the card has no buttons any more',
    );
    expect(count(square, 'Closed on Monday.')).toBe(1);
  });

  test('a card that was answered elsewhere says so', async () => {
    world.platform.say(staffRoom, ada, `Please post "Open on Tuesday." to ${square.id}.`, { isCall: true });
    const card = await world.sees(
      staffRoom,
      ({ text, buttons }) => buttons.length > 0 && text.includes('Tuesday'),
      'a card',
    );
    const id = /appr_[a-z0-9]+/.exec(card.text)?.[0] ?? '';
    expect((await world.home.cli(['approval', 'deny', id, 'not true'])).code).toBe(0);
    const over = await world.sees(
      staffRoom,
      (one) => one.id === card.id && one.buttons.length === 0,
      'the end',
    );
    expect(over.text.toLowerCase()).toContain('denied');
    expect(count(square, 'Tuesday')).toBe(0);
  });

  test('an answer that takes its time is one message that grows', async () => {
    const slow = Promise.withResolvers<void>();
    world.model.next([
      ...llm.text('First words of a long answer. '),
      { kind: 'hold', until: slow.promise },
      ...llm.text('And its end.'),
      ...llm.done(),
    ]);
    world.platform.say(adaTalk, ada, 'This is question-7');
    await world.sees(adaTalk, with_('First words of a long answer.'), 'the first words');
    slow.resolve();
    const whole = await world.sees(adaTalk, with_('And its end.'), 'the whole answer');
    expect(whole.history.length).toBeGreaterThan(0);
    expect(count(adaTalk, 'First words of a long answer.')).toBe(1);
  });

  test('a long answer comes in parts or as a file, and nothing of it is missing', async () => {
    const words = Array.from({ length: 1_500 }, (_, n) => `word${n}`);
    world.model.next([...llm.text(words.join(' ')), ...llm.done()]);
    world.platform.say(adaTalk, ada, 'This is question-8');
    const all = (): string =>
      world.platform
        .shown(adaTalk)
        .map(({ text, file }) => file ?? text)
        .join(' ');
    await until(() => words.every((word) => all().includes(word)), 'every word', LIMIT_MS);
  });

  test('/panic on by staff stops everything, and only a signed request ends it', async () => {
    world.platform.command(bossTalk, boss, '/panic on');
    await until(
      async () => (await world.home.cli(['panic', 'status', '--json'])).json<{ on: boolean }>().on,
      'panic is on',
      LIMIT_MS,
    );
    world.platform.say(adaTalk, ada, 'This is question-9');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await world.home.cli(['panic', 'off'])).code).toBe(0);
    world.platform.say(adaTalk, ada, 'This is question-10');
    await world.sees(adaTalk, with_('Answer to question-10.'), 'work goes on');
    expect(count(adaTalk, 'question-9')).toBe(0);
  });

  test('the platform had nothing to complain about', () => {
    expect([world.platform.problems(), world.platform.burnt()]).toEqual([[], 0]);
  });
});
