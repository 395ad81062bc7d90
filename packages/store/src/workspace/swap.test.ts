import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { openWorld, STAFF, W, writing } from '../../bench/file-fixtures.ts';
import { codeOf, temporaryFolder } from '../../bench/fixtures.ts';

/** What somebody does in the moment between the look at the folders and the opening of the file. */
const between = vi.hoisted(() => ({ act: (_path: string): void => undefined }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const openSync: typeof real.openSync = (path, ...rest) => {
    between.act(String(path));
    return real.openSync(path, ...rest);
  };
  return { ...real, openSync };
});
afterEach(() => {
  between.act = () => undefined;
});

test('a folder swapped for a link after it was looked at gives nothing away', async () => {
  const world = await openWorld();
  const outside = temporaryFolder();
  writeFileSync(join(outside, 'plan.md'), 'secret\n');
  world.edit('notes/plan.md', 'plan\n');
  let swapped = false;
  between.act = (path) => {
    if (swapped || !path.endsWith('notes/plan.md')) return;
    swapped = true;
    renameSync(world.fullPath('notes'), world.fullPath('before'));
    symlinkSync(outside, world.fullPath('notes'));
  };
  expect(await codeOf(world.files.read(W, 'notes/plan.md'))).toBe('workspace.path.denied');
  expect(swapped).toBe(true);
});

test('nothing is written into a folder that is a link, whatever is said afterwards', async () => {
  const world = await openWorld();
  const outside = temporaryFolder();
  symlinkSync(outside, world.fullPath('notes'));
  mkdirSync(join(outside, 'deep'));
  for (const path of ['notes/new.md', 'notes/deep/new.md', 'notes/made/new.md'])
    expect(await codeOf(world.files.write(writing(path, 'x\n', STAFF, 'absent')))).toBe(
      'workspace.path.denied',
    );
  expect(readdirSync(outside, { recursive: true })).toEqual(['deep']);
  expect(await world.store.read.count('label_file', {})).toBe(0);
});

test('a folder swapped for a link during the commit of a write is noticed before the bytes leave', async () => {
  const world = await openWorld();
  const outside = temporaryFolder();
  world.edit('notes/other.md', 'x\n');
  const draft = writing('notes/new.md', 'x\n', STAFF, 'absent');
  const also = async (): Promise<void> => {
    renameSync(world.fullPath('notes'), world.fullPath('before'));
    symlinkSync(outside, world.fullPath('notes'));
  };
  expect(await codeOf(world.files.write({ ...draft, also }))).toBe('workspace.path.denied');
  expect(readdirSync(outside)).toEqual([]);
});
