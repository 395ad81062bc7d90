import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ManualClock, manualClock } from '../../clock.ts';
import { call, home, identified } from '../discord.fixture.ts';
import { type DiscordServer, startDiscordServer } from '../server.ts';
import type { InteractionRecord } from '../world/interactions.ts';

let clock: ManualClock;
let discord: DiscordServer;
let place: ReturnType<typeof home>;
beforeEach(async () => {
  clock = manualClock();
  discord = await startDiscordServer({ clock });
  place = home(discord);
  await call(discord, 'PUT', commandsPath(), COMMANDS);
});
afterEach(() => discord.close());

const COMMANDS = [
  {
    name: 'open',
    description: 'Opens',
    options: [
      { type: 3, name: 'what', description: 'What', required: true, autocomplete: true },
      { type: 4, name: 'page', description: 'Page' },
    ],
  },
  { name: 'panic', description: 'Stops', options: [{ type: 1, name: 'on', description: 'On' }] },
];
const commandsPath = () => `/applications/${discord.applicationId}/commands`;
const open = () =>
  discord.command({ channel: place.channel, from: place.ann, name: 'open', values: { what: 'a', page: 2 } });
const answer = ({ id, token }: InteractionRecord, body: unknown) =>
  call(discord, 'POST', `/interactions/${id}/${token}/callback`, body);
const hook = ({ token }: InteractionRecord, rest = '') =>
  `/webhooks/${discord.applicationId}/${token}${rest}`;

test('a command carries its options with their types', async () => {
  const client = await identified(discord);
  open();
  discord.command({ channel: place.channel, from: place.ann, name: 'panic', subcommand: 'on' });
  await client.until(() => client.events('INTERACTION_CREATE').length === 2, 'the commands');
  expect(client.events('INTERACTION_CREATE')).toMatchObject([
    {
      type: 2,
      guild_id: place.guild.id,
      member: { user: { id: place.ann.id } },
      data: {
        name: 'open',
        options: [
          { name: 'what', type: 3, value: 'a' },
          { name: 'page', type: 4, value: 2 },
        ],
      },
    },
    { data: { name: 'panic', options: [{ name: 'on', type: 1, options: [] }] } },
  ]);
});

test.each([
  ['a command that is not registered', { name: 'other' }],
  ['an option that is missing', { name: 'open' }],
  ['an option that does not exist', { name: 'open', values: { what: 'a', why: 'b' } }],
  ['a subcommand that does not exist', { name: 'panic', subcommand: 'off' }],
])('%s cannot be used', (_what, typed) => {
  expect(() => discord.command({ channel: place.channel, from: place.ann, ...typed })).toThrow();
});

describe('the first answer', () => {
  test('is taken once', async () => {
    const used = open();
    await clock.advance(200);
    expect((await answer(used, { type: 4, data: { content: 'hi' } })).status).toBe(204);
    expect((await answer(used, { type: 4, data: { content: 'again' } })).body.code).toBe(40060);
    expect(used.answer).toMatchObject({ type: 4, afterMs: 200 });
    expect(discord.messages(place.channel).map(({ wire }) => wire.content)).toEqual(['hi']);
  });

  test('is unknown after three seconds', async () => {
    const [inTime, late] = [open(), open()];
    await clock.advance(3_000);
    expect((await answer(inTime, { type: 5 })).status).toBe(204);
    await clock.advance(1);
    expect((await answer(late, { type: 5 })).body.code).toBe(10062);
    expect(
      (await call(discord, 'PATCH', hook(late, '/messages/@original'), { content: 'x' })).body.code,
    ).toBe(10015);
  });

  test.each([6, 7, 8])('of a command is not of type %i', async (type) => {
    const used = open();
    expect((await answer(used, { type, data: { choices: [] } })).status).toBe(400);
    expect(used.answer).toBeUndefined();
  });

  test('can be read back', async () => {
    const { id, token } = open();
    const path = `/interactions/${id}/${token}/callback?with_response=true`;
    const { body } = await call(discord, 'POST', path, { type: 4, data: { content: 'hi' } });
    expect(body).toMatchObject({ interaction: { id }, resource: { type: 4, message: { content: 'hi' } } });
  });

  test('that nobody else sees stands in no history', async () => {
    const used = open();
    await answer(used, { type: 4, data: { content: 'psst', flags: 64 } });
    expect(used.original?.ephemeralFor).toBe(place.ann.id);
    expect(discord.messages(place.channel)).toEqual([]);
  });
});

describe('what follows', () => {
  const original = '/messages/@original';

  test('a deferred answer is filled by an edit', async () => {
    const used = open();
    await answer(used, { type: 5 });
    expect(used.isLoading).toBe(true);
    await clock.advance(14 * 60_000);
    const { body } = await call(discord, 'PATCH', hook(used, original), { content: 'done' });
    expect([body.content, body.flags, used.isLoading]).toEqual(['done', 0, false]);
    expect((await call(discord, 'GET', hook(used, original))).body.id).toBe(body.id);
  });

  test('a deferred answer is filled by the first message, the second is another', async () => {
    const used = open();
    await answer(used, { type: 5 });
    const first = await call(discord, 'POST', hook(used), { content: 'one' });
    const second = await call(discord, 'POST', hook(used), { content: 'two' });
    expect(first.body.id).toBe(used.original?.wire.id);
    expect(used.followUps.map(({ wire }) => [wire.id, wire.type])).toEqual([[second.body.id, 19]]);
  });

  test('the token ends after fifteen minutes', async () => {
    const used = open();
    await answer(used, { type: 5 });
    await clock.advance(15 * 60_000 + 1);
    expect(await call(discord, 'PATCH', hook(used, original), { content: 'x' })).toMatchObject({
      status: 401,
      body: { code: 50027 },
    });
  });

  test('what was deleted is gone', async () => {
    const used = open();
    await answer(used, { type: 4, data: { content: 'x' } });
    expect((await call(discord, 'DELETE', hook(used, original))).status).toBe(204);
    expect((await call(discord, 'GET', hook(used, original))).body.code).toBe(10008);
  });
});

describe('suggestions', () => {
  const typing = () =>
    discord.autocomplete({ channel: place.channel, from: place.ann, name: 'open', focused: 'what' });
  const choices = (count: number, name = 'x') => ({ choices: Array(count).fill({ name, value: 'v' }) });

  test('25 are taken', async () => {
    const asked = typing();
    expect(asked.wire.data).toMatchObject({ options: [{ name: 'what', value: '', focused: true }] });
    expect((await answer(asked, { type: 8, data: choices(25) })).status).toBe(204);
    expect(asked.answer?.data.choices).toHaveLength(25);
  });

  test.each([
    ['26', { type: 8, data: choices(26) }],
    ['a long name', { type: 8, data: choices(1, 'x'.repeat(101)) }],
    ['no name', { type: 8, data: choices(1, '') }],
    ['a long value', { type: 8, data: { choices: [{ name: 'x', value: 'x'.repeat(101) }] } }],
    ['a message', { type: 4, data: { content: 'x' } }],
  ])('%s are refused', async (_what, body) => {
    expect((await answer(typing(), body)).status).toBe(400);
  });
});

describe('buttons and forms', () => {
  const buttons = [
    {
      type: 1,
      components: [
        { type: 2, style: 1, label: 'Yes', custom_id: 'yes' },
        { type: 2, style: 1, label: 'No', custom_id: 'no', disabled: true },
      ],
    },
  ];
  const form = {
    type: 9,
    data: {
      custom_id: 'why',
      title: 'Why',
      components: [{ type: 1, components: [{ type: 4, custom_id: 'reason', label: 'Reason', style: 1 }] }],
    },
  };
  const card = async () => {
    const { body } = await call(discord, 'POST', place.messagesPath, {
      content: 'sure?',
      components: buttons,
    });
    return discord.message(String(body.id));
  };

  test('a press is answered by changing its message', async () => {
    const message = await card();
    const pressed = discord.press({ message: message.wire, customId: 'yes', from: place.ann });
    expect(pressed.wire).toMatchObject({ type: 3, data: { custom_id: 'yes', component_type: 2 } });
    expect((await answer(pressed, { type: 7, data: { content: 'yes', components: [] } })).status).toBe(204);
    expect([message.wire.content, message.wire.components]).toEqual(['yes', []]);
    expect(() => discord.press({ message: message.wire, customId: 'yes', from: place.ann })).toThrow(
      'nothing',
    );
  });

  test('what cannot be pressed is not, unless it is forged', async () => {
    const { wire: message } = await card();
    expect(() => discord.press({ message, customId: 'no', from: place.ann })).toThrow('disabled');
    const forged = discord.press({ message, customId: 'approve:1', from: place.ann, isForged: true });
    expect(forged.wire.data).toMatchObject({ custom_id: 'approve:1' });
  });

  test('a form is filled in and sent off', async () => {
    const message = await card();
    const pressed = discord.press({ message: message.wire, customId: 'yes', from: place.ann });
    await answer(pressed, form);
    const sent = discord.submitModal({
      interaction: pressed,
      from: place.ann,
      values: { reason: 'because' },
    });
    expect(sent.wire).toMatchObject({
      type: 5,
      data: { custom_id: 'why', components: [{ components: [{ custom_id: 'reason', value: 'because' }] }] },
      message: { id: message.wire.id },
    });
    expect((await answer(sent, form)).status).toBe(400);
    expect((await answer(sent, { type: 6 })).status).toBe(204);
    expect(sent.original).toBe(message);
  });
});

describe('registering', () => {
  const put = (body: unknown) => call(discord, 'PUT', commandsPath(), body);
  const ids = () => discord.commands().map(({ id, version }) => [id, version]);

  test('the same set keeps its ids and changes nothing', async () => {
    const [before, changed] = [ids(), discord.commandWrites.changed];
    await put(COMMANDS);
    expect(ids()).toEqual(before);
    expect(discord.commandWrites).toEqual({ calls: 2, changed });
  });

  test('a change keeps the id; what is left out is gone', async () => {
    const [first] = discord.commands();
    await put([{ ...COMMANDS[0], description: 'Opens it' }]);
    expect(discord.commands().map(({ id }) => id)).toEqual([first?.id]);
    expect(discord.commands()[0]?.version).not.toBe(first?.version);
  });

  test('a command of the guild goes before the global one', async () => {
    const path = `/applications/${discord.applicationId}/guilds/${place.guild.id}/commands`;
    const made = await call(discord, 'POST', path, { name: 'open', description: 'Here' });
    expect(made).toMatchObject({ status: 201, body: { guild_id: place.guild.id } });
    const used = discord.command({ channel: place.channel, from: place.ann, name: 'open' });
    expect(used.wire.data).toMatchObject({ id: made.body.id });
  });

  test.each([
    ['a name in capitals', { name: 'Open', description: 'x' }],
    ['a long name', { name: 'x'.repeat(33), description: 'x' }],
    ['no description', { name: 'x' }],
    [
      'required after optional',
      {
        name: 'x',
        description: 'x',
        options: [
          { type: 3, name: 'a', description: 'a' },
          { type: 3, name: 'b', description: 'b', required: true },
        ],
      },
    ],
  ])('%s is refused', async (_what, command) => {
    const before = ids();
    expect((await put([command])).status).toBe(400);
    expect(ids()).toEqual(before);
  });

  test('two of one name are refused', async () => {
    expect((await put([COMMANDS[0], COMMANDS[0]])).status).toBe(400);
  });
});
