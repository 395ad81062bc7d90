import { AppError } from '@agent-runtime/domain';
import { settle, until } from '@agent-runtime/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { discordStage, type Stage, type StageOptions, skippingClock } from './discord.fixture.ts';

const open: Stage[] = [];
afterEach(async () => {
  for (const stage of open.splice(0)) await stage.close();
});

async function staged(options?: StageOptions): Promise<Stage> {
  const stage = await discordStage(options);
  open.push(stage);
  return stage;
}

const say = (stage: Stage, content: string, channel = stage.channel) =>
  stage.server.say({ channel, from: stage.ada, content });
const texts = (stage: Stage): string[] => stage.heard.map(({ text }) => text);
const heard = (stage: Stage, ...wanted: string[]): Promise<void> =>
  until(() => wanted.every((text) => texts(stage).includes(text)), `to hear ${wanted.join(', ')}`);
const flaky = (): AppError =>
  new AppError({ code: 'connectors.accept.unavailable', kind: 'unavailable', message: 'Later.' });

describe('the gateway of discord', () => {
  test('only what is needed is asked for', async () => {
    const stage = await staged();
    await stage.listen();
    const [line] = stage.server.gateway.lines;
    // Guilds, GuildMessages, GuildMessageReactions, DirectMessages, DirectMessageReactions, MessageContent.
    expect(line?.identify?.intents).toBe((1 << 0) | (1 << 9) | (1 << 10) | (1 << 12) | (1 << 13) | (1 << 15));
    await until(() => stage.connector.trouble?.() === undefined, 'no trouble');
    expect(stage.server.violations).toEqual([]);
  });

  test('op 7: the session is resumed and what was said meanwhile comes once', async () => {
    const stage = await staged();
    await stage.listen();
    say(stage, 'before');
    await heard(stage, 'before');
    stage.server.gateway.reconnect();
    say(stage, 'while');
    await until(() => stage.server.gateway.counts.resumes === 1, 'a resume');
    say(stage, 'after');
    await heard(stage, 'while', 'after');
    expect(texts(stage)).toEqual(['before', 'while', 'after']);
    expect(stage.server.gateway.counts.identifies).toBe(1);
  });

  test('op 9 true: the session goes on', async () => {
    const stage = await staged();
    await stage.listen();
    stage.server.gateway.invalidate(true);
    await until(() => stage.server.gateway.counts.resumes === 1, 'a resume');
    say(stage, 'still here');
    await heard(stage, 'still here');
  });

  // Discord wants five seconds between two sessions, and so does the library.
  test('op 9 false: a new session, and the gap is read back in order, in channels and direct messages', async () => {
    const stage = await staged();
    await stage.listen();
    const direct = stage.server.direct(stage.ada).id;
    say(stage, 'one');
    say(stage, 'hello', direct);
    await heard(stage, 'one', 'hello');
    stage.server.gateway.invalidate(false);
    say(stage, 'two');
    say(stage, 'three');
    // No server lists a direct message.
    say(stage, 'lost?', direct);
    await until(() => stage.server.gateway.counts.identifies === 2, 'a new session', 20_000);
    say(stage, 'four');
    await heard(stage, 'two', 'three', 'four', 'lost?');
    // What is said while the gap is read may come twice, with the same id: the engine drops it.
    const inOrder = new Set(
      stage.heard.filter(({ channel }) => channel.id === stage.channel).map(({ externalId }) => externalId),
    );
    const textOf = (id: string) => stage.heard.find(({ externalId }) => externalId === id)?.text;
    expect([...inOrder].map(textOf)).toEqual(['one', 'two', 'three', 'four']);
    expect(stage.heard.find(({ text }) => text === 'lost?')).toMatchObject({
      channel: { kind: 'direct' },
      isAddressed: true,
    });
  }, 30_000);

  test('a zombie is noticed: nobody acknowledges, so the line is made again', async () => {
    const stage = await staged({ server: { heartbeatIntervalMs: 50 } });
    await stage.listen();
    stage.server.gateway.setAcking(false);
    await until(() => stage.server.gateway.lines.length >= 2, 'a second line');
    stage.server.gateway.setAcking(true);
    await until(() => stage.server.gateway.counts.resumes >= 1, 'a resume');
    say(stage, 'alive');
    await heard(stage, 'alive');
  });

  test.each([
    [4004, 'Reset Token'],
    [4010, '4010'],
    [4011, '4011'],
    [4012, '4012'],
    [4013, '4013'],
    [4014, 'Message Content Intent'],
  ])('close %i: alarm that says what to do, and no further try', async (code, words) => {
    const clock = skippingClock();
    const waits: number[] = [];
    const { sleep } = clock;
    clock.sleep = (ms, signal) => {
      waits.push(ms);
      return sleep(ms, signal);
    };
    const stage = await staged({ clock });
    stage.server.gateway.refuseIdentify(code, 9);
    await stage.connector.start(async () => undefined);
    await until(() => stage.log.lines.some(({ level }) => level === 'error'), 'the alarm');
    expect(stage.connector.trouble?.()).toContain(words);
    expect(stage.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(stage.server.gateway.lines).toHaveLength(1);
    await settle();
    // The pause before a further try.
    expect(waits).not.toContain(1_000);
  });

  test('4014 on a running line: the same', async () => {
    const stage = await staged();
    await stage.listen();
    stage.server.gateway.close(4014);
    await until(() => stage.log.lines.some(({ level }) => level === 'error'), 'the alarm');
    expect(stage.connector.trouble?.()).toContain('Message Content Intent');
  });

  test('a token that REST refuses: alarm, and nothing is asked any more', async () => {
    const stage = await staged();
    const good = stage.server.token;
    const connector = stage.again({ token: () => good });
    stage.server.token = 'other.token.now';
    await connector.start(async () => undefined);
    await until(() => stage.log.lines.some(({ level }) => level === 'error'), 'the alarm');
    expect(connector.trouble?.()).toContain('Reset Token');
    const before = stage.server.calls.length;
    const payload =
      connector.render({ text: 'Hi' }, { address: stage.channel, effectId: 'e', nowMs: 0 })[0] ?? {};
    const to = {
      sink: { connector: 'discord', account: connector.account, address: stage.channel },
      effectId: 'e',
      part: 0,
    };
    await expect(connector.deliver(payload, to, new AbortController().signal)).rejects.toMatchObject({
      kind: 'unavailable',
    });
    expect(stage.server.calls.length).toBe(before);
  });

  test('session_start_limit is spent: the bot waits as long as Discord says, with an alarm', async () => {
    const stage = await staged();
    stage.server.gateway.sessionStartLimit = { total: 1, remaining: 0, reset_after: 300, max_concurrency: 1 };
    await stage.connector.start(async () => undefined);
    await until(() => stage.log.lines.some(({ level }) => level === 'error'), 'the alarm');
    expect(stage.connector.trouble?.()).toContain('no more sessions');
    expect(stage.server.gateway.lines).toHaveLength(0);
    stage.server.gateway.sessionStartLimit.remaining = 5;
    await until(() => stage.server.gateway.counts.identifies === 1, 'a session');
    await until(() => stage.connector.trouble?.() === undefined, 'no trouble');
  });

  test('Discord is down at the start: trouble, and it is tried until it works', async () => {
    const stage = await staged();
    await stage.server.down();
    await stage.connector.start(async () => undefined);
    await until(() => stage.log.lines.length > 0, 'a warning');
    expect(stage.connector.trouble?.()).toContain('Discord');
    await stage.server.up();
    await until(() => stage.server.gateway.counts.identifies === 1, 'a session');
  });

  test('the line stays down: the library is sent home after some tries, with one line in the log', async () => {
    const stage = await staged();
    await stage.listen();
    await stage.server.down();
    // The library would go on by itself twice a second, and never ask whether it still may begin sessions.
    await until(() => stage.connector.trouble?.() === 'Discord cannot be reached.', 'the pause', 30_000);
    expect(stage.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await stage.server.up();
    await until(() => stage.server.gateway.counts.identifies === 2, 'a new session', 30_000);
    say(stage, 'back');
    await heard(stage, 'back');
    expect(stage.server.gateway.connected).toBe(1);
  }, 60_000);

  test('stopped while nothing gets on: it does not wait for what never ends', async () => {
    const stage = await staged();
    const began = Promise.withResolvers<void>();
    stage.server.faults.add({ kind: 'hang', method: 'PUT' });
    await stage.connector.start(() => {
      began.resolve();
      return new Promise(() => {});
    });
    await until(
      () => stage.server.calls.some(({ method }) => method === 'PUT') || stage.server.faults.waiting === 0,
      'the menu to hang',
    );
    say(stage, 'stuck');
    await began.promise;
    const from = performance.now();
    await stage.connector.stop();
    expect(performance.now() - from).toBeLessThan(8_000);
  });

  test('stopped while the library waits to connect again: nobody is left on the line', async () => {
    const stage = await staged();
    await stage.listen();
    stage.server.gateway.drop();
    await until(() => stage.connector.trouble?.() !== undefined, 'the loss to be noticed');
    await stage.connector.stop();
    const lines = stage.server.gateway.lines.length;
    // The library waits half a second; what must not happen has no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(stage.server.gateway.lines.slice(lines).filter(({ begunBy }) => begunBy !== undefined)).toEqual(
      [],
    );
    expect(stage.server.gateway.connected).toBe(0);
  });
});

describe('what discord says', () => {
  test('duplicates keep their id', async () => {
    const stage = await staged();
    await stage.listen();
    stage.server.gateway.duplicate(1);
    const { id } = say(stage, 'twice');
    await until(() => stage.heard.length === 2, 'both');
    expect(stage.heard.map(({ externalId }) => externalId)).toEqual([id, id]);
  });

  test('out of order, and an edit before its message: each comes with its own id, none is lost', async () => {
    const stage = await staged();
    await stage.listen();
    stage.server.gateway.reorder(3);
    const first = say(stage, 'first');
    const second = say(stage, 'second');
    stage.server.edit(first, { content: 'first, better' });
    await until(() => stage.heard.length === 3, 'all');
    expect(stage.heard.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'edit first, better',
      'message second',
      'message first',
    ]);
    expect(stage.heard[0]?.externalId).toMatch(new RegExp(`^${first.id}:e\\d+$`));
    expect(stage.heard[1]?.externalId).toBe(second.id);
  });

  test('a link preview is no edit', async () => {
    const stage = await staged();
    await stage.listen();
    const said = say(stage, 'see https://example.org');
    stage.server.edit(said, { embeds: [{ title: 'Example' }], isSilent: true });
    say(stage, 'end');
    await heard(stage, 'end');
    expect(stage.heard.map(({ kind }) => kind)).toEqual(['message', 'message']);
  });

  test('a refusal that passes holds its channel only, and nothing of it is lost', async () => {
    const stage = await staged();
    const other = stage.server.channel({ guild: stage.guild, name: 'other' }).id;
    let refusals = 3;
    await stage.listen((event) => {
      if (event.channel.id === stage.channel && refusals > 0) {
        refusals -= 1;
        throw flaky();
      }
      return undefined;
    });
    say(stage, 'one');
    say(stage, 'two');
    say(stage, 'elsewhere', other);
    await until(() => stage.heard.length === 3, 'all three');
    expect(texts(stage)).toEqual(['elsewhere', 'one', 'two']);
  });

  test('a lasting refusal ends that event', async () => {
    const stage = await staged();
    await stage.listen((event) => {
      if (event.text === 'bad')
        throw new AppError({ code: 'ingest.text.invalid', kind: 'invalid', message: 'No.' });
      return undefined;
    });
    say(stage, 'bad');
    say(stage, 'good');
    await heard(stage, 'good');
    expect(texts(stage)).toEqual(['good']);
  });

  test('killed before anyone took it: the next process asks for it, and for what was said since', async () => {
    const stage = await staged();
    await stage.listen((event) => {
      if (event.text !== 'taken') throw flaky();
      return undefined;
    });
    say(stage, 'taken');
    await heard(stage, 'taken');
    say(stage, 'not taken');
    const written = (): string => stage.memory.values.get('marks')?.value ?? '';
    await until(() => written().includes(stage.channel), 'a mark');
    // As kill -9 leaves it: what the memory holds, no goodbye.
    const marks = written();
    await stage.connector.stop();
    stage.memory.values.set('marks', { value: marks, at: 0 });
    say(stage, 'while nobody listened');
    const next: string[] = [];
    const again = stage.again();
    await again.start(async ({ text }) => void next.push(text));
    await until(() => next.includes('while nobody listened'), 'the gap');
    expect(next.filter((text) => text !== 'taken')).toEqual(['not taken', 'while nobody listened']);
  });

  test('more than a page was said, and Discord asks to slow down while it is read', async () => {
    const stage = await staged();
    await stage.listen();
    await stage.connector.stop();
    const wanted = Array.from({ length: 130 }, (_, index) => `line ${index}`);
    for (const text of wanted) say(stage, text);
    stage.server.faults.add({
      kind: 'too-many',
      retryAfterS: 0.1,
      method: 'GET',
      route: '/channels/{channel_id}/messages',
    });
    await stage.listen();
    await until(() => stage.heard.length >= wanted.length, 'all lines');
    expect(texts(stage)).toEqual(wanted);
    expect(stage.server.limits.tooEarly).toEqual([]);
  });

  test('a hidden channel is left alone', async () => {
    const stage = await staged();
    await stage.listen();
    await stage.connector.stop();
    say(stage, 'open');
    stage.server.faults.add({
      kind: 'refusal',
      status: 403,
      code: 50_001,
      method: 'GET',
      route: '/channels/{channel_id}/messages',
    });
    await stage.listen();
    say(stage, 'later');
    await heard(stage, 'later');
    expect(texts(stage)).toEqual(['later']);
  });

  test('the very first start reads nothing that is old', async () => {
    const stage = await staged();
    say(stage, 'long ago');
    stage.clock.skip(24 * 3_600_000);
    await stage.listen();
    say(stage, 'now');
    await heard(stage, 'now');
    expect(texts(stage)).toEqual(['now']);
  });

  test('threads are places of their own; coming and going of the bot is told', async () => {
    const stage = await staged();
    await stage.listen();
    const thread = stage.server.createThread({ channel: stage.channel, name: 'plants', from: stage.ada }).id;
    say(stage, 'in the thread', thread);
    await heard(stage, 'in the thread');
    expect(stage.heard.find(({ text }) => text === 'in the thread')?.channel).toEqual({
      id: thread,
      kind: 'thread',
      title: 'Garden #general / plants',
      group: stage.guild,
      parent: stage.channel,
    });
    const second = stage.server.guild({ name: 'Second', owner: stage.ada });
    stage.server.guildDelete(second.id);
    stage.server.channelDelete(thread);
    await until(() => stage.heard.filter(({ kind }) => kind === 'member').length === 3, 'three changes');
    const changesOf = (id: string) =>
      stage.heard.filter(({ channel, member }) => channel.id === id && member).map(({ member }) => member);
    expect(changesOf(second.id)).toEqual([
      { change: 'joined', isSelf: true },
      { change: 'left', isSelf: true },
    ]);
    expect(changesOf(thread)).toEqual([{ change: 'left', isSelf: true }]);
  });

  test('the bot is taken out of a thread', async () => {
    const stage = await staged();
    await stage.listen();
    const thread = stage.server.createThread({ channel: stage.channel, name: 'plants', from: stage.ada }).id;
    const { applicationId } = stage.server;
    const told = { id: thread, guild_id: stage.guild, member_count: 1 };
    const added = {
      id: thread,
      user_id: applicationId,
      join_timestamp: '2026-11-21T09:00:00.000Z',
      flags: 0,
    };
    stage.server.gateway.send('THREAD_MEMBERS_UPDATE', { ...told, added_members: [added] });
    stage.server.gateway.send('THREAD_MEMBERS_UPDATE', { ...told, removed_member_ids: [stage.ada] });
    stage.server.gateway.send('THREAD_MEMBERS_UPDATE', { ...told, removed_member_ids: [applicationId] });
    const changes = () => stage.heard.filter(({ channel, member }) => channel.id === thread && member);
    await until(() => changes().length === 2, 'both changes');
    expect(changes().map(({ member }) => member?.change)).toEqual(['joined', 'left']);
  });

  test('reactions of people come with the message they stand on', async () => {
    const stage = await staged();
    await stage.listen();
    const said = say(stage, 'nice');
    stage.server.react({ message: said, from: stage.ada, emoji: '👍' });
    await until(() => stage.heard.length === 2, 'both');
    expect(stage.heard[1]).toMatchObject({
      kind: 'reaction',
      text: '👍',
      message: said.id,
      sender: { id: stage.ada },
    });
  });
});
