import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call, home } from '../discord.fixture.ts';
import { type DiscordServer, startDiscordServer } from '../server.ts';

// A specification of one path, so that the check itself is tested where the real one is not at hand.
const SPEC = {
  paths: {
    '/channels/{channel_id}/messages': {
      post: {
        body: { $ref: '#/components/schemas/Message' },
        req: 1,
        res: { type: 'object', required: ['pinned', 'colour'] },
      },
    },
    '/guilds/{guild_id}/bans': { get: {} },
  },
  schemas: {
    Message: {
      type: 'object',
      required: ['content'],
      properties: { content: { type: 'string' }, nonce: { type: ['string', 'null'], maxLength: 25 } },
    },
  },
};

let directory: string;
let discord: DiscordServer;
let place: ReturnType<typeof home>;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'spec-'));
  writeFileSync(join(directory, 'discord.json'), JSON.stringify(SPEC));
  discord = await startDiscordServer({ specDirectory: directory, checksAnswers: true });
  place = home(discord);
});
afterEach(async () => {
  await discord.close();
  rmSync(directory, { recursive: true });
});

test('a body that the specification does not allow is refused and noted, with where it is wrong', async () => {
  const { status, body } = await call(discord, 'POST', place.messagesPath, {
    content: 'x',
    nonce: 'n'.repeat(26),
  });
  expect([status, body]).toMatchObject([400, { code: 50035, errors: { nonce: { _errors: [{}] } } }]);
  expect(discord.violations).toMatchObject([{ problems: [{ at: ['nonce'], code: 'BASE_TYPE_MAX_LENGTH' }] }]);
  expect(discord.messages(place.channel)).toEqual([]);
});

test('a body that must be there is missed', async () => {
  expect((await call(discord, 'POST', place.messagesPath)).status).toBe(400);
});

test('paths: one that the specification lacks, one that is not emulated, one that does not exist', async () => {
  await call(discord, 'GET', '/users/@me');
  await call(discord, 'GET', `/guilds/${place.guild.id}/bans`);
  await call(discord, 'GET', '/nowhere');
  expect(discord.violations.map(({ problems }) => problems[0]?.message)).toEqual([
    'The specification lacks GET /users/@me',
    `GET /guilds/${place.guild.id}/bans exists, but is not emulated`,
    'GET /nowhere does not exist',
  ]);
});

test('answers of the emulator are checked too', async () => {
  expect((await call(discord, 'POST', place.messagesPath, { content: 'x' })).status).toBe(200);
  expect(discord.badAnswers).toMatchObject([{ problems: [{ at: ['colour'] }] }]);
});

test('without the file, nothing is checked against it', async () => {
  const bare = await startDiscordServer({ specDirectory: join(directory, 'nowhere') });
  expect([discord.hasSpec, bare.hasSpec]).toEqual([true, false]);
  await bare.close();
});
