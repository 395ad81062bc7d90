import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTelegramServer, type TelegramServer } from './server.ts';
import { call } from './telegram.fixture.ts';
import type { TelegramMessage, TelegramUser } from './wire.ts';

let server: TelegramServer;
let ada: TelegramUser;
let bob: TelegramUser;
beforeEach(async () => {
  server = await startTelegramServer({ bot: { username: 'helper_bot', can_read_all_group_messages: false } });
  ada = server.cast.user({ first_name: 'Ada', username: 'ada' });
  bob = server.cast.user({ first_name: 'Bob' });
});
afterEach(() => server.close());

/** Kinds and contents of what waits for the bot. */
const waiting = (): unknown[] => server.updates.pending.map(({ update_id: _id, ...content }) => content);

test('message ids count per chat', () => {
  const [one, other] = [server.cast.privateChat(ada), server.cast.privateChat(bob)];
  const ids = [one, one, other].map((chat) => server.people.say({ chat, from: ada, text: 'x' }).message_id);
  expect(ids).toEqual([1, 2, 1]);
});

test('the server marks commands, mentions and links in UTF-16 units', () => {
  const chat = server.cast.privateChat(ada);
  const { text, entities } = server.people.say({
    chat,
    from: ada,
    text: '😀 /ask@helper_bot @ada see https://example.org/a?b=1. #tag a@b.org x/y',
    entities: [{ type: 'bold', offset: 0, length: 2 }],
  });
  const marked = entities?.map(({ type, offset, length }) => [type, text?.slice(offset, offset + length)]);
  expect(marked).toEqual([
    ['bold', '😀'],
    ['bot_command', '/ask@helper_bot'],
    ['mention', '@ada'],
    ['url', 'https://example.org/a?b=1'],
    ['hashtag', '#tag'],
    ['email', 'a@b.org'],
  ]);
});

test('in privacy mode a bot gets what is meant for it; an admin gets all', async () => {
  const chat = server.cast.chat({ type: 'supergroup', title: 'G', members: [ada] });
  const sent = (await call(server, 'sendMessage', { chat_id: chat.id, text: 'hi' }))
    .result as TelegramMessage;
  const say = (text: string, more: object = {}): unknown =>
    server.people.say({ chat, from: ada, text, ...more });
  say('among us');
  server.people.say({ chat, from: ada, photo: { bytes: 'jpg' } });
  say('/ask@other_bot x');
  say('/ask x');
  say('hey @Helper_Bot');
  say('yes', { replyTo: sent });
  const texts = (): unknown[] =>
    server.updates.pending.map(({ message }) => (message as TelegramMessage)?.text);
  expect(texts()).toEqual(['/ask x', 'hey @Helper_Bot', 'yes']);
  server.people.member({ chat, user: server.bot, status: 'administrator', by: ada });
  say('among us again');
  expect(texts().at(-1)).toBe('among us again');
});

test('what no client can send is made whole', () => {
  const chat = server.cast.privateChat(ada);
  expect(server.people.say({ chat, from: ada, text: 'a\ud800\u202e b' }).text).toBe('a\ufffd b');
});

test('files, forwards, topics and edits arrive as on the wire', async () => {
  const chat = server.cast.privateChat(ada);
  const origin = { type: 'hidden_user', sender_user_name: 'X', date: 1 };
  const said = server.people.say({
    chat,
    from: ada,
    text: 'look',
    forwardOrigin: origin,
    viaBot: bob,
    voice: { bytes: 'ogg', mime_type: 'audio/ogg', duration: 3 },
    photo: { bytes: 'jpg' },
  });
  expect(said).toMatchObject({
    caption: 'look',
    forward_origin: origin,
    via_bot: bob,
    voice: { mime_type: 'audio/ogg', duration: 3, file_size: 3 },
    photo: [{ width: 90 }, { file_size: 3 }],
  });
  expect(said.text).toBeUndefined();
  expect((await call(server, 'getFile', { file_id: said.photo?.[0]?.file_id })).ok).toBe(true);
  const { result } = await call(server, 'getFile', { file_id: said.photo?.at(-1)?.file_id });
  const { file_path } = result as { file_path: string };
  expect(await (await fetch(`${server.apiRoot}/file/bot${server.token}/${file_path}`)).text()).toBe('jpg');
  server.people.edit(said, { text: 'look @ada' });
  expect(waiting()[1]).toMatchObject({
    edited_message: {
      caption: 'look @ada',
      caption_entities: [{ type: 'mention' }],
      edit_date: expect.any(Number),
    },
  });
});

test('channels speak for themselves', async () => {
  const chat = server.cast.chat({ type: 'channel', title: 'News', username: 'news' });
  const post = server.people.say({ chat, text: 'first' });
  server.people.edit(post, { text: 'second' });
  expect(waiting()).toMatchObject([
    { channel_post: { text: 'first', sender_chat: chat } },
    { edited_channel_post: { text: 'second' } },
  ]);
  await call(server, 'sendMessage', { chat_id: '@news', text: 'from the bot' });
  expect(server.sentTo(chat).map(({ now }) => [now.text, now.from])).toEqual([['from the bot', undefined]]);
});

test('anonymous admins and channels speak in a group under the names of the server', async () => {
  const chat = server.cast.chat({ type: 'supergroup', title: 'G', bot: 'administrator' });
  const news = server.cast.chat({ type: 'channel', title: 'News' });
  server.people.say({ chat, text: 'an admin' });
  server.people.say({ chat, text: 'a channel', senderChat: news });
  expect(waiting()).toMatchObject([
    { message: { from: { username: 'GroupAnonymousBot', is_bot: true }, sender_chat: { id: chat.id } } },
    { message: { from: { username: 'Channel_Bot', is_bot: true }, sender_chat: { id: news.id } } },
  ]);
});

test('members come and go; the bot hears of others as an admin, and of itself always', async () => {
  await call(server, 'getUpdates', { allowed_updates: ['message', 'my_chat_member', 'chat_member'] });
  const chat = server.cast.chat({ type: 'supergroup', title: 'G', members: [ada], bot: 'left' });
  server.people.member({ chat, user: server.bot, status: 'member', by: ada });
  server.people.member({ chat, user: bob, status: 'member', by: ada });
  server.people.member({ chat, user: server.bot, status: 'administrator', by: ada });
  server.people.member({ chat, user: bob, status: 'kicked', by: ada });
  server.people.member({ chat, user: server.bot, status: 'kicked', by: ada });
  server.people.say({ chat, from: ada, text: 'it is gone' });
  expect(waiting()).toMatchObject([
    {
      my_chat_member: {
        old_chat_member: { status: 'left' },
        new_chat_member: { status: 'member' },
        from: ada,
      },
    },
    { message: { new_chat_members: [server.bot], from: ada } },
    { message: { new_chat_members: [bob] } },
    { my_chat_member: { new_chat_member: { status: 'administrator' } } },
    { chat_member: { new_chat_member: { status: 'kicked', user: bob } } },
    { message: { left_chat_member: bob } },
    { my_chat_member: { new_chat_member: { status: 'kicked' } } },
  ]);
});

test('reactions in a group are for bots that are admins and ask for them', async () => {
  await call(server, 'getUpdates', { allowed_updates: ['message_reaction'] });
  const chat = server.cast.chat({ type: 'supergroup', title: 'G', members: [ada] });
  const said = server.people.say({ chat, from: ada, text: 'x' });
  expect(server.people.react(said, ['👍'], ada)).toBeUndefined();
  server.people.member({ chat, user: server.bot, status: 'administrator', by: ada });
  server.people.react(said, [], ada);
  expect(waiting()).toMatchObject([
    { message_reaction: { old_reaction: [{ emoji: '👍' }], new_reaction: [], message_id: said.message_id } },
  ]);
});

test('a block and its end; who writes has started the bot', () => {
  const chat = server.cast.privateChat(ada, false);
  server.people.say({ chat, from: ada, text: '/start' });
  server.people.member({ chat, user: server.bot, status: 'kicked' });
  server.people.say({ chat, from: ada, text: 'back' });
  expect(waiting()).toMatchObject([
    { message: { text: '/start' } },
    { my_chat_member: { new_chat_member: { status: 'kicked' }, from: ada } },
    { my_chat_member: { new_chat_member: { status: 'member' }, from: ada } },
    { message: { text: 'back' } },
  ]);
});

test('a press on a message that is gone comes without its content', () => {
  const chat = server.cast.privateChat(ada);
  server.people.press({ message_id: 99, chat }, 'forged', ada);
  expect(waiting()).toMatchObject([
    { callback_query: { message: { message_id: 99, date: 0 }, data: 'forged' } },
  ]);
});

test('what a long run keeps is bounded', async () => {
  await server.close();
  server = await startTelegramServer({ keep: { calls: 5, messagesPerChat: 3 } });
  const chat = server.cast.privateChat(ada);
  for (let count = 0; count < 20; count += 1) {
    await call(server, 'sendMessage', { chat_id: chat.id, text: String(count) });
  }
  expect(server.visible(chat).map(({ text }) => text)).toEqual(['17', '18', '19']);
  expect(server.calls.length).toBeLessThanOrEqual(10);
  expect(server.calls.at(-1)?.params).toMatchObject({ text: '19' });
});
