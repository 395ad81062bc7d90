import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ManualClock, manualClock } from '../../clock.ts';
import { call, home, identified } from '../discord.fixture.ts';
import { type DiscordServer, startDiscordServer } from '../server.ts';

let clock: ManualClock;
let discord: DiscordServer;
let place: ReturnType<typeof home>;
beforeEach(async () => {
  clock = manualClock();
  discord = await startDiscordServer({ clock, maxFileBytes: 1_000 });
  place = home(discord);
});
afterEach(() => discord.close());

const post = (body: unknown) => call(discord, 'POST', place.messagesPath, body);
const contents = () => discord.messages(place.channel).map(({ wire }) => wire.content);

describe('sending', () => {
  test('the message stands in the channel and is told', async () => {
    const client = await identified(discord);
    const { status, body } = await post({ content: 'hello', nonce: 'n1' });
    expect([status, body.content, body.nonce]).toEqual([200, 'hello', 'n1']);
    await client.until(() => client.events('MESSAGE_CREATE').length === 1, 'the message');
    expect(client.events('MESSAGE_CREATE')[0]).toMatchObject({
      id: body.id,
      nonce: 'n1',
      author: { bot: true },
    });
    expect(discord.calls.at(-1)).toMatchObject({ route: '/channels/{channel_id}/messages', status: 200 });
  });

  test('a nonce that is enforced makes no second message, for a few minutes', async () => {
    const body = { content: 'once', nonce: 'same', enforce_nonce: true };
    const first = await post(body);
    await clock.advance(2 * 60_000);
    expect((await post(body)).body.id).toBe(first.body.id);
    expect((await post({ ...body, nonce: 'other' })).body.id).not.toBe(first.body.id);
    await clock.advance(10 * 60_000);
    expect((await post(body)).body.id).not.toBe(first.body.id);
    expect(contents()).toEqual(['once', 'once', 'once']);
  });

  test('a nonce that is not enforced is only carried', async () => {
    await post({ content: 'twice', nonce: 'same' });
    await post({ content: 'twice', nonce: 'same' });
    expect(contents()).toEqual(['twice', 'twice']);
  });

  test('files come with a form, and can be fetched', async () => {
    const form = new FormData();
    form.append(
      'payload_json',
      JSON.stringify({ content: 'see', attachments: [{ id: '0', description: 'a text' }] }),
    );
    form.append('files[0]', new Blob(['bytes'], { type: 'text/plain' }), 'note.txt');
    const { body } = await post(form);
    expect(body.attachments).toMatchObject([{ filename: 'note.txt', size: 5, description: 'a text' }]);
    const [attachment] = discord.message(String(body.id)).wire.attachments;
    const file = await fetch(attachment?.url ?? '');
    expect([await file.text(), file.headers.get('content-type')]).toEqual(['bytes', 'text/plain']);
  });

  test('a file that is too large is refused', async () => {
    const form = new FormData();
    form.append('files[0]', new Blob([new Uint8Array(1_001)]), 'big');
    expect((await post(form)).body.code).toBe(40005);
  });
});

describe('who is pinged', () => {
  const everybody = () => `@everyone <@${place.ann.id}>`;

  test('all, when nothing is said about it', async () => {
    const { body } = await post({ content: everybody() });
    expect(discord.message(String(body.id)).pinged).toEqual({
      users: [place.ann.id],
      roles: [],
      everyone: true,
    });
    expect(body).toMatchObject({ mention_everyone: true, mentions: [{ id: place.ann.id }] });
  });

  test('nobody, with an empty list; also not the author of the message that is answered', async () => {
    const question = discord.say({ channel: place.channel, from: place.ann, content: '?' });
    const { body } = await post({
      content: everybody(),
      message_reference: { message_id: question.id },
      allowed_mentions: { parse: [] },
    });
    expect(discord.message(String(body.id)).pinged).toEqual({ users: [], roles: [], everyone: false });
    expect(body).toMatchObject({ type: 19, referenced_message: { id: question.id }, mentions: [] });
  });

  test('only who is listed', async () => {
    const role = discord.role(place.guild, 'staff');
    const content = `${everybody()} <@&${role.id}> <@${discord.bot.id}>`;
    const { body } = await post({ content, allowed_mentions: { users: [place.ann.id], parse: ['roles'] } });
    expect(discord.message(String(body.id)).pinged).toEqual({
      users: [place.ann.id],
      roles: [role.id],
      everyone: false,
    });
  });
});

describe('what is refused, and noted', () => {
  const row = (count: number, id = (n: number) => `b${n}`) => ({
    type: 1,
    components: Array.from({ length: count }, (_, n) => ({
      type: 2,
      style: 1,
      label: 'x',
      custom_id: id(n),
    })),
  });
  test.each([
    ['2001 characters', { content: 'x'.repeat(2001) }],
    ['nothing', { content: '  ' }],
    ['a long title', { embeds: [{ title: 'x'.repeat(257) }] }],
    ['a long description', { embeds: [{ description: 'x'.repeat(4097) }] }],
    ['26 fields', { embeds: [{ fields: Array(26).fill({ name: 'n', value: 'v' }) }] }],
    ['an empty field', { embeds: [{ fields: [{ name: 'n', value: '' }] }] }],
    [
      '6001 characters of embeds',
      { embeds: [{ description: 'x'.repeat(4000) }, { description: 'x'.repeat(2001) }] },
    ],
    ['11 embeds', { embeds: Array(11).fill({ title: 'x' }) }],
    ['6 rows', { content: 'x', components: Array.from({ length: 6 }, (_, n) => row(1, () => `r${n}`)) }],
    ['6 buttons in a row', { content: 'x', components: [row(6)] }],
    ['a long custom_id', { content: 'x', components: [row(1, () => 'x'.repeat(101))] }],
    ['a custom_id twice', { content: 'x', components: [row(2, () => 'same')] }],
    [
      'a button without custom_id',
      { content: 'x', components: [{ type: 1, components: [{ type: 2, style: 1 }] }] },
    ],
    ['parse and list of one kind', { content: 'x', allowed_mentions: { parse: ['users'], users: ['1'] } }],
    ['an answer to nothing', { content: 'x', message_reference: { message_id: '1' } }],
  ])('%s', async (_what, body) => {
    expect((await post(body)).status).toBe(400);
    expect(discord.violations).toHaveLength(1);
    expect(contents()).toEqual([]);
  });

  test.each([
    ['2000 characters, counted as such', { content: '🧨'.repeat(2000) }],
    [
      '6000 characters of embeds',
      { embeds: [{ description: 'x'.repeat(4000) }, { description: 'x'.repeat(2000) }] },
    ],
    [
      '5 rows of 5',
      { content: 'x', components: Array.from({ length: 5 }, (_, n) => row(5, (m) => `${n}.${m}`)) },
    ],
    [
      'a link button',
      {
        content: 'x',
        components: [{ type: 1, components: [{ type: 2, style: 5, url: 'https://a.example' }] }],
      },
    ],
    [
      'an answer that may go without',
      { content: 'x', message_reference: { message_id: '1', fail_if_not_exists: false } },
    ],
  ])('but not %s', async (_what, body) => {
    expect((await post(body)).status).toBe(200);
    expect(discord.violations).toEqual([]);
  });

  test('a path that does not exist, and bytes that are no JSON', async () => {
    expect((await call(discord, 'GET', '/channel/1')).status).toBe(400);
    const response = await fetch(`${discord.apiUrl}/v10${place.messagesPath}`, {
      method: 'POST',
      headers: { authorization: `Bot ${discord.token}`, 'content-type': 'application/json' },
      body: '{',
    });
    expect(response.status).toBe(400);
    expect(discord.violations.map(({ problems }) => problems[0]?.code)).toEqual(['PATH', 'JSON']);
  });
});

test('a wrong token is refused and counted', async () => {
  discord.token = 'new';
  const response = await fetch(`${discord.apiUrl}/v10/users/@me`, { headers: { authorization: 'Bot old' } });
  expect([response.status, discord.invalidRequests]).toEqual([401, 1]);
});

test('a hidden channel is refused, one that is gone is missing', async () => {
  const secret = discord.channel({ guild: place.guild, name: 'secret', visibleTo: [place.ann] });
  expect((await call(discord, 'GET', `/channels/${secret.id}`)).body.code).toBe(50001);
  discord.channelDelete(secret);
  expect((await call(discord, 'GET', `/channels/${secret.id}`)).body.code).toBe(10003);
});

describe('history', () => {
  test('pages: newest first, before, after and around', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].map(
      (content) => discord.say({ channel: place.channel, from: place.ann, content }).id,
    );
    const page = async (query: string) => {
      const { body } = await call(discord, 'GET', `${place.messagesPath}?${query}`);
      return Object.values(body)
        .map((message) => (message as { content: string }).content)
        .join('');
    };
    expect(await page('')).toBe('edcba');
    expect(await page('limit=2')).toBe('ed');
    expect(await page(`before=${ids[3]}&limit=2`)).toBe('cb');
    expect(await page(`after=${ids[0]}&limit=2`)).toBe('cb');
    expect(await page(`around=${ids[2]}&limit=3`)).toBe('dcb');
    expect((await call(discord, 'GET', `${place.messagesPath}?limit=101`)).status).toBe(400);
  });

  test('it shows no nonce, and nothing that was deleted', async () => {
    const { body } = await post({ content: 'x', nonce: 'n' });
    const read = await call(discord, 'GET', `${place.messagesPath}/${body.id}`);
    expect([read.body.content, read.body.nonce]).toEqual(['x', undefined]);
    expect((await call(discord, 'DELETE', `${place.messagesPath}/${body.id}`)).status).toBe(204);
    expect((await call(discord, 'GET', `${place.messagesPath}/${body.id}`)).body.code).toBe(10008);
    expect(discord.allMessages(place.channel).map(({ deletedAtMs }) => deletedAtMs)).toEqual([clock.nowMs()]);
  });
});

test('an edit keeps what was before; messages of others cannot be edited', async () => {
  const { body } = await post({ content: 'first', embeds: [{ title: 'stays' }] });
  await clock.advance(1_000);
  const edited = await call(discord, 'PATCH', `${place.messagesPath}/${body.id}`, { content: 'second' });
  expect(edited.body).toMatchObject({ content: 'second', embeds: [{ title: 'stays' }] });
  expect(edited.body.edited_timestamp).not.toBeNull();
  const { history } = discord.message(String(body.id));
  expect(history.map(({ wire, untilMs }) => [wire.content, untilMs])).toEqual([['first', clock.nowMs()]]);
  const theirs = discord.say({ channel: place.channel, from: place.ann, content: 'mine' });
  const refused = await call(discord, 'PATCH', `${place.messagesPath}/${theirs.id}`, { content: 'yours' });
  expect([refused.status, refused.body.code]).toEqual([403, 50005]);
});

test('an edit that pings nobody: who is named follows the text, a preview changes no mention', async () => {
  const said = discord.say({
    channel: place.channel,
    from: place.ann,
    content: 'x',
    mentions: [discord.bot],
  });
  const preview = discord.edit(said, { embeds: [{ title: 'a link' }], isSilent: true });
  expect([preview.mentions.length, preview.edited_timestamp]).toEqual([1, null]);
  expect(discord.edit(said, { content: `<@${place.ann.id}>` }).mentions).toMatchObject([
    { id: place.ann.id },
  ]);
  expect(discord.message(said).pinged.users).toEqual([discord.bot.id]);
});

test('what people do is told: edits, reactions, deletions, forwards, webhooks', async () => {
  const client = await identified(discord);
  const { ann, channel } = place;
  const said = discord.say({ channel, from: ann, content: 'one' });
  discord.edit(said, { content: 'two' });
  discord.react({ message: said, from: ann, emoji: '👍' });
  discord.say({ channel, from: ann, forwards: said });
  discord.say({ channel, webhook: { name: 'ann' }, content: 'hook' });
  discord.remove(said);
  await client.until(() => client.events('MESSAGE_DELETE').length === 1, 'the deletion');
  expect(client.events('MESSAGE_UPDATE')).toMatchObject([{ id: said.id, content: 'two' }]);
  expect(client.events('MESSAGE_REACTION_ADD')).toMatchObject([{ user_id: ann.id, emoji: { name: '👍' } }]);
  expect(client.events('MESSAGE_CREATE').slice(1)).toMatchObject([
    { content: '', message_reference: { type: 1 }, message_snapshots: [{ message: { content: 'two' } }] },
    { content: 'hook', webhook_id: channel.id, author: { id: channel.id, bot: true } },
  ]);
});

test('reactions and typing of the bot are seen', async () => {
  const said = discord.say({ channel: place.channel, from: place.ann, content: 'x' });
  const path = `${place.messagesPath}/${said.id}/reactions/${encodeURIComponent('👍')}/@me`;
  expect((await call(discord, 'PUT', path)).status).toBe(204);
  expect([...discord.message(said).reactions]).toEqual([['👍', new Set([discord.bot.id])]]);
  await call(discord, 'POST', `/channels/${place.channel.id}/typing`);
  expect(discord.typing).toEqual([{ channelId: place.channel.id, atMs: clock.nowMs() }]);
});

test('a thread is made, a direct line is opened once', async () => {
  const made = await call(discord, 'POST', `/channels/${place.channel.id}/threads`, {
    name: 'talk',
    type: 11,
  });
  expect(made).toMatchObject({ status: 201, body: { type: 11, parent_id: place.channel.id } });
  const lines = await Promise.all(
    [1, 2].map(() => call(discord, 'POST', '/users/@me/channels', { recipient_id: place.ann.id })),
  );
  expect(lines.map(({ body }) => body.id)).toEqual(Array(2).fill(discord.direct(place.ann).id));
});
