import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTelegramServer, type TelegramServer } from './server.ts';
import { call, refusal } from './telegram.fixture.ts';
import type { TelegramChat, TelegramMessage, TelegramUser } from './wire.ts';

let server: TelegramServer;
let ada: TelegramUser;
let chat: TelegramChat;
beforeEach(async () => {
  server = await startTelegramServer();
  ada = server.cast.user({ first_name: 'Ada', username: 'ada' });
  chat = server.cast.privateChat(ada);
});
afterEach(() => server.close());

const send = async (params: object): Promise<TelegramMessage> =>
  (await call(server, 'sendMessage', { chat_id: chat.id, ...params })).result as TelegramMessage;

const refused = (params: object): Promise<string> =>
  refusal(server, 'sendMessage', { chat_id: chat.id, ...params });

describe('texts', () => {
  test('have 1 to 4096 UTF-16 units after their marks', async () => {
    expect((await send({ text: '😀'.repeat(2048) })).text).toHaveLength(4096);
    expect(await refused({ text: `${'😀'.repeat(2048)}a` })).toBe('Bad Request: message is too long');
    expect((await send({ text: `<b>${'a'.repeat(4096)}</b>`, parse_mode: 'HTML' })).text).toHaveLength(4096);
    expect(await refused({ text: '' })).toBe('Bad Request: message text is empty');
    for (const text of [' \n ', '<b></b>', '\u200b', '\u202e\u2800']) {
      expect(await refused({ text, parse_mode: 'HTML' })).toBe('Bad Request: text must be non-empty');
    }
  });

  test('lose space at both ends, returns, turns of direction and control characters; marks follow', async () => {
    const sent = await send({
      text: '  a\r\n\u202e\u0000b ',
      entities: [{ type: 'bold', offset: 6, length: 2 }],
    });
    expect(sent).toMatchObject({ text: 'a\n b', entities: [{ type: 'bold', offset: 2, length: 2 }] });
  });

  test('with half a surrogate pair are refused', async () => {
    expect(await refused({ text: 'a\ud800' })).toBe('Bad Request: strings must be encoded in UTF-8');
  });

  test('marks out of range are ignored', async () => {
    const entities = [
      { type: 'bold', offset: 2, length: 5 },
      { type: 'bold', offset: -1, length: 1 },
      { type: 'italic', offset: 0, length: 1 },
    ];
    expect((await send({ text: 'abc', entities })).entities).toEqual([entities[2]]);
  });
});

describe('places', () => {
  test('unknown chats, chats never opened, blocks and kicks', async () => {
    expect(await refused({ chat_id: 5, text: 'a' })).toBe('Bad Request: chat not found');
    const shy = server.cast.user({ first_name: 'Shy' });
    server.cast.privateChat(shy, false);
    expect(await call(server, 'sendMessage', { chat_id: shy.id, text: 'a' })).toMatchObject({
      status: 403,
      description: "Forbidden: bot can't initiate conversation with a user",
    });
    server.people.member({ chat, user: server.bot, status: 'kicked', by: ada });
    expect(await refused({ text: 'a' })).toBe('Forbidden: bot was blocked by the user');
    const group = server.cast.chat({ type: 'supergroup', title: 'G', username: 'guild', members: [ada] });
    expect((await send({ chat_id: '@guild', text: 'a' })).chat).toEqual(group);
    server.people.member({ chat: group, user: server.bot, status: 'kicked', by: ada });
    expect(await refused({ chat_id: group.id, text: 'a' })).toBe(
      'Forbidden: bot was kicked from the supergroup chat',
    );
    expect(server.invalid.forbidden).toBe(3);
  });

  test('topics must exist; an answer follows what it answers', async () => {
    const forum = server.cast.chat({ type: 'supergroup', title: 'F', isForum: true });
    const topic = server.people.openTopic(forum, 'plans', ada);
    const question = server.people.say({ chat: forum, from: ada, text: 'why?', topic });
    const inForum = (params: object): Promise<TelegramMessage> =>
      send({ chat_id: forum.id, text: 'a', ...params });
    expect(await inForum({ message_thread_id: topic })).toMatchObject({
      message_thread_id: topic,
      is_topic_message: true,
    });
    expect(await inForum({ reply_parameters: { message_id: question.message_id } })).toMatchObject({
      message_thread_id: topic,
      reply_to_message: { text: 'why?' },
    });
    expect(await refused({ chat_id: forum.id, text: 'a', message_thread_id: 99 })).toBe(
      'Bad Request: message thread not found',
    );
    server.people.removeTopic(forum, topic);
    expect(await refused({ chat_id: forum.id, text: 'a', message_thread_id: topic })).toBe(
      'Bad Request: message thread not found',
    );
  });

  test('an answer to nothing is refused, or sent without it when that is allowed', async () => {
    const reply_parameters = { message_id: 77 };
    expect(await refused({ text: 'a', reply_parameters })).toBe(
      'Bad Request: message to be replied not found',
    );
    const sent = await send({
      text: 'a',
      reply_parameters: { ...reply_parameters, allow_sending_without_reply: true },
    });
    expect(sent.reply_to_message).toBeUndefined();
  });

  test('an answer to another chat needs its message, and shows nothing of it', async () => {
    const group = server.cast.chat({ type: 'supergroup', title: 'G', members: [ada] });
    const { message_id } = server.people.say({ chat: group, from: ada, text: 'there' });
    server.people.say({ chat, from: ada, text: 'here' });
    const reply_parameters = { chat_id: group.id, message_id };
    expect((await send({ text: 'a', reply_parameters })).reply_to_message).toBeUndefined();
    const other = { text: 'a', reply_parameters: { ...reply_parameters, message_id: 9 } };
    expect(await refused(other)).toBe('Bad Request: message to be replied not found');
  });

  test('a group that became a supergroup says where it went', async () => {
    const group = server.cast.chat({ type: 'group', title: 'G', members: [ada] });
    const moved = server.people.migrate(group, ada);
    expect(await call(server, 'sendMessage', { chat_id: group.id, text: 'a' })).toMatchObject({
      status: 400,
      parameters: { migrate_to_chat_id: moved.id },
    });
    expect((await send({ chat_id: moved.id, text: 'a' })).chat.type).toBe('supergroup');
    expect(server.updates.pending.map(({ message }) => message)).toMatchObject([
      { chat: { id: group.id }, from: ada, migrate_to_chat_id: moved.id },
      { chat: { id: moved.id }, from: ada, migrate_from_chat_id: group.id },
    ]);
  });
});

describe('buttons', () => {
  const withData = (callback_data: string): object => ({
    text: 'a',
    reply_markup: { inline_keyboard: [[{ text: 'b', callback_data }]] },
  });

  test('carry 1 to 64 bytes', async () => {
    expect((await send(withData('ä'.repeat(32)))).reply_markup?.inline_keyboard).toHaveLength(1);
    for (const data of ['', 'a'.repeat(65), 'ä'.repeat(33)]) {
      expect(await refused(withData(data))).toBe('Bad Request: BUTTON_DATA_INVALID');
    }
    const without = { text: 'a', reply_markup: { inline_keyboard: [[{ text: 'b' }]] } };
    expect(await refused(without)).toContain('Text buttons are unallowed');
  });

  test('a press can be answered once, and only if it was', async () => {
    const id = server.people.press(await send(withData('x')), 'x', ada);
    expect(server.updates.pending[0]?.callback_query).toMatchObject({ id, data: 'x', from: ada });
    expect((await call(server, 'answerCallbackQuery', { callback_query_id: id })).ok).toBe(true);
    const late = 'Bad Request: query is too old and response timeout expired or query ID is invalid';
    expect(await refusal(server, 'answerCallbackQuery', { callback_query_id: id })).toBe(late);
    expect(await refusal(server, 'answerCallbackQuery', { callback_query_id: 'forged' })).toBe(late);
  });
});

describe('edits', () => {
  test('change text and keyboard, keep the history, and refuse what changes nothing', async () => {
    const { message_id } = await send({ text: 'one' });
    const at = { chat_id: chat.id, message_id };
    expect(await refusal(server, 'editMessageText', { ...at, text: 'one' })).toContain(
      'message is not modified',
    );
    const reply_markup = { inline_keyboard: [[{ text: 'b', callback_data: 'x' }]] };
    expect((await call(server, 'editMessageReplyMarkup', { ...at, reply_markup })).result).toMatchObject({
      text: 'one',
      reply_markup,
    });
    expect(await refusal(server, 'editMessageReplyMarkup', { ...at, reply_markup })).toContain(
      'not modified',
    );
    const edited = (await call(server, 'editMessageText', { ...at, text: 'two' })).result as TelegramMessage;
    expect([edited.text, edited.reply_markup, edited.edit_date]).toEqual([
      'two',
      undefined,
      expect.any(Number),
    ]);
    expect(server.sentTo(chat)[0]?.history.map(({ text }) => text)).toEqual(['one', 'one']);
  });

  test('are for own messages that are there', async () => {
    const foreign = server.people.say({ chat, from: ada, text: 'mine' });
    const edit = (message_id: number): Promise<string> =>
      refusal(server, 'editMessageText', { chat_id: chat.id, message_id, text: 'x' });
    expect(await edit(foreign.message_id)).toBe("Bad Request: message can't be edited");
    expect(await edit(99)).toBe('Bad Request: message to edit not found');
    const { message_id } = await send({ text: 'gone' });
    expect((await call(server, 'deleteMessage', { chat_id: chat.id, message_id })).ok).toBe(true);
    expect(await edit(message_id)).toBe('Bad Request: message to edit not found');
    expect(await refusal(server, 'deleteMessage', { chat_id: chat.id, message_id })).toBe(
      'Bad Request: message to delete not found',
    );
    expect(server.visible(chat).map(({ text }) => text)).toEqual(['mine']);
  });

  test('deleting what others wrote takes an admin', async () => {
    const group = server.cast.chat({ type: 'supergroup', title: 'G', members: [ada] });
    const { message_id } = server.people.say({ chat: group, from: ada, text: 'mine' });
    const at = { chat_id: group.id, message_id };
    expect(await refusal(server, 'deleteMessage', at)).toBe("Bad Request: message can't be deleted");
    server.people.member({ chat: group, user: server.bot, status: 'administrator' });
    expect(await refusal(server, 'deleteMessage', at)).toBe('');
  });
});

describe('files', () => {
  const upload = async (form: FormData): Promise<Response> =>
    fetch(`${server.apiRoot}/bot${server.token}/sendDocument`, { method: 'POST', body: form });

  test('come in forms, where everything is text', async () => {
    const form = new FormData();
    form.set('chat_id', String(chat.id));
    form.set('caption', 'c');
    form.set('disable_notification', 'true');
    form.set('document', new Blob(['bytes']), 'a b.txt');
    const { result } = (await (await upload(form)).json()) as { result: TelegramMessage };
    expect(result).toMatchObject({ caption: 'c', document: { file_name: 'a b.txt', file_size: 5 } });
    const id = result.document?.file_id ?? '';
    expect(Buffer.from(server.fileBytes(id) ?? []).toString()).toBe('bytes');
    expect((await call(server, 'sendDocument', { chat_id: chat.id, document: id })).ok).toBe(true);
    expect(server.callsOf('sendDocument')[0]?.params).toMatchObject({
      chat_id: chat.id,
      disable_notification: true,
    });
  });

  test('empty ones, long captions, unknown ids and broken forms are refused', async () => {
    const form = new FormData();
    form.set('chat_id', String(chat.id));
    form.set('document', new Blob([]), 'a.txt');
    expect(await (await upload(form)).text()).toContain('file must be non-empty');
    form.set('caption', 'c'.repeat(1025));
    expect(await (await upload(form)).text()).toContain('message caption is too long');
    expect(await refusal(server, 'sendDocument', { chat_id: chat.id, document: 'nope' })).toContain(
      'wrong file identifier',
    );
    expect(await refusal(server, 'getFile', { file_id: 'nope' })).toBe('Bad Request: invalid file_id');
    const broken = await fetch(`${server.apiRoot}/bot${server.token}/sendDocument`, {
      method: 'POST',
      body: '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nhalf',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect(broken.status).toBe(400);
  });
});

test('menus of commands, members, actions and reactions', async () => {
  const commands = [{ command: 'ask', description: 'Ask' }];
  const scope = { type: 'chat', chat_id: chat.id };
  await call(server, 'setMyCommands', { commands, scope, language_code: 'de' });
  expect((await call(server, 'getMyCommands', { scope, language_code: 'de' })).result).toEqual(commands);
  expect((await call(server, 'getMyCommands', { scope })).result).toEqual([]);
  expect(server.commandMenus.size).toBe(1);
  await call(server, 'deleteMyCommands', { scope, language_code: 'de' });
  expect(server.commandMenus.size).toBe(0);
  const bad = [{ command: 'Ask', description: 'Ask' }];
  expect(await refusal(server, 'setMyCommands', { commands: bad })).toBe('Bad Request: BOT_COMMAND_INVALID');

  const member = { chat_id: chat.id, user_id: ada.id };
  expect((await call(server, 'getChatMember', member)).result).toMatchObject({ status: 'member', user: ada });
  expect((await call(server, 'getChat', { chat_id: chat.id })).result).toMatchObject(chat);
  await call(server, 'sendChatAction', { chat_id: chat.id, action: 'typing' });
  expect(server.actionsIn(chat)).toMatchObject([{ action: 'typing' }]);
  expect(await refusal(server, 'sendChatAction', { chat_id: chat.id, action: 'dancing' })).toContain(
    'action',
  );
  const said = server.people.say({ chat, from: ada, text: 'x' });
  const reaction = [{ type: 'emoji', emoji: '👀' }];
  await call(server, 'setMessageReaction', { chat_id: chat.id, message_id: said.message_id, reaction });
  expect(server.reactionsOf(said)).toEqual(reaction);
});
