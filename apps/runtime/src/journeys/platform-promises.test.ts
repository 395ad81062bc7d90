import { randomBytes } from 'node:crypto';
import { llm, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { discordPlatform, type Person, type Room, telegramPlatform } from './platform.fixture.ts';
import { LIMIT_MS, type PlatformWorld, platformWorld } from './platform-world.fixture.ts';
import { effectOf, isLogWhole, settled, showApproval } from './promises.fixture.ts';

const FORGED = 1_000;
const OPERATIONS = process.env.SOAK === '1' ? 5_000 : 300;
/** 9,000 characters, no two sentences alike, so that a part in the wrong place would show. */
const LONG = Array.from({ length: 400 }, (_, n) => `Sentence number ${n + 1000} ends.`)
  .join(' ')
  .slice(0, 9_000);
/** What breaks parsers, terminals and people. */
const HOSTILE: readonly string[] = [
  '\u202egnp.exe',
  'a\u0000b',
  '\ud800',
  '\u200b\u2060\ufeff',
  'Z\u0351\u036b\u0343'.repeat(40),
  '<script>alert(1)</script>',
  '*_[`<&>]`_*',
  '[x](javascript:alert(1))',
  '[](',
  '```',
  '@everyone @here <@1> <@&2> <#3>',
  '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}',
  '$(rm -rf /) `id` ; drop table effect; --',
  '%s%n%x %2e%2e%2f ../../../etc/passwd',
  '\u0627\u0644\u0633\u0644\u0627\u0645 \u05e9\u05dc\u05d5\u05dd',
  '|a|b|\n|-|-|\n|1|',
  'https://evil.example/?q=1 evil.example tg://resolve?domain=x',
  '\r\n\r\nHTTP/1.1 200 OK',
  '-'.repeat(4_000),
  '{"method":"sendMessage"}',
];

describe.each([
  ['telegram', telegramPlatform],
  ['discord', discordPlatform],
] as const)('promises on %s', { timeout: 240_000 }, (_name, make) => {
  let world: PlatformWorld;
  let boss: Person;
  let eve: Person;
  let staffRoom: Room;
  let square: Room;
  let eveRoom: Room;
  let eveTalk: Room;
  beforeAll(async () => {
    world = await platformWorld(make);
    boss = world.platform.person('Boss');
    eve = world.platform.person('Eve');
    staffRoom = world.platform.group('Staff', boss);
    square = world.platform.group('Square', boss, eve);
    eveRoom = world.platform.group('Garden', eve);
    await world.pair(boss, 'boss', 'operator');
    eveTalk = await world.pair(eve, 'eve', 'member');
    await world.bind(staffRoom, '--closed');
    await world.bind(square);
    await world.home.cli(['workspace', 'create', 'garden']);
    // Each operation is to be carried out: the limit of a minute would swallow most.
    for (const id of ['garden', 'private-eve']) {
      const set = await world.home.cli(['workspace', 'set', id, '--messages-per-minute', '100000']);
      expect(set.err).toBe('');
    }
    await world.home.cli(['grant', 'add', 'eve', '--role', 'member', '--scope', 'ws:garden']);
    await world.home.cli([
      'context',
      'bind',
      world.platform.source,
      eveRoom.id,
      '--workspace',
      'garden',
      '--closed',
    ]);
  }, 120_000);
  afterAll(() => world?.close());

  /** The model proposes a post to the square. @returns approval and effect */
  const propose = async (text: string) => {
    const call = {
      id: 'call_1',
      name: 'post_message',
      arguments: JSON.stringify({ channel: square.id, text }),
    };
    world.model.next([...llm.toolCalls([call], 500), ...llm.done('tool_calls')]);
    const before = await pending();
    world.platform.say(staffRoom, boss, 'Tell them.', { isCall: true });
    await until(async () => (await pending()).length > before.length, 'a question', LIMIT_MS);
    const id = (await pending()).find((one) => !before.includes(one)) ?? '';
    return { ...(await showApproval(world.home, id)), id };
  };
  const pending = async (): Promise<readonly string[]> =>
    (await world.home.cli(['approval', 'list', '--json']))
      .json<{ items: { id: string; state: string }[] }>()
      .items.filter(({ state }) => state === 'pending')
      .map(({ id }) => id);

  test('P1: approved is sent, byte for byte; refused in the middle, nothing more leaves and it says so', async () => {
    const shown = await propose(LONG);
    expect(shown.bytes.payloads.length).toBeGreaterThan(2);
    const before = world.platform.wire(square).length;
    world.platform.refuseSend(square, 1);
    expect((await world.home.cli(['approval', 'approve', shown.id])).code).toBe(0);
    await settled(world.home, shown.effect);
    const bodies = shown.bytes.payloads.map((payload) => (payload as { readonly body: unknown }).body); // safe: compared only
    expect(world.platform.wire(square).slice(before)).toEqual(bodies.slice(0, 1));
    expect(await effectOf(world.home, shown.effect)).toMatchObject({ state: 'rejected' });
    const whole = await propose(`Whole. ${LONG}`);
    const from = world.platform.wire(square).length;
    expect((await world.home.cli(['approval', 'approve', whole.id])).code).toBe(0);
    expect(await settled(world.home, whole.effect)).toBe('done');
    expect(world.platform.wire(square).slice(from)).toEqual(
      whole.bytes.payloads.map((payload) => (payload as { readonly body: unknown }).body), // safe: compared only
    );
  });

  test(`forged presses: 0 of ${FORGED} act`, async () => {
    const shown = await propose('Never to be read.');
    const card = await world.sees(
      staffRoom,
      ({ text, buttons }) => text.includes(shown.id) && buttons.length > 0,
      'the card',
    );
    for (let n = 0; n < FORGED; n += 1) {
      const real = card.buttons[n % card.buttons.length]?.id ?? '';
      const other = world.platform.shown(square).at(-1)?.id ?? card.id;
      const random = `${real[0]}${randomBytes(16).toString('base64url')}`;
      if (n % 4 === 0) world.platform.press(staffRoom, boss, card.id, real.slice(0, -1));
      else if (n % 4 === 1) world.platform.press(staffRoom, boss, card.id, random);
      else if (n % 4 === 2) world.platform.press(square, boss, other, real);
      else world.platform.press(staffRoom, eve, card.id, real);
    }
    // One that is genuine comes behind all of them, and is heard.
    const deny = card.buttons.find(({ label }) => label === 'Deny')?.id ?? '';
    expect(await pending()).toContain(shown.id);
    world.platform.press(staffRoom, boss, card.id, deny);
    await until(async () => !(await pending()).includes(shown.id), 'the genuine press', 60_000);
    const { state } = await effectOf(world.home, shown.effect);
    expect(state).toBe('denied');
    expect(JSON.stringify(world.platform.wire(square))).not.toContain('Never to be read.');
  });

  test(`P2: ${OPERATIONS} operations of somebody from elsewhere show no foreign word`, async () => {
    const canary = `canary-${randomBytes(6).toString('hex')}`;
    world.model.next([...llm.text(`The word is ${canary}.`), ...llm.done()]);
    world.platform.say(staffRoom, boss, `Remember ${canary}.`, { isCall: true });
    await world.sees(staffRoom, ({ text }) => text.includes(canary), 'the canary in its own place');
    const words = [
      '/status',
      '/search',
      '/open',
      '/task',
      '/whoami',
      '/approve',
      '/abort',
      '/steer',
      '/workspace',
      '/run',
    ];
    for (let n = 0; n < OPERATIONS; n += 1) {
      const room = n % 2 === 0 ? eveRoom : eveTalk;
      const word = words[n % words.length] ?? '';
      world.platform.say(room, eve, `${word} ${['canary', 'community', 'Remember', 'faq.md'][n % 4]} ${n}`);
    }
    world.platform.say(eveTalk, eve, '/whoami');
    await world.sees(eveTalk, ({ text }) => text.includes('You are eve'), 'the last answer');
    const seen = [...world.platform.shown(eveRoom), ...world.platform.shown(eveTalk)];
    expect(seen.length).toBeGreaterThan(5);
    expect(JSON.stringify(seen)).not.toContain(canary);
    expect(JSON.stringify([world.platform.wire(eveRoom), world.platform.wire(eveTalk)])).not.toContain(
      canary,
    );
  });

  test(`${HOSTILE.length} hostile texts in, out and as names: each is answered or refused, nothing falls`, async () => {
    const pid = world.runtime().pid;
    let answered = 0;
    for (const [n, text] of HOSTILE.entries()) {
      const person = world.platform.person(`${text.slice(0, 60)} ${n}`);
      world.model.next([...llm.text(`Echo ${n}: ${text}`), ...llm.done()]);
      world.platform.say(square, person, `${text} (${n})`, { isCall: true });
      await until(
        () => world.platform.shown(square).some((one) => one.text.includes(`Echo ${n}`)),
        `an answer to ${n}`,
        LIMIT_MS,
      );
      answered += 1;
    }
    expect(answered).toBe(HOSTILE.length);
    expect(world.runtime().pid).toBe(pid);
    expect(await isLogWhole(world.home)).toBe(true);
    expect(world.platform.everything()).not.toMatch(/"parse_mode"/);
  });

  test('the platform had nothing to complain about but what was planned', () => {
    expect(world.platform.problems()).toEqual([]);
  });
});
