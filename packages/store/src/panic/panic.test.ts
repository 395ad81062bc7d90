import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { atEnd, codeOf, openFixture, temporaryFolder } from '../../bench/fixtures.ts';
import { openPanicSwitch } from './panic-switch.ts';

const newPath = () => join(temporaryFolder(), 'panic');
function open(path: string, isFresh = true) {
  const log = recordingLogger();
  const panic = openPanicSwitch(path, { isFresh, log });
  atEnd(() => panic.close());
  return { ...panic, log };
}

test('off at first, on until it is turned off, over any number of starts', () => {
  const path = newPath();
  const first = open(path);
  expect(first.state()).toEqual({ isOn: false });
  first.turnOn('user_ann', 42);
  expect(first.state()).toEqual({ isOn: true, by: 'user_ann', atMs: 42 });
  first.close();
  const second = open(path);
  expect(second.state()).toEqual({ isOn: true, by: 'user_ann', atMs: 42 });
  second.turnOff('user_bob', 43);
  second.close();
  expect(open(path).state()).toEqual({ isOn: false, by: 'user_bob', atMs: 43 });
});

test('the file has its full size from the start and never grows, whatever the name is', () => {
  const path = newPath();
  const panic = open(path);
  expect(statSync(path).size).toBe(512);
  panic.turnOn(`${'🦊"\\'.repeat(500)}`, Number.MAX_SAFE_INTEGER);
  expect(statSync(path).size).toBe(512);
  panic.turnOff('🦊'.repeat(500), Number.MAX_SAFE_INTEGER);
  panic.close();
  expect(open(path).isOn()).toBe(false);
});

describe('what cannot be read counts as on', () => {
  test.each<[string, (path: string) => void]>([
    ['garbage', (path) => writeFileSync(path, 'x'.repeat(512))],
    ['an empty file', (path) => truncateSync(path, 0)],
    ['a short file', (path) => truncateSync(path, 100)],
    ['zeros', (path) => writeFileSync(path, Buffer.alloc(512))],
    [
      'an edit without its digest',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"by":"a"', '"by":"b"')),
    ],
  ])('%s', (_what, harm) => {
    const path = newPath();
    const before = open(path);
    before.turnOff('a', 1);
    before.close();
    harm(path);
    const panic = open(path);
    expect(panic.isOn()).toBe(true);
    panic.turnOff('b', 2);
    expect(panic.isOn()).toBe(false);
  });

  test('an absent file, unless the folder is new', async () => {
    const fixture = await openFixture();
    expect(fixture.panic.isOn()).toBe(false);
    await fixture.close();
    rmSync(fixture.paths.panic);
    const again = await openFixture({ dataDir: fixture.dataDir });
    expect(again.panic.isOn()).toBe(true);
  });
});

test('without a place for its file nothing starts', async () => {
  const nowhere = join(temporaryFolder(), 'panic', 'panic');
  writeFileSync(join(nowhere, '..'), 'a file, not a folder');
  expect(await codeOf(Promise.resolve().then(() => open(nowhere)))).toBe('panic.file.unavailable');
});

test('when nothing can be written it turns on all the same, says so in the log, and does not turn off', async () => {
  const panic = open(newPath());
  // Writing to a closed file fails like a broken disk.
  panic.close();
  panic.turnOn('user_ann', 1);
  expect(panic.isOn()).toBe(true);
  expect(panic.log.dump()).toContain('would not survive');
  expect(await codeOf(Promise.resolve().then(() => panic.turnOff('user_ann', 2)))).toBe(
    'panic.file.unavailable',
  );
  expect(panic.isOn()).toBe(true);
});

test('after close it never writes into a file that got its number', () => {
  const panic = open(newPath());
  panic.close();
  const path = join(temporaryFolder(), 'other');
  writeFileSync(path, 'x'.repeat(600));
  const other = openSync(path, 'r+');
  atEnd(() => closeSync(other));
  panic.turnOn('user_ann', 1);
  expect(readFileSync(path, 'utf8')).toBe('x'.repeat(600));
});

test('it survives an open data folder being killed: the file alone counts', async () => {
  const fixture = await openFixture();
  fixture.panic.turnOn('user_ann', 7);
  const copy = join(temporaryFolder(), 'panic');
  writeFileSync(copy, readFileSync(fixture.paths.panic));
  expect(open(copy).state()).toMatchObject({ isOn: true, by: 'user_ann' });
});
