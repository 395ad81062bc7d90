import { type DiscordServer, startDiscordServer } from '@agent-runtime/testkit';
import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  type Client,
  EmbedBuilder,
  Events,
  MessageFlags,
  MessageReferenceType,
  ModalBuilder,
  type SendableChannels,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clients, discordJsClients, nextMessage } from './discord-js.fixture.ts';

// The real library against the emulator: what holds here may be believed of the emulator in every other test.

let discord: DiscordServer;
let clients: Clients;
let place: ReturnType<typeof home>;

beforeEach(async () => {
  clients = discordJsClients();
  discord = await startDiscordServer({ checksAnswers: true, heartbeatIntervalMs: 60 });
  place = home();
});

afterEach(async () => {
  await clients.end();
  await discord.close();
  expect(discord.violations.map(({ problems }) => problems)).toEqual([]);
  expect(discord.badAnswers.map(({ problems }) => problems)).toEqual([]);
  expect(discord.limits.tooEarly).toEqual([]);
});

function home() {
  const ann = discord.user({ username: 'ann', displayName: 'Ann' });
  const guild = discord.guild({ name: 'Home', owner: ann });
  return { ann, guild, channel: discord.channel({ guild, name: 'general' }) };
}

const contents = () => discord.messages(place.channel).map(({ wire }) => wire.content);

async function channelOf(client: Client): Promise<SendableChannels> {
  const channel = await client.channels.fetch(place.channel.id);
  if (channel?.isSendable() !== true) throw new Error('The client cannot send there');
  return channel;
}

describe('hearing', () => {
  test('it logs in, knows the guild and hears a message with its member', async () => {
    const client = await clients.login(discord);
    expect([client.user?.id, client.guilds.cache.get(place.guild.id)?.name]).toEqual([
      discord.bot.id,
      'Home',
    ]);
    const heard = nextMessage(client);
    discord.say({ channel: place.channel, from: place.ann, content: 'hello' });
    const { content, author, member } = await heard;
    expect([content, author.id, member?.displayName]).toEqual(['hello', place.ann.id, 'Ann']);
  });

  test('a direct message', async () => {
    const client = await clients.login(discord);
    const heard = nextMessage(client);
    discord.say({ channel: discord.direct(place.ann), from: place.ann, content: 'psst' });
    const message = await heard;
    expect([message.content, message.inGuild()]).toEqual(['psst', false]);
  });

  test('a thread, a reply with a file, a forward, a webhook', async () => {
    const { ann, channel } = place;
    const asked = discord.say({ channel, from: ann, content: 'asked' });
    const client = await clients.login(discord);
    const thread = discord.createThread({ channel, from: ann, name: 'talk', message: asked });
    const reply = nextMessage(client);
    discord.say({
      channel: thread,
      from: ann,
      content: 'see',
      replyTo: asked,
      attachments: [{ name: 'a.txt', bytes: 'abc' }],
    });
    const { reference, attachments, channel: where } = await reply;
    expect([reference?.messageId, attachments.first()?.size, where.isThread()]).toEqual([asked.id, 3, true]);
    const forward = nextMessage(client);
    discord.say({ channel, from: ann, forwards: asked });
    const passed = await forward;
    expect(passed.reference?.type).toBe(MessageReferenceType.Forward);
    expect(passed.messageSnapshots.first()?.content).toBe('asked');
    const hook = nextMessage(client);
    discord.say({ channel, webhook: { name: 'news' }, content: 'extra' });
    expect((await hook).webhookId).toBe(channel.id);
  });

  test('edits, reactions, members', async () => {
    const client = await clients.login(discord);
    const old = discord.say({ channel: place.channel, from: place.ann, content: 'before' });
    const edited = new Promise<string>((resolve) =>
      client.once(Events.MessageUpdate, (_old, now) => resolve(now.content)),
    );
    discord.edit(old, { content: 'after' });
    expect(await edited).toBe('after');
    const reacted = new Promise<unknown>((resolve) =>
      client.once(Events.MessageReactionAdd, ({ emoji }, user) => resolve([emoji.name, user.id])),
    );
    discord.react({ message: old, from: place.ann, emoji: '👍' });
    expect(await reacted).toEqual(['👍', place.ann.id]);
    const left = new Promise<string>((resolve) =>
      client.once(Events.GuildMemberRemove, ({ id }) => resolve(id)),
    );
    const bob = discord.user({ username: 'bob' });
    discord.join(place.guild, bob);
    discord.leave(place.guild, bob);
    expect(await left).toBe(bob.id);
  });
});

describe('sending', () => {
  test('with a nonce that is enforced a message is made once, also when the answer got lost', async () => {
    const channel = await channelOf(await clients.login(discord));
    const message = { content: 'once', nonce: 'abc', enforceNonce: true, allowedMentions: { parse: [] } };
    discord.faults.add({ method: 'POST', route: '/channels/{channel_id}/messages', kind: 'drop-after' });
    await expect(channel.send(message)).rejects.toThrow();
    const again = await channel.send(message);
    expect(discord.messages(place.channel).map(({ wire }) => wire.id)).toEqual([again.id]);
  });

  test('embed, buttons, a file; then an edit', async () => {
    const channel = await channelOf(await clients.login(discord));
    const row = new ActionRowBuilder<ButtonBuilder>().addComponents(
      new ButtonBuilder().setCustomId('yes').setLabel('Yes').setStyle(ButtonStyle.Success),
    );
    const sent = await channel.send({
      content: 'card',
      embeds: [new EmbedBuilder().setTitle('What').addFields({ name: 'to', value: 'whom' })],
      components: [row],
      files: [new AttachmentBuilder(Buffer.from('long'), { name: 'answer.md' })],
      allowedMentions: { parse: [] },
    });
    await sent.edit({ content: 'done', components: [] });
    const { wire, history } = discord.message(sent.id);
    expect([wire.content, wire.components, wire.attachments[0]?.filename]).toEqual(['done', [], 'answer.md']);
    expect(history[0]?.wire.components).toMatchObject([{ components: [{ custom_id: 'yes' }] }]);
  });

  test('it waits as long as it is told', async () => {
    const channel = await channelOf(await clients.login(discord));
    discord.faults.add({
      method: 'POST',
      route: '/channels/{channel_id}/messages',
      kind: 'too-many',
      retryAfterS: 0.05,
    });
    await channel.send('later');
    expect([contents(), discord.calls.filter(({ status }) => status === 429).length]).toEqual([['later'], 1]);
  });

  test('history is read, typing is shown', async () => {
    discord.say({ channel: place.channel, from: place.ann, content: 'old' });
    const after = discord.say({ channel: place.channel, from: place.ann, content: 'known' });
    discord.say({ channel: place.channel, from: place.ann, content: 'missed' });
    const channel = await channelOf(await clients.login(discord));
    const missed = await channel.messages.fetch({ after: after.id });
    expect(missed.map(({ content }) => content)).toEqual(['missed']);
    await channel.sendTyping();
    expect(discord.typing).toHaveLength(1);
  });
});

describe('interactions', () => {
  const ASK = {
    name: 'ask',
    description: 'Asks',
    options: [
      {
        type: ApplicationCommandOptionType.String as const,
        name: 'text',
        description: 'What',
        required: true,
        autocomplete: true,
      },
    ],
  };

  test('commands are registered once; a command is deferred and answered', async () => {
    const client = await clients.login(discord);
    await client.application?.commands.set([ASK]);
    const { changed } = discord.commandWrites;
    await client.application?.commands.set([ASK]);
    expect(discord.commandWrites).toEqual({ calls: 2, changed });
    client.on(Events.InteractionCreate, async (interaction) => {
      if (!interaction.isChatInputCommand()) return;
      await interaction.deferReply({ flags: MessageFlags.Ephemeral });
      await interaction.editReply(`You asked: ${interaction.options.getString('text')}`);
    });
    const asked = discord.command({
      channel: place.channel,
      from: place.ann,
      name: 'ask',
      values: { text: 'why' },
    });
    await discord.until(() => asked.original?.wire.content === 'You asked: why', 'the answer');
    expect([asked.answer?.type, asked.original?.ephemeralFor, contents()]).toEqual([5, place.ann.id, []]);
  });

  test('suggestions', async () => {
    const client = await clients.login(discord);
    await client.application?.commands.set([ASK]);
    client.on(Events.InteractionCreate, async (interaction) => {
      if (interaction.isAutocomplete()) {
        await interaction.respond([{ name: `about ${interaction.options.getFocused()}`, value: '1' }]);
      }
    });
    const { ann: from, channel } = place;
    const asked = discord.autocomplete({
      channel,
      from,
      name: 'ask',
      values: { text: 'cats' },
      focused: 'text',
    });
    await discord.until(() => asked.answer !== undefined, 'the suggestions');
    expect(asked.answer?.data).toEqual({ choices: [{ name: 'about cats', value: '1' }] });
  });

  test('a button opens a form, the form changes the message', async () => {
    const client = await clients.login(discord);
    const channel = await channelOf(client);
    client.on(Events.InteractionCreate, async (interaction) => {
      if (interaction.isButton()) {
        const input = new TextInputBuilder()
          .setCustomId('why')
          .setLabel('Why')
          .setStyle(TextInputStyle.Short);
        const form = new ModalBuilder().setCustomId('deny').setTitle('Deny');
        await interaction.showModal(
          form.addComponents(new ActionRowBuilder<TextInputBuilder>().addComponents(input)),
        );
      } else if (interaction.isModalSubmit() && interaction.isFromMessage()) {
        const why = interaction.fields.getTextInputValue('why');
        await interaction.update({ content: `Denied: ${why}`, components: [] });
      }
    });
    const deny = new ButtonBuilder().setCustomId('deny').setLabel('Deny').setStyle(ButtonStyle.Danger);
    const card = await channel.send({
      content: 'Sure?',
      components: [new ActionRowBuilder<ButtonBuilder>().addComponents(deny)],
    });
    const pressed = discord.press({ message: card.id, customId: 'deny', from: place.ann });
    await discord.until(() => pressed.answer !== undefined, 'the form');
    discord.submitModal({ interaction: pressed, from: place.ann, values: { why: 'too late' } });
    await discord.until(() => contents()[0] === 'Denied: too late', 'the change');
    expect(discord.message(card.id).wire.components).toEqual([]);
  });
});

describe('lines that end', () => {
  const reconnects: readonly [string, () => void][] = [
    ['a dropped line', () => discord.gateway.drop()],
    ['op 7', () => discord.gateway.reconnect()],
    ['close 4000', () => discord.gateway.close(4000)],
    ['heartbeats that nobody acknowledges', () => discord.gateway.setAcking(false)],
  ];
  test.each(reconnects)('%s: the session is resumed, and what was missed is told', async (_what, end) => {
    const client = await clients.login(discord);
    const heard = nextMessage(client);
    end();
    await discord.until(() => discord.gateway.connected === 0, 'the end of the line');
    discord.gateway.setAcking(true);
    discord.say({ channel: place.channel, from: place.ann, content: 'meanwhile' });
    expect((await heard).content).toBe('meanwhile');
    expect(discord.gateway.counts).toMatchObject({ identifies: 1, resumes: 1 });
    expect(discord.gateway.lines.at(-1)?.path).toBe('/resume');
  });

  test('op 9 true: resumed on the same line', async () => {
    await clients.login(discord);
    discord.gateway.invalidate(true);
    await discord.until(() => discord.gateway.counts.resumes === 1, 'RESUME');
    expect(discord.gateway.lines).toHaveLength(1);
  });

  test.each<[string, () => void]>([
    ['op 9 false', () => discord.gateway.invalidate(false)],
    ['close 4007', () => discord.gateway.close(4007)],
    [
      'a session that was forgotten while the line was down',
      () => {
        discord.gateway.forgetSessions();
        discord.gateway.drop();
      },
    ],
  ])('%s: a new session, and the gap is only in the history', async (_what, end) => {
    const client = await clients.login(discord);
    const heard: string[] = [];
    client.on(Events.MessageCreate, ({ content }) => void heard.push(content));
    end();
    discord.say({ channel: place.channel, from: place.ann, content: 'lost' });
    await discord.until(() => discord.gateway.counts.identifies === 2, 'IDENTIFY');
    const next = nextMessage(client);
    discord.say({ channel: place.channel, from: place.ann, content: 'new' });
    await next;
    expect(heard).toEqual(['new']);
    const history = await (await channelOf(client)).messages.fetch();
    expect(history.map(({ content }) => content).sort()).toEqual(['lost', 'new']);
  });

  test.each([4004, 4010, 4011, 4012, 4013, 4014])('close %i: it does not come back', async (code) => {
    const client = await clients.login(discord);
    const ended = new Promise<number>((resolve) =>
      client.once(Events.ShardDisconnect, (event) => resolve(event.code)),
    );
    discord.gateway.close(code);
    expect(await ended).toBe(code);
    expect(discord.gateway.counts.identifies).toBe(1);
  });
});

describe('no login', () => {
  test('with a wrong token', async () => {
    await expect(clients.make(discord).login('wrong')).rejects.toThrow('invalid token');
    expect(discord.invalidRequests).toBe(1);
  });

  test('when no session may be started', async () => {
    discord.gateway.sessionStartLimit.remaining = 0;
    await expect(clients.make(discord).login(discord.token)).rejects.toThrow('Not enough sessions remaining');
  });

  test('with an intent that was not granted', async () => {
    const strict = await startDiscordServer({ grants: { messageContent: false } });
    await expect(clients.make(strict).login(strict.token)).rejects.toThrow('disallowed intents');
    await strict.close();
  });
});
