import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ALL_INTENTS, type GatewayClient, gatewayClient, home, identified } from '../discord.fixture.ts';
import { type DiscordServer, startDiscordServer } from '../server.ts';
import { INTENTS } from './intents.ts';

let discord: DiscordServer;
beforeEach(async () => {
  discord = await startDiscordServer({ grants: { guildPresences: false } });
});
afterEach(() => discord.close());

const contents = (client: GatewayClient) => client.events('MESSAGE_CREATE').map(({ content }) => content);
const resume = async (sessionId: unknown, seq: number) => {
  const client = await gatewayClient(discord, { path: 'resume' });
  client.send(6, { token: discord.token, session_id: sessionId, seq });
  await client.until(() => client.payloads.length > 1 || client.code !== undefined, 'an answer to RESUME');
  return client;
};
const sessionOf = (client: GatewayClient) => client.events('READY')[0]?.session_id;
const lastSeq = (client: GatewayClient) => Math.max(...client.payloads.map(({ s }) => s ?? 0));

describe('beginning', () => {
  test('READY, then each guild with its channels and members', async () => {
    const { ann, guild, channel } = home(discord);
    const client = await identified(discord);
    await client.until(() => client.events('GUILD_CREATE').length === 1, 'the guild');
    expect(client.payloads[0]).toMatchObject({ op: 10, d: { heartbeat_interval: 41_250 } });
    expect(client.events('READY')[0]).toMatchObject({ guilds: [{ id: guild.id, unavailable: true }] });
    expect(client.events('GUILD_CREATE')[0]).toMatchObject({
      id: guild.id,
      channels: [{ id: channel.id }],
      members: [{ user: { id: discord.bot.id } }, { user: { id: ann.id } }],
    });
    expect(client.payloads.flatMap(({ s }) => s ?? [])).toEqual([1, 2]);
    expect(discord.gateway.sessionStartLimit.remaining).toBe(999);
  });

  test.each([
    ['a wrong token', { token: 'wrong', intents: 1 }, 4004],
    ['a shard that does not exist', { intents: 1, shard: [2, 2] }, 4010],
    ['an intent that does not exist', { intents: 1 << 30 }, 4013],
    ['an intent that was not granted', { intents: INTENTS.guildPresences }, 4014],
  ])('%s closes', async (_what, d, code) => {
    const client = await gatewayClient(discord);
    client.send(2, { token: discord.token, ...d });
    await client.until(() => client.code !== undefined, 'the end');
    expect(client.code).toBe(code);
  });

  test('granted intents do not close', async () => {
    expect((await identified(discord, INTENTS.guildMembers | INTENTS.messageContent)).code).toBeUndefined();
  });

  test('the test may have the next one refused', async () => {
    discord.gateway.refuseIdentify(4014);
    expect((await identified(discord)).code).toBe(4014);
    expect((await identified(discord)).code).toBeUndefined();
  });

  test.each([
    ['v=9&encoding=json', 4012],
    ['v=10&encoding=json&compress=zlib-stream', 4002],
    ['v=10&encoding=etf', 4002],
  ])('%s closes', async (query, code) => {
    const client = await gatewayClient(discord, { query });
    expect([client.payloads.length, client.code]).toEqual([0, code]);
  });

  test.each([
    ['{', 4002],
    ['{"op":99}', 4001],
    ['{"op":3,"d":{}}', 4003],
  ])('%s closes', async (text, code) => {
    const client = await gatewayClient(discord);
    client.sendRaw(text);
    await client.until(() => client.code !== undefined, 'the end');
    expect(client.code).toBe(code);
  });

  test('identifying twice closes', async () => {
    const client = await identified(discord);
    client.send(2, { token: discord.token, intents: 1 });
    await client.until(() => client.code !== undefined, 'the end');
    expect(client.code).toBe(4005);
  });
});

describe('what is told', () => {
  test('only events of the intents', async () => {
    const { ann, guild, channel } = home(discord);
    const client = await identified(discord, INTENTS.guilds | INTENTS.directMessages);
    discord.say({ channel, from: ann, content: 'to all' });
    discord.join(guild, discord.user({ username: 'bob' }));
    discord.say({ channel: discord.direct(ann), from: ann, content: 'to you' });
    await client.until(() => contents(client).length > 0, 'the message');
    expect(contents(client)).toEqual(['to you']);
    expect(client.events('GUILD_MEMBER_ADD')).toEqual([]);
  });

  test('without the intent, what others say is empty, but not what is said to the bot', async () => {
    const { ann, channel } = home(discord);
    const client = await identified(discord, ALL_INTENTS & ~INTENTS.messageContent);
    discord.say({ channel, from: ann, content: 'between us', attachments: [{ name: 'a.txt' }] });
    discord.say({ channel, from: ann, content: `<@${discord.bot.id}> you` });
    discord.say({ channel: discord.direct(ann), from: ann, content: 'direct' });
    await client.until(() => contents(client).length === 3, 'the messages');
    expect(contents(client)).toEqual(['', `<@${discord.bot.id}> you`, 'direct']);
    expect(client.events('MESSAGE_CREATE')[0]?.attachments).toEqual([]);
  });

  test('a channel that the bot may not see is silent, until a private thread takes it in', async () => {
    const { ann, guild, channel } = home(discord);
    const secret = discord.channel({ guild, name: 'secret', visibleTo: [ann] });
    const thread = discord.createThread({ channel, from: ann, name: 'side', isPrivate: true });
    const client = await identified(discord);
    discord.say({ channel: secret, from: ann, content: 'secret' });
    discord.say({ channel: thread, from: ann, content: 'before' });
    discord.joinThread(thread, discord.bot);
    discord.say({ channel: thread, from: ann, content: 'after' });
    await client.until(() => contents(client).length > 0, 'the message');
    expect(contents(client)).toEqual(['after']);
    expect(client.events('THREAD_CREATE')).toMatchObject([{ id: thread.id }]);
  });

  test('twice, and the other way round, when told to', async () => {
    const { ann, channel } = home(discord);
    const client = await identified(discord);
    discord.gateway.duplicate(1);
    for (const content of ['a', 'b']) discord.say({ channel, from: ann, content });
    discord.gateway.reorder(2);
    for (const content of ['c', 'd', 'e']) discord.say({ channel, from: ann, content });
    await client.until(() => contents(client).length === 6, 'the messages');
    expect(contents(client)).toEqual(['a', 'a', 'b', 'd', 'c', 'e']);
  });
});

describe('coming back', () => {
  test('RESUME replays what came after the number, and no more', async () => {
    const { ann, channel } = home(discord);
    const first = await identified(discord);
    discord.say({ channel, from: ann, content: 'heard' });
    await first.until(() => contents(first).length === 1, 'the message');
    const seq = lastSeq(first);
    discord.gateway.drop();
    discord.say({ channel, from: ann, content: 'missed' });
    const second = await resume(sessionOf(first), seq);
    await second.until(() => second.events('RESUMED').length === 1, 'RESUMED');
    expect(contents(second)).toEqual(['missed']);
    expect(second.payloads.flatMap(({ s }) => s ?? [])).toEqual([seq + 1, seq + 2]);
    discord.say({ channel, from: ann, content: 'again here' });
    await second.until(() => contents(second).length === 2, 'the next message');
  });

  test('a number from the future closes with 4007, and the session is over', async () => {
    const first = await identified(discord);
    discord.gateway.drop();
    expect((await resume(sessionOf(first), 99)).code).toBe(4007);
  });

  test.each([
    ['a session that nobody knows', async () => 'unknown'],
    [
      'a session that was forgotten',
      async () => {
        const id = sessionOf(await identified(discord));
        discord.gateway.forgetSessions();
        return id;
      },
    ],
    [
      'a session that the client left with 1000',
      async () => {
        const client = await identified(discord);
        client.close(1000);
        await discord.until(() => discord.gateway.connected === 0, 'the end');
        return sessionOf(client);
      },
    ],
    [
      'a session that ended with 4009',
      async () => {
        const client = await identified(discord);
        discord.gateway.close(4009);
        await client.until(() => client.code === 4009, 'the end');
        return sessionOf(client);
      },
    ],
  ])('%s is invalid', async (_what, session) => {
    const client = await resume(await session(), 1);
    expect(client.payloads.at(-1)).toEqual({ op: 9, d: false });
  });

  test.each([4000, 4008])('a session that ended with %i can be resumed', async (code) => {
    const first = await identified(discord);
    discord.gateway.close(code);
    await first.until(() => first.code === code, 'the end');
    const second = await resume(sessionOf(first), 1);
    expect(second.events('RESUMED')).toHaveLength(1);
  });

  test('op 9 false loses the gap for ever; the history has it', async () => {
    const { ann, channel } = home(discord);
    const first = await identified(discord);
    discord.gateway.invalidate(false);
    discord.say({ channel, from: ann, content: 'lost' });
    const second = await identified(discord);
    discord.say({ channel, from: ann, content: 'new' });
    await second.until(() => contents(second).length > 0, 'the message');
    expect([contents(first), contents(second)]).toEqual([[], ['new']]);
    expect(discord.messages(channel).map(({ wire }) => wire.content)).toEqual(['lost', 'new']);
  });

  test('op 9 true: the client may resume on the same line', async () => {
    const client = await identified(discord);
    discord.gateway.invalidate(true);
    await client.until(() => client.payloads.at(-1)?.op === 9, 'op 9');
    client.send(6, { token: discord.token, session_id: sessionOf(client), seq: lastSeq(client) });
    await client.until(() => client.events('RESUMED').length === 1, 'RESUMED');
    expect(client.code).toBeUndefined();
  });
});

test('heartbeats are acknowledged, until they are not', async () => {
  const client = await identified(discord);
  client.send(1, 1);
  await client.until(() => client.payloads.at(-1)?.op === 11, 'the acknowledgement');
  discord.gateway.setAcking(false);
  client.send(1, 1);
  client.send(8, { guild_id: '1', nonce: 'after' });
  await client.until(() => client.events('GUILD_MEMBERS_CHUNK').length === 1, 'what was asked after it');
  expect(client.payloads.filter(({ op }) => op === 11)).toHaveLength(1);
  expect(discord.gateway.counts.heartbeats).toBe(2);
});

test('nobody gets a line while it refuses, and nothing is said while it is silent', async () => {
  discord.gateway.setRefusing(true);
  expect((await gatewayClient(discord)).payloads).toEqual([]);
  discord.gateway.setRefusing(false);
  discord.gateway.setSilent(true);
  const opening = gatewayClient(discord);
  await discord.until(() => discord.gateway.lines.length === 1, 'a line');
  discord.gateway.drop();
  expect((await opening).payloads).toEqual([]);
});
