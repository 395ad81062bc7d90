import { afterEach, beforeEach, expect, test } from 'vitest';
import { manualClock } from '../../clock.ts';
import { ALL_INTENTS, call, home, identified } from '../discord.fixture.ts';
import { INTENTS } from '../gateway/intents.ts';
import { type DiscordServer, startDiscordServer } from '../server.ts';
import { compareIds, snowflakes } from './snowflake.ts';

let discord: DiscordServer;
let place: ReturnType<typeof home>;
beforeEach(async () => {
  discord = await startDiscordServer();
  place = home(discord);
});
afterEach(() => discord.close());

test('a guild has an outage, comes back, and throws the bot out', async () => {
  const client = await identified(discord);
  discord.guildDelete(place.guild, { isUnavailable: true });
  discord.guildRestore(place.guild);
  discord.guildDelete(place.guild);
  await client.until(() => client.events('GUILD_DELETE').length === 2, 'the end');
  expect(client.events('GUILD_DELETE')).toEqual([
    { id: place.guild.id, unavailable: true },
    { id: place.guild.id },
  ]);
  expect(client.events('GUILD_CREATE')).toHaveLength(2);
  expect((await call(discord, 'GET', `/channels/${place.channel.id}`)).body.code).toBe(10003);
});

test('without the intent only changes of the bot itself are told', async () => {
  const client = await identified(discord, ALL_INTENTS & ~INTENTS.guildMembers);
  const role = discord.role(place.guild, 'staff');
  discord.changeMember(place.guild, place.ann, { roles: [role] });
  discord.changeMember(place.guild, discord.bot, { roles: [role] });
  await client.until(() => client.events('GUILD_MEMBER_UPDATE').length > 0, 'the change');
  expect(client.events('GUILD_MEMBER_UPDATE')).toMatchObject([
    { user: { id: discord.bot.id }, roles: [role.id] },
  ]);
});

test('a name that changes is seen with what its owner says next', async () => {
  const client = await identified(discord);
  discord.rename(place.ann, { username: 'admin', displayName: 'Admin' });
  discord.say({ channel: place.channel, from: place.ann, content: 'x' });
  await client.until(() => client.events('MESSAGE_CREATE').length === 1, 'the message');
  const names = { id: place.ann.id, username: 'admin', global_name: 'Admin' };
  expect(client.events('MESSAGE_CREATE')[0]?.author).toMatchObject(names);
});

test('a private thread that the bot leaves is hidden again', async () => {
  const { ann, channel } = place;
  const thread = discord.createThread({
    channel,
    from: ann,
    name: 'side',
    isPrivate: true,
    members: [discord.bot],
  });
  const client = await identified(discord);
  discord.leaveThread(thread, discord.bot);
  discord.say({ channel: thread, from: ann, content: 'alone' });
  discord.say({ channel, from: ann, content: 'together' });
  await client.until(() => client.events('MESSAGE_CREATE').length > 0, 'a message');
  expect(client.events('MESSAGE_CREATE').map(({ content }) => content)).toEqual(['together']);
  expect(client.events('THREAD_DELETE')).toMatchObject([{ id: thread.id }]);
  expect((await call(discord, 'GET', `/channels/${thread.id}`)).body.code).toBe(50001);
});

test('a forum takes threads with their first message; an archived one is told', async () => {
  const forum = discord.channel({ guild: place.guild, name: 'ideas', kind: 'forum' });
  const client = await identified(discord);
  const made = await call(discord, 'POST', `/channels/${forum.id}/threads`, {
    name: 'idea',
    message: { content: 'first' },
  });
  expect(discord.messages(String(made.body.id)).map(({ wire }) => wire.content)).toEqual(['first']);
  discord.changeChannel(String(made.body.id), { isArchived: true });
  await client.until(() => client.events('THREAD_UPDATE').length === 1, 'the change');
  expect(client.events('THREAD_UPDATE')[0]).toMatchObject({ thread_metadata: { archived: true } });
});

test('a command that is kept to guilds is not offered in a direct talk', async () => {
  const command = { name: 'here', description: 'x', contexts: [0] };
  await call(discord, 'PUT', `/applications/${discord.applicationId}/commands`, [command]);
  const use = (channel: { readonly id: string }) =>
    discord.command({ channel, from: place.ann, name: 'here' });
  expect(use(place.channel).wire.context).toBe(0);
  expect(() => use(discord.direct(place.ann))).toThrow('offered');
});

test('only who sees an ephemeral message can press in it', async () => {
  await call(discord, 'PUT', `/applications/${discord.applicationId}/commands`, [
    { name: 'ask', description: 'x' },
  ]);
  const asked = discord.command({ channel: place.channel, from: place.ann, name: 'ask' });
  const components = [{ type: 1, components: [{ type: 2, style: 1, label: 'x', custom_id: 'x' }] }];
  await call(discord, 'POST', `/interactions/${asked.id}/${asked.token}/callback`, {
    type: 4,
    data: { content: 'only you', flags: 64, components },
  });
  const bob = discord.user({ username: 'bob' });
  discord.join(place.guild, bob);
  const message = asked.original?.wire.id ?? '';
  expect(() => discord.press({ message, customId: 'x', from: bob })).toThrow('alone');
  expect(discord.press({ message, customId: 'x', from: place.ann }).kind).toBe('component');
});

test('ids rise and never repeat, though the clock stands still or goes back', () => {
  const clock = manualClock();
  const next = snowflakes(clock);
  const ids = [next(), next()];
  clock.jumpWall(-3_600_000);
  ids.push(next());
  clock.jumpWall(7_200_000);
  ids.push(next());
  expect(ids.toSorted(compareIds)).toEqual(ids);
  expect(new Set(ids).size).toBe(4);
  expect(compareIds('9', '10')).toBeLessThan(0);
});
