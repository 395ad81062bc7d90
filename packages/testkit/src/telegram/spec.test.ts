import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Upload } from './body.ts';
import { startTelegramServer, type TelegramServer } from './server.ts';
import { readTelegramSpec, SpecCheck, type TelegramSpec } from './spec.ts';
import { call, refusal } from './telegram.fixture.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const SPEC: TelegramSpec = {
  methods: {
    getMe: { f: {} },
    sendThing: {
      f: {
        chat_id: ['Integer|String', 1],
        rows: ['[][]Cell', 0],
        file: ['InputFile|String', 0],
        media: ['Media', 0],
        ratio: ['Float', 0],
        isLoud: ['Boolean', 0],
      },
    },
  },
  types: {
    Cell: { f: { text: ['String', 1], kind: ['String', 0, ['a', 'b']] } },
    Media: { s: ['MediaPhoto', 'MediaVideo'] },
    MediaPhoto: { f: { type: ['String', 1, ['photo']], media: ['String', 1] } },
    MediaVideo: { f: { type: ['String', 1, ['video']], media: ['String', 1], length: ['Integer', 1] } },
  },
};

async function start(specDirectory?: string): Promise<TelegramServer> {
  const own = await startTelegramServer(specDirectory === undefined ? {} : { specDirectory });
  open.push(own);
  return own;
}

test.each<[what: string, params: object, problems: readonly string[]]>([
  ['all is well', { chat_id: '@a', rows: [[{ text: 'x', kind: 'a' }]], ratio: 1.5, isLoud: false }, []],
  ['a file may be sent', { chat_id: 1, file: new Upload('a', Buffer.of(1)) }, []],
  ['unknown', { chat_id: 1, other: 1 }, ['sendThing.other is unknown']],
  ['a name of Object.prototype', { chat_id: 1, constructor: 1 }, ['sendThing.constructor is unknown']],
  ['missing', {}, ['sendThing.chat_id is missing']],
  [
    'wrong type',
    { chat_id: 1.5, isLoud: 'true' },
    ['sendThing.chat_id is no Integer', 'sendThing.isLoud is no Boolean'],
  ],
  ['wrong nested type', { chat_id: 1, rows: [[{ text: 1 }]] }, ['sendThing.rows[0][0].text is no String']],
  ['no array', { chat_id: 1, rows: [{ text: 'x' }] }, ['sendThing.rows[0] is no array']],
  [
    'not allowed',
    { chat_id: 1, rows: [[{ text: 'x', kind: 'c' }]] },
    ['sendThing.rows[0][0].kind is none of a, b'],
  ],
  [
    'the alternative that was meant',
    { chat_id: 1, media: { type: 'video', media: 'x' } },
    ['sendThing.media.length is missing'],
  ],
])('%s', (_what, params, problems) => {
  expect(new SpecCheck(SPEC, true).problemsOf('sendThing', { ...params })).toEqual(problems);
});

test('a spec in a folder rules the server; methods that only it knows are not played', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spec-'));
  open.push({ close: () => rmSync(directory, { recursive: true }) });
  writeFileSync(join(directory, 'telegram.json'), JSON.stringify(SPEC));
  const own = await start(directory);
  expect(own.hasWholeSpec).toBe(true);
  expect((await call(own, 'getMe')).status).toBe(200);
  expect((await call(own, 'GETME')).status).toBe(200);
  expect(await refusal(own, 'sendThing', {})).toBe('Bad Request: emulator: sendThing.chat_id is missing');
  expect(await call(own, 'sendThing', { chat_id: 1 })).toMatchObject({ status: 404 });
  expect((await call(own, 'sendMessage', { chat_id: 1, text: 'x' })).status).toBe(404);
  expect(own.violations.map(({ problem }) => problem)).toEqual([
    'sendThing.chat_id is missing',
    'sendThing is not played by the emulator',
  ]);
});

test('without a file the methods that are played are checked', async () => {
  expect(readTelegramSpec(join(tmpdir(), 'no-such-folder'))).toBeUndefined();
  const own = await start(join(tmpdir(), 'no-such-folder'));
  expect(own.hasWholeSpec).toBe(false);
  const chat = own.cast.chat({ type: 'group', title: 'G' });
  // A null is as good as nothing.
  const nothing = { message_thread_id: null };
  expect(await refusal(own, 'sendChatAction', { chat_id: chat.id, action: 'typing', ...nothing })).toBe('');
  const reply_parameters = { message_id: '5' };
  expect(await refusal(own, 'sendMessage', { chat_id: chat.id, text: 'x', reply_parameters })).toContain(
    'no Integer',
  );
  expect(await refusal(own, 'sendMessage', { chat_id: chat.id, text: 'x', parse_mod: 'HTML' })).toContain(
    'unknown',
  );
  expect(own.visible(chat)).toEqual([]);
  expect(own.violations).toHaveLength(2);
});
