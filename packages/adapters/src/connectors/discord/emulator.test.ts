import { type DiscordServer, startDiscordServer } from '@agent-runtime/testkit';
import {
  Client,
  type ClientOptions,
  GatewayIntentBits,
  type Message,
  MessageFlags,
  Partials,
} from 'discord.js';
import { afterEach, beforeEach, expect, test } from 'vitest';

let discord: DiscordServer;
let clients: Client[];

beforeEach(async () => {
  clients = [];
  discord = await startDiscordServer({ checksAnswers: true });
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.destroy()));
  await discord.close();
  expect(discord.violations).toEqual([]);
  expect(discord.badAnswers).toEqual([]);
});

const INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMembers,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.GuildMessageReactions,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.MessageContent,
];

function client(options: Partial<ClientOptions> = {}): Client {
  const made = new Client({
    intents: INTENTS,
    partials: [Partials.Channel, Partials.Message, Partials.Reaction],
    rest: { api: discord.apiUrl },
    ...options,
  });
  clients.push(made);
  return made;
}

async function loggedIn(options: Partial<ClientOptions> = {}): Promise<Client> {
  const made = client(options);
  const isReady = new Promise((resolve) => made.once('clientReady', resolve));
  await made.login(discord.token);
  await isReady;
  return made;
}

function home() {
  const ann = discord.user({ username: 'ann', displayName: 'Ann' });
  const guild = discord.guild({ name: 'Home', owner: ann });
  const channel = discord.channel({ guild, name: 'general' });
  return { ann, guild, channel };
}

function nextMessage(made: Client): Promise<Message> {
  return new Promise((resolve) => made.once('messageCreate', resolve));
}

test('discord.js logs in and hears a message', async () => {
  const { ann, guild, channel } = home();
  const bot = await loggedIn();
  expect(bot.user?.id).toBe(discord.bot.id);
  expect(bot.guilds.cache.get(guild.id)?.name).toBe('Home');
  const heard = nextMessage(bot);
  discord.say({ channel, from: ann, content: 'hello' });
  const message = await heard;
  expect([message.content, message.author.id, message.member?.displayName]).toEqual(['hello', ann.id, 'Ann']);
});

test('a direct message is heard', async () => {
  const { ann } = home();
  const bot = await loggedIn();
  const heard = nextMessage(bot);
  discord.say({ channel: discord.direct(ann), from: ann, content: 'psst' });
  expect((await heard).content).toBe('psst');
});

test('a message with a nonce is made once', async () => {
  const { channel } = home();
  const bot = await loggedIn();
  const target = await bot.channels.fetch(channel.id);
  if (target?.isSendable() !== true) throw new Error('no channel');
  const message = { content: 'once', nonce: 'abc', enforceNonce: true, allowedMentions: { parse: [] } };
  const first = await target.send(message);
  const second = await target.send(message);
  expect(second.id).toBe(first.id);
  expect(discord.messages(channel).map(({ wire }) => wire.content)).toEqual(['once']);
});

test('a slash command is told, deferred and answered', async () => {
  const { ann, channel } = home();
  const bot = await loggedIn();
  await bot.application?.commands.set([
    {
      name: 'ask',
      description: 'Asks',
      options: [{ type: 3, name: 'text', description: 'What', required: true }],
    },
  ]);
  bot.on('interactionCreate', async (interaction) => {
    if (!interaction.isChatInputCommand()) return;
    await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    await interaction.editReply(`You asked: ${interaction.options.getString('text')}`);
  });
  const asked = discord.command({ channel, from: ann, name: 'ask', values: { text: 'why' } });
  await discord.until(() => asked.original?.wire.content === 'You asked: why', 'the answer');
  expect(asked.answer?.type).toBe(5);
  expect(asked.answer?.afterMs).toBeLessThan(3_000);
  expect(asked.original?.ephemeralFor).toBe(ann.id);
  expect(discord.messages(channel)).toEqual([]);
});

test('a dropped line is resumed, and what was missed is told', async () => {
  const { ann, channel } = home();
  const bot = await loggedIn();
  const heard = nextMessage(bot);
  discord.gateway.drop();
  discord.say({ channel, from: ann, content: 'while you were away' });
  expect((await heard).content).toBe('while you were away');
  expect(discord.gateway.counts).toMatchObject({ identifies: 1, resumes: 1 });
  expect(discord.gateway.lines.at(-1)?.path).toBe('/resume');
});
