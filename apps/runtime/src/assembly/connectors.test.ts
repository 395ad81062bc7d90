import type { ConnectorMemory } from '@agent-runtime/domain';
import { commandMenu } from '@agent-runtime/engine';
import { manualClock, recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { makeChats } from './connectors.ts';
import { discordMenu, telegramMenu } from './menus.ts';

const TELEGRAM = '100200300:AAemulated-token-of-a-test';
const DISCORD = `${Buffer.from('1577046449214980096').toString('base64url')}.GEmula.${'t'.repeat(38)}`;
const memory: ConnectorMemory = {
  get: async () => undefined,
  set: async () => undefined,
  remove: async () => undefined,
  prune: async () => undefined,
};

function make(env: Record<string, string>, vault: Record<string, string> = {}) {
  const config = readConfig(
    Object.fromEntries(Object.entries(env).map(([name, value]) => [`AGENT_RUNTIME_${name}`, value])),
    '/',
  );
  const sources: string[] = [];
  const chats = makeChats({
    config,
    secrets: { get: (name) => config[name] ?? vault[name] },
    memoryOf: (source) => {
      sources.push(source);
      return memory;
    },
    commands: commandMenu(),
    clock: manualClock(),
    log: recordingLogger(),
  });
  return { chats, sources };
}

describe('which platforms there are', () => {
  test('none without a token; each with one, under its own account, from the environment or the vault', async () => {
    expect((await make({}).chats).connectors).toEqual([]);
    const { chats, sources } = make({ TELEGRAM_TOKEN: TELEGRAM }, { DISCORD_TOKEN: DISCORD });
    const { connectors, telegramHook, reasons } = await chats;
    expect(connectors.map(({ name, account }) => `${name}:${account}`)).toEqual([
      'telegram:100200300',
      'discord:1577046449214980096',
    ]);
    expect(sources).toEqual(['telegram:100200300', 'discord:1577046449214980096']);
    expect(telegramHook).toBeUndefined();
    // Nobody has listened yet; Discord says so, and both are no reason to stop.
    expect(reasons().every((reason) => reason.startsWith('discord: '))).toBe(true);
  });

  test('what lies in the vault and is no token leaves its platform out, and says what to do without repeating it', async () => {
    const { chats } = make({}, { TELEGRAM_TOKEN: 'canary', DISCORD_TOKEN: 'canary' });
    const { connectors, reasons } = await chats;
    expect(connectors).toEqual([]);
    expect(reasons()).toHaveLength(2);
    expect(reasons().join(' ')).toMatch(/secret set TELEGRAM_TOKEN.*secret set DISCORD_TOKEN/);
    expect(reasons().join(' ')).not.toContain('canary');
  });

  test('a token that only looks like one leaves its platform out, and the others are there', async () => {
    const odd = `${Buffer.from('no number at all').toString('base64url')}.GEmula.${'t'.repeat(38)}`;
    const { connectors, reasons } = await make({}, { DISCORD_TOKEN: odd, TELEGRAM_TOKEN: TELEGRAM }).chats;
    expect(connectors.map(({ name }) => name)).toEqual(['telegram']);
    expect(reasons().join(' ')).not.toContain(odd);
    expect(reasons()).toHaveLength(1);
  });

  test('a webhook needs its secret, and knows it', async () => {
    const webhook = {
      TELEGRAM_TOKEN: TELEGRAM,
      TELEGRAM_MODE: 'webhook',
      PUBLIC_URL: 'https://agents.example',
    };
    const without = await make(webhook).chats;
    expect(without.connectors).toEqual([]);
    expect(without.reasons()).toEqual([expect.stringContaining('secret set TELEGRAM_WEBHOOK_SECRET')]);
    const short = await make(webhook, { TELEGRAM_WEBHOOK_SECRET: 'x' }).chats;
    expect([short.connectors, short.telegramHook]).toEqual([[], undefined]);
    const secret = 'a-secret-of-more-than-24-letters';
    const { telegramHook } = await make({ ...webhook, TELEGRAM_WEBHOOK_SECRET: secret }).chats;
    expect([telegramHook?.isGenuine(secret), telegramHook?.isGenuine('other')]).toEqual([true, false]);
  });
});

describe('menus', () => {
  test('every command is in both, once, and Discord asks for each argument', () => {
    const entries = commandMenu();
    const names = entries.map(({ name }) => name);
    expect(discordMenu(entries).map(({ name }) => name)).toEqual(names);
    expect(telegramMenu(entries).map(({ name }) => name)).toEqual(names);
    const of = (name: string) => discordMenu(entries).find((one) => one.name === name);
    expect(of('open')?.options).toMatchObject([{ name: 'path', isRequired: true, suggests: 'open' }]);
    expect(of('panic')?.options).toMatchObject([{ name: 'state', choices: ['on', 'status'] }]);
    expect(of('pair')).toMatchObject({ isPrivate: true });
  });

  test('what only staff may do is not in the menu of every member of a group', () => {
    const menu = telegramMenu(commandMenu());
    expect(menu.find(({ name }) => name === 'panic')?.in).toEqual(['private', 'administrators']);
    expect(menu.find(({ name }) => name === 'task')?.in).toBeUndefined();
  });
});
