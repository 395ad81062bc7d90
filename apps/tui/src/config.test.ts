import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPlaces, findRoot, settingsGiven, socketPath, wantsColor, wantsReader } from './config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'conf-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('data lies in the clone unless the environment says otherwise', () => {
  expect(findPlaces({ HOME: '/home/a' }, '/srv', '/clone')).toEqual({
    dataDir: '/clone/data',
    secretsDir: '/clone/secrets',
    configDir: '/home/a/.config/agent-runtime',
    root: '/clone',
  });
  expect(findPlaces({ HOME: '/h', AGENT_RUNTIME_DATA_DIR: 'x/data' }, '/srv', '/clone').dataDir).toBe(
    '/srv/x/data',
  );
  expect(findPlaces({ HOME: '/h', AGENT_RUNTIME_DATA_DIR: '' }, '/srv', '/clone').dataDir).toBe(
    '/clone/data',
  );
  expect(findPlaces({ HOME: '/h', XDG_CONFIG_HOME: '/xdg' }, '/srv', '/clone').configDir).toBe(
    '/xdg/agent-runtime',
  );
  expect(findPlaces({ HOME: '/h', XDG_CONFIG_HOME: 'relative' }, '/srv', '/clone').configDir).toBe(
    '/h/.config/agent-runtime',
  );
});

test('the data folder may stand in a file', () => {
  writeFileSync(join(folder, 'where'), '/srv/data\n');
  expect(
    findPlaces({ HOME: '/h', AGENT_RUNTIME_DATA_DIR_FILE: join(folder, 'where') }, '/', '/clone').dataDir,
  ).toBe('/srv/data');
});

test('the socket is where the runtime recorded it', () => {
  expect(socketPath(folder)).toBe(join(folder, 'agent-runtime', 'admin.sock'));
  mkdirSync(join(folder, 'agent-runtime'));
  writeFileSync(join(folder, 'agent-runtime', 'admin.sock.path'), '/run/user/1/x.sock\n');
  expect(socketPath(folder)).toBe('/run/user/1/x.sock');
});

test('colour only where it is wanted', () => {
  expect(wantsColor({}, true)).toBe(true);
  for (const [env, isTty] of [
    [{}, false],
    [{ NO_COLOR: '1' }, true],
    [{ TERM: 'dumb' }, true],
  ] as const)
    expect(wantsColor(env, isTty)).toBe(false);
});

test('settings are told by name, never by value', () => {
  expect(settingsGiven({ AGENT_RUNTIME_LLM_API_KEY: 'canary', AGENT_RUNTIME_X: '', HOME: '/h' })).toEqual([
    'AGENT_RUNTIME_LLM_API_KEY',
  ]);
});

test('the clone is found from source and bundle alike', () => {
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), '');
  const deep = join(folder, 'apps', 'tui', 'src');
  mkdirSync(deep, { recursive: true });
  expect(findRoot(deep)).toBe(folder);
  expect(findRoot(folder)).toBe(folder);
  expect(findRoot('/')).toBe('/');
});

test('a screen reader is served when it says so', () => {
  expect(wantsReader({})).toBe(false);
  expect(wantsReader({ INK_SCREEN_READER: 'true' })).toBe(true);
});
