import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, makeRedactor } from '@agent-runtime/domain';
import { dataPaths, lockFolder, openPanicSwitch } from '@agent-runtime/store';
import { recordingLogger, seededIds } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { systemClock } from '../system/clock.ts';
import { assertReady, instanceState } from './instance.ts';
import { beginMaking } from './making.ts';
import { masterKeyFile } from './master-key.ts';
import { panicOn } from './panic-on.ts';
import { rebuild } from './rebuild.ts';
import { findRoot } from './root.ts';
import { makeInstance, setup } from './setup.ts';
import type { World } from './world.ts';

const clock: Clock = systemClock({ wallMs: () => 1_790_000_000_000, monotonicMs: () => 0 });
const redactor = { ...makeRedactor(() => []), add: () => undefined };

function world(dataDir: string): World & { readonly said: () => string } {
  let said = '';
  const tell = (text: string): void => {
    said += text;
  };
  return {
    config: readConfig({ AGENT_RUNTIME_DATA_DIR: dataDir }, '/'),
    root: findRoot(import.meta.dirname),
    version: '0',
    clock,
    ids: seededIds(),
    crash: { reach: () => undefined },
    bootId: 'boot',
    out: tell,
    err: tell,
    runtimeDir: tmpdir(),
    logFormat: 'json',
    isTerminal: false,
    isJson: false,
    confirm: async () => false,
    stopped: new Promise(() => undefined),
    onUncaught: () => undefined,
    exit: () => {
      throw new Error('exited');
    },
    said: () => said,
  };
}

const folder = (): string => join(mkdtempSync(join(tmpdir(), 'setup-')), 'data');

test('an instance has its example, its first person and its private place; the recovery key is said once', async () => {
  const w = world(folder());
  const result = await makeInstance(w, recordingLogger(), redactor);
  expect(result.workspaces).toContain('community');
  expect(result.contexts).toContain('memory-general');
  expect(result.blessed).toBeGreaterThan(10);
  expect(instanceState(w.config)).toBe('ready');
  expect(w.said().match(/(?:[0-9A-Z]{4}-){13}[0-9A-Z]{4}/g)).toHaveLength(1);
  await expect(makeInstance(w, recordingLogger(), redactor)).rejects.toMatchObject({
    code: 'runtime.instance.conflict',
  });
});

test.each([
  ['on a terminal, after the key', { ADMIN_LISTEN: '192.0.2.7:8443' }, true, true],
  ['where a proxy is reached', { ADMIN_URL: 'https://admin.example' }, true, true],
  ['not without a terminal', { ADMIN_LISTEN: '192.0.2.7:8443' }, false, false],
  ['not where only this machine gets in', {}, true, false],
] as const)('how to enrol from another machine is said %s', async (_name, env, isTerminal, isSaid) => {
  const base = world(folder());
  const settings = Object.entries(env).map(([name, value]) => [`AGENT_RUNTIME_${name}`, value]);
  const config = readConfig(
    { ...Object.fromEntries(settings), AGENT_RUNTIME_DATA_DIR: base.config.dataDir },
    '/',
  );
  await makeInstance({ ...base, config, isTerminal }, recordingLogger(), redactor);
  const [, afterKey = ''] = base.said().split('RECOVERY KEY');
  expect(afterKey.split('invite create --user owner').length - 1).toBe(isSaid ? 1 : 0);
});

test('what a failed set-up made is gone again, so that it can be tried once more', async () => {
  const dataDir = folder();
  writeFileSync(dataDir, 'a file where the folder should be');
  const w = world(dataDir);
  await expect(makeInstance(w, recordingLogger(), redactor)).rejects.toThrow();
  expect(existsSync(masterKeyFile(w.config))).toBe(false);
  expect(existsSync(dataDir)).toBe(true);
  expect(w.said()).toBe('');
});

test('what a killed set-up left is no instance, and is completed by the next one, which says the recovery key', async () => {
  const w = world(folder());
  const dead = await makeInstance(w, recordingLogger(), redactor);
  beginMaking(w.config, 'setup');
  expect(instanceState(w.config)).toBe('new');
  const again = world(w.config.dataDir);
  expect(await makeInstance(again, recordingLogger(), redactor)).toMatchObject({ owner: dead.owner });
  expect(instanceState(w.config)).toBe('ready');
  expect(again.said().match(/(?:[0-9A-Z]{4}-){13}[0-9A-Z]{4}/g)).toHaveLength(1);
});

test('what a killed rebuild left is lost still, and the next one begins anew', async () => {
  const w = { ...world(folder()), confirm: async () => true };
  await makeInstance(w, recordingLogger(), redactor);
  beginMaking(w.config, 'rebuild');
  expect(instanceState(w.config)).toBe('lost');
  expect(() => assertReady(w.config)).toThrow('was cut off');
  expect(await rebuild(w, { isSure: true })).toBe(0);
  expect(instanceState(w.config)).toBe('ready');
});

test('setup and rebuild go on only after a yes; with nobody to ask they say how to go on', async () => {
  const w = world(folder());
  const alone: World = { ...w, confirm: async () => undefined };
  await expect(setup(w, { isSure: false })).rejects.toMatchObject({ code: 'runtime.setup.denied' });
  await expect(setup(alone, { isSure: false })).rejects.toMatchObject({
    code: 'runtime.setup.invalid',
    kind: 'invalid',
    message: expect.stringContaining('agent-runtime setup --yes'),
  });
  expect(instanceState(w.config)).toBe('new');
  await makeInstance(w, recordingLogger(), redactor);
  rmSync(dataPaths(w.config.dataDir).database);
  await expect(rebuild(w, { isSure: false })).rejects.toMatchObject({ code: 'runtime.rebuild.denied' });
  await expect(rebuild(alone, { isSure: false })).rejects.toMatchObject({
    code: 'runtime.rebuild.invalid',
    kind: 'invalid',
    message: expect.stringContaining('agent-runtime rebuild --yes'),
  });
  expect(instanceState(w.config)).toBe('lost');
});

test('panic of a stopped folder is there for the next start, also while a process holds the folder', async () => {
  const w = world(folder());
  await makeInstance(w, recordingLogger(), redactor);
  const paths = dataPaths(w.config.dataDir);
  const look = () => {
    const panic = openPanicSwitch(paths.panic, { isFresh: false, log: recordingLogger() });
    const isOn = panic.isOn();
    panic.turnOff('user_ann', 1);
    panic.close();
    return isOn;
  };
  expect(look()).toBe(false);
  expect(panicOn(w)).toBe(0);
  expect(w.said()).toContain('the next start runs nothing');
  expect(look()).toBe(true);
  const lock = lockFolder(paths);
  expect(() => panicOn(w)).toThrow(expect.objectContaining({ code: 'runtime.panic.uncertain' }));
  lock.release();
  expect(look()).toBe(true);
});

test('the clone is found from any depth, and nothing above is guessed', () => {
  const root = findRoot(import.meta.dirname);
  expect(existsSync(join(root, 'data.example'))).toBe(true);
  expect(findRoot(join(root, 'dist'))).toBe(root);
  expect(findRoot(tmpdir())).toBe(tmpdir());
});
