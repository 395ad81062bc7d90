import { startTelegramServer, type TelegramServer, until } from '@agent-runtime/testkit';
import { Api, Bot, GrammyError, HttpError, InputFile } from 'grammy';
import { afterEach, expect, test } from 'vitest';

let server: TelegramServer | undefined;
afterEach(() => server?.close());

async function start(): Promise<{ readonly emulator: TelegramServer; readonly api: Api }> {
  const emulator = await startTelegramServer();
  server = emulator;
  return { emulator, api: new Api(emulator.token, { apiRoot: emulator.apiRoot }) };
}

test('grammy reads, writes, edits, uploads and deletes against the emulator', async () => {
  const { emulator, api } = await start();
  const ada = emulator.cast.user({ first_name: 'Ada', username: 'ada' });
  const chat = emulator.cast.privateChat(ada);
  emulator.people.say({ chat, from: ada, text: '/start now' });
  const [update] = await api.getUpdates({ timeout: 20 });
  expect(update?.message).toMatchObject({
    text: '/start now',
    from: { id: ada.id },
    entities: [{ type: 'bot_command', offset: 0, length: 6 }],
  });
  expect((await api.getMe()).username).toBe(emulator.bot.username);

  const sent = await api.sendMessage(chat.id, '<b>Hello</b>', {
    parse_mode: 'HTML',
    reply_parameters: { message_id: update?.message?.message_id ?? 0 },
    reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'y' }]] },
  });
  expect(sent).toMatchObject({ text: 'Hello', entities: [{ type: 'bold', offset: 0, length: 5 }] });
  await api.editMessageText(chat.id, sent.message_id, 'Bye');
  await api.setMessageReaction(chat.id, sent.message_id, [{ type: 'emoji', emoji: '👍' }]);
  await api.sendChatAction(chat.id, 'typing');
  await api.deleteMessage(chat.id, sent.message_id);

  const bytes = Buffer.from('line 1\r\n--x\r\nÿ');
  const file = await api.sendDocument(chat.id, new InputFile(bytes, 'my notes; "1".txt'), {
    caption: 'Notes',
    reply_markup: { inline_keyboard: [[{ text: 'Ok', callback_data: 'ok' }]] },
  });
  expect(file).toMatchObject({
    caption: 'Notes',
    document: { file_name: 'my notes; "1".txt', file_size: bytes.length },
    reply_markup: { inline_keyboard: [[{ callback_data: 'ok' }]] },
  });
  const { file_path } = await api.getFile(file.document.file_id);
  const back = await fetch(`${emulator.apiRoot}/file/bot${emulator.token}/${file_path}`);
  expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);

  expect(
    emulator.sentTo(chat).map(({ now, history, isDeleted }) => [now.text, history.length, isDeleted]),
  ).toEqual([
    ['Bye', 1, true],
    [undefined, 0, false],
  ]);
  expect(emulator.violations).toEqual([]);
});

test('grammy sees refusals as the real server words them', async () => {
  const { emulator, api } = await start();
  const chat = emulator.cast.chat({ type: 'group', title: 'G' });
  emulator.faults.add({ method: 'sendMessage', kind: 'too-many', retryAfterSeconds: 7 });
  const error = await api.sendMessage(chat.id, 'x').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(GrammyError);
  expect(error).toMatchObject({ error_code: 429, parameters: { retry_after: 7 } });
  await expect(new Api('1:wrong', { apiRoot: emulator.apiRoot }).getMe()).rejects.toMatchObject({
    error_code: 401,
  });
});

test('commands are set per scope with grammy', async () => {
  const { emulator, api } = await start();
  const commands = [{ command: 'panic', description: 'Stop everything' }];
  await api.setMyCommands(commands, { scope: { type: 'all_private_chats' } });
  expect(await api.getMyCommands({ scope: { type: 'all_private_chats' } })).toEqual(commands);
  expect(await api.getMyCommands()).toEqual([]);
  expect(emulator.violations).toEqual([]);
});

test('a lost line and a page instead of JSON are errors of HTTP to grammy', async () => {
  const { emulator, api } = await start();
  const chat = emulator.cast.chat({ type: 'group', title: 'G' });
  emulator.faults.add({ method: 'sendMessage', kind: 'drop-after' });
  await expect(api.sendMessage(chat.id, 'x')).rejects.toBeInstanceOf(HttpError);
  expect(emulator.visible(chat).map(({ text }) => text)).toEqual(['x']);
  emulator.faults.add({ method: 'sendMessage', kind: 'server-error' });
  await expect(api.sendMessage(chat.id, 'y')).rejects.toBeInstanceOf(HttpError);
});

test('a bot of grammy answers everybody once, and stops', async () => {
  const { emulator } = await start();
  const ada = emulator.cast.user({ first_name: 'Ada' });
  const chats = [1, 2, 3].map(() => emulator.cast.chat({ type: 'supergroup', title: 'G', members: [ada] }));
  const bot = new Bot(emulator.token, { client: { apiRoot: emulator.apiRoot } });
  bot.on('message:text', (context) => context.reply(`re: ${context.message.text}`));
  const running = bot.start();
  for (const chat of chats) emulator.people.say({ chat, from: ada, text: `hello ${chat.id}` });
  await until(() => chats.every((chat) => emulator.sentTo(chat).length === 1), 'all are answered');
  await bot.stop();
  await running;
  expect(chats.map((chat) => emulator.sentTo(chat)[0]?.now.text)).toEqual(
    chats.map(({ id }) => `re: hello ${id}`),
  );
  expect(emulator.updates.pending).toEqual([]);
  expect(emulator.violations).toEqual([]);
});
