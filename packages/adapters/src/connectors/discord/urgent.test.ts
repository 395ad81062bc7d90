import { type Accept, AppError, type InboundEvent } from '@agent-runtime/domain';
import { recordingLogger, settle, until } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { answerTokens } from './answers.ts';
import { DISCORD_COMMANDS } from './commands.fixture.ts';
import { skippingClock, testMemory } from './discord.fixture.ts';
import type { ListenDeps } from './hearing.ts';
import { offer } from './lanes.ts';
import { listener } from './listen.ts';
import { marksOf } from './marks.ts';
import type { Call } from './rest.ts';
import { isNewer, snowflakeAt } from './snowflake.ts';

const stuck = new Promise<never>(() => {});
const flaky = (): AppError =>
  new AppError({ code: 'connectors.accept.unavailable', kind: 'unavailable', message: 'Later.' });

interface Room {
  readonly heard: InboundEvent[];
  readonly calls: Call[];
  readonly applications: string[];
  readonly control: AbortController;
  take(t: string, d: unknown): void;
  say(number: number, content: string, more?: object): void;
  command(number: number, name: string, value: string, application?: string): void;
  idle(): Promise<void>;
  mark(): string;
}

const now = BigInt(snowflakeAt(Date.now()));
const idOf = (number: number): string => `${now + BigInt(number)}`;
const guild = { id: '4', name: 'Garden', channels: [{ id: '5', type: 0, name: 'general' }] };

function room(accept: Accept, call: (call: Call) => Promise<unknown>, more: Partial<ListenDeps> = {}): Room {
  const clock = skippingClock();
  const log = recordingLogger();
  const memory = testMemory(clock);
  const control = new AbortController();
  const marks = marksOf(memory, { clock, maxAgeMs: 24 * 3_600_000 });
  const heard: InboundEvent[] = [];
  const calls: Call[] = [];
  const applications: string[] = [];
  const hearing = listener({
    api: {
      call: (one) => {
        calls.push(one);
        return call(one);
      },
      isRefused: () => false,
      close: () => {},
    },
    tokens: answerTokens(memory, clock),
    marks,
    clock,
    log,
    source: 'discord:1',
    account: '1',
    commands: new Map(DISCORD_COMMANDS.map((one) => [one.name, one])),
    accept: async (event) => {
      heard.push(event);
      return accept(event);
    },
    suggest: undefined,
    signal: control.signal,
    ready: (application) => applications.push(application),
    backfillPages: 5,
    backfillChannels: 200,
    ...more,
  });
  const take = (t: string, d: unknown): void => hearing.take({ t, d });
  return {
    heard,
    calls,
    applications,
    control,
    take,
    say: (number, content, fields = {}) =>
      take('MESSAGE_CREATE', {
        id: idOf(number),
        channel_id: '5',
        guild_id: '4',
        author: { id: '3', username: 'ada' },
        content,
        ...fields,
      }),
    command: (number, name, value, application = '1') =>
      take('INTERACTION_CREATE', {
        id: idOf(number),
        application_id: application,
        type: 2,
        token: `token${number}`,
        channel_id: '5',
        guild_id: '4',
        member: { user: { id: '3', username: 'ada' } },
        data: { name, options: [{ name: 'state', type: 3, value }] },
      }),
    idle: () => hearing.idle(),
    mark: () => marks.after('5'),
  };
}

describe('stopping everything at discord waits for nothing', () => {
  const isPanic = ({ text }: InboundEvent): boolean => text === '/panic on';

  test.each<[string, (room: Room) => void]>([
    ['typed', (one) => one.say(9, '/panic on')],
    ['typed with a mention', (one) => one.say(9, '<@1> /panic on')],
    ['as a native command', (one) => one.command(9, 'panic', 'on')],
  ])('%s, while its channel, every call and the memory are stuck', async (_name, act) => {
    for (const trouble of [() => stuck, () => Promise.reject(flaky())]) {
      const tokens = { keep: () => stuck, find: () => stuck };
      const one = room(
        (event) => (isPanic(event) ? Promise.resolve(undefined) : trouble()),
        () => stuck,
        { tokens },
      );
      one.take('GUILD_CREATE', guild);
      one.say(1, 'hello');
      await until(() => one.heard.length > 0, 'the first words');
      act(one);
      await until(() => one.heard.some(isPanic), 'panic');
      one.control.abort();
    }
  });

  test('in a channel that nobody named, while Discord does not answer', async () => {
    const one = room(
      async () => undefined,
      () => stuck,
    );
    one.say(9, '/panic on');
    await until(() => one.heard.some(isPanic), 'panic');
  });

  test('what else looks like it keeps its turn', async () => {
    const one = room(
      () => stuck,
      () => stuck,
    );
    one.take('GUILD_CREATE', guild);
    one.say(1, 'hello');
    for (const [index, text] of ['/panicky on', 'no /panic on', '/task /panic on'].entries())
      one.say(2 + index, text);
    await until(() => one.heard.length > 0, 'the first words');
    await settle();
    expect(one.heard.filter(({ kind }) => kind === 'message').map(({ text }) => text)).toEqual(['hello']);
  });

  test('and nothing counts as heard that was said before it', async () => {
    const gate = Promise.withResolvers<void>();
    const one = room(
      async (event) => void (isPanic(event) || (await gate.promise)),
      () => stuck,
    );
    one.take('GUILD_CREATE', guild);
    one.say(1, 'hello');
    one.say(2, '/panic on');
    await until(() => one.heard.some(isPanic), 'panic');
    await settle();
    expect(one.mark()).not.toBe(idOf(2));
    gate.resolve();
    await one.idle();
    expect(one.mark()).toBe(idOf(2));
    expect(one.heard.filter(isPanic)).toHaveLength(1);
  });

  test('no command waits for its first answer before it is offered', async () => {
    const one = room(
      async () => ({ isAnswered: true }),
      () => stuck,
    );
    one.command(1, 'status', '');
    await until(() => one.heard.length === 1, 'the command');
  });
});

describe('what discord tells waits in order and in bounds', () => {
  test('a bug of the engine is no answer: the event is offered again', async () => {
    let bugs = 3;
    const event = { externalId: 'x' } as InboundEvent; // safe: only handed on
    const offered = await offer(
      event,
      async () => {
        bugs -= 1;
        if (bugs === 2) throw new TypeError('undefined is no function');
        if (bugs === 1) throw new AppError({ code: 'engine.any.bug', kind: 'bug', message: 'Broken.' });
        return { isAnswered: true };
      },
      { clock: skippingClock(), log: recordingLogger(), signal: new AbortController().signal },
    );
    expect(offered).toEqual({ kind: 'taken', taken: { isAnswered: true } });
  });

  test('a full channel is read back when there is room again: nothing is lost, and memory has an end', async () => {
    const gate = Promise.withResolvers<void>();
    const said: { id: string; channel_id: string; content: string; author: object }[] = [];
    const one = room(
      async () => void (await gate.promise),
      async ({ query }) => said.filter(({ id }) => isNewer(id, query?.get('after') ?? '0')).slice(0, 100),
      { maxWaiting: 3 },
    );
    for (let number = 1; number <= 720; number += 1) {
      const author = { id: '3', username: 'ada' };
      said.push({ id: idOf(number), channel_id: '5', content: `no ${number}`, author });
      one.say(number, `no ${number}`, { guild_id: undefined });
    }
    await until(() => one.heard.length === 1, 'the first words');
    gate.resolve();
    await one.idle();
    expect(one.heard.map(({ text }) => text)).toEqual(said.map(({ content }) => content));
    // Pages of 100, and the bound of what is read after an absence does not hold here.
    expect(one.calls).toHaveLength(8);
    expect(one.mark()).toBe(idOf(720));
  });

  test('a command that a full channel has no room for is told so, by the application that it was meant for', async () => {
    const one = room(
      () => stuck,
      async () => ({}),
      { maxWaiting: 1 },
    );
    one.take('GUILD_CREATE', guild);
    one.say(1, 'hello');
    one.command(2, 'status', '', '77');
    await until(() => one.calls.length === 2, 'the words');
    expect(one.calls[1]).toMatchObject({
      route: '/webhooks/77/token2/messages/@original',
      body: { content: 'Too much is waiting here. Try again in a few minutes.' },
    });
  });

  test('a session names its application', () => {
    const one = room(
      async () => undefined,
      () => stuck,
    );
    one.take('READY', { guilds: [], application: { id: '77', flags: 0 } });
    one.take('READY', { guilds: [] });
    expect(one.applications).toEqual(['77', '1']);
  });
});
