import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openWorld, STAFF, W, writing } from '../../bench/file-fixtures.ts';
import { codeOf, temporaryFolder } from '../../bench/fixtures.ts';
import { assertPlainFolders, codeOf as guardCodeOf, openGuarded, translated } from './guard.ts';

const CLIMBING = [
  '../outside.md',
  'notes/../../outside.md',
  '/etc/passwd',
  '/etc/passwd.md',
  'notes/\0.md',
  'notes\\plan.md',
  'C:plan.md',
  '',
  '.',
  'notes//plan.md',
  '.hidden.md',
  'notes/.git/config.md',
  'notes/plan.txt',
  'notes/plan',
  'notes/plan.md ',
  `${'a'.repeat(400)}.md`,
  'notes/pla\u200bn.md',
  'notes/pla\u202en.md',
];

describe('paths', () => {
  test.each(CLIMBING)('%j is refused for reading and writing', async (path) => {
    const { files } = await openWorld();
    expect(await codeOf(files.read(W, path))).toBe('workspace.path.denied');
    expect(await codeOf(files.write(writing(path, 'x\n', STAFF, 'absent')))).toBe('workspace.path.denied');
  });

  test('an unknown workspace is missing, whatever the path', async () => {
    const { files } = await openWorld();
    expect(await codeOf(files.read('other' as typeof W, 'a.md'))).toBe('workspace.id.missing');
  });
});

describe('a hostile tree', () => {
  test('a symlink is refused, is not listed, and is not written through', async () => {
    const world = await openWorld();
    const secret = join(temporaryFolder(), 'secret.md');
    writeFileSync(secret, 'secret\n');
    symlinkSync(secret, world.fullPath('link.md'));
    symlinkSync('/etc/passwd', world.fullPath('passwd.md'));
    symlinkSync('/nowhere', world.fullPath('dangling.md'));
    for (const path of ['link.md', 'passwd.md', 'dangling.md']) {
      expect(await codeOf(world.files.read(W, path))).toBe('workspace.path.denied');
      expect(await codeOf(world.files.write(writing(path, 'x\n', STAFF, 'absent')))).toBe(
        'workspace.path.denied',
      );
    }
    expect(await world.files.list(W)).toEqual([]);
    expect(world.log.dump()).toContain('it is a link or no ordinary file');
  });

  test('a folder that is a symlink is refused on the way, also for writing', async () => {
    const world = await openWorld();
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'plan.md'), 'secret\n');
    symlinkSync(outside, world.fullPath('notes'));
    expect(await codeOf(world.files.read(W, 'notes/plan.md'))).toBe('workspace.path.denied');
    expect(await codeOf(world.files.write(writing('notes/new.md', 'x\n', STAFF, 'absent')))).toBe(
      'workspace.path.denied',
    );
    expect(await world.files.list(W)).toEqual([]);
  });

  test('a workspace that is itself a symlink is refused', async () => {
    const world = await openWorld();
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'plan.md'), 'secret\n');
    symlinkSync(outside, join(world.root, 'linked'));
    const linked = 'linked' as typeof W;
    await world.insert('workspace', { ...(await workspaceOf(world)), id: linked });
    expect(await codeOf(world.files.read(linked, 'plan.md'))).toBe('workspace.path.denied');
  });

  test('a hard link is refused and not listed', async () => {
    const world = await openWorld();
    const secret = join(temporaryFolder(), 'secret.md');
    writeFileSync(secret, 'secret\n');
    linkSync(secret, world.fullPath('hard.md'));
    expect(await codeOf(world.files.read(W, 'hard.md'))).toBe('workspace.path.denied');
    expect(await world.files.list(W)).toEqual([]);
  });

  test('a FIFO holds nobody up, a folder is no file', async () => {
    const world = await openWorld();
    execFileSync('mkfifo', [world.fullPath('pipe.md')]);
    mkdirSync(world.fullPath('folder.md'));
    expect(await codeOf(world.files.read(W, 'pipe.md'))).toBe('workspace.path.denied');
    expect(await codeOf(world.files.read(W, 'folder.md'))).toBe('workspace.path.denied');
    expect(await world.files.list(W)).toEqual([]);
  });

  test('a file above the cap is refused, at the cap it is read', async () => {
    const world = await openWorld({ limits: { maxFileBytes: 100 } });
    world.edit('big.md', 'x'.repeat(101));
    world.edit('full.md', 'x'.repeat(100));
    expect(await codeOf(world.files.read(W, 'big.md'))).toBe('workspace.file.invalid');
    expect((await world.files.read(W, 'full.md')).text).toHaveLength(100);
    expect((await world.files.list(W)).map(({ path }) => path)).toEqual(['full.md']);
    expect(await codeOf(world.files.write(writing('new.md', 'é'.repeat(51), STAFF, 'absent')))).toBe(
      'workspace.file.invalid',
    );
  });

  test('bytes that are no UTF-8 are refused, and so is a text that has no bytes', async () => {
    const world = await openWorld();
    world.edit('latin.md', Uint8Array.from([0x68, 0xe9, 0x0a]));
    expect(await codeOf(world.files.read(W, 'latin.md'))).toBe('workspace.file.invalid');
    expect(await codeOf(world.files.write(writing('new.md', 'a\ud800b', STAFF, 'absent')))).toBe(
      'workspace.file.invalid',
    );
  });
});

describe('a look', () => {
  test('at what is not there makes no folder of it', async () => {
    const world = await openWorld();
    expect(await codeOf(world.files.read(W, 'nowhere/a.md'))).toBe('workspace.file.missing');
    expect(existsSync(world.fullPath('nowhere'))).toBe(false);
  });

  test.skipIf(!existsSync('/proc/self/fd'))('that refuses leaves nothing open (needs /proc)', async () => {
    const world = await openWorld();
    world.edit('big.md', 'x');
    const folder = dirname(world.fullPath('big.md'));
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let round = 0; round < 5; round += 1)
      expect(await codeOf(openGuarded(folder, 'big.md', 0))).toBe('workspace.file.invalid');
    expect(open()).toBe(before);
    expect(await codeOf(assertPlainFolders('/proc', ['nothing'], 'write'))).toBe('workspace.file.missing');
  });

  test.each([
    ['ENOENT', 'workspace.file.missing'],
    ['ENOTDIR', 'workspace.file.missing'],
    ['ELOOP', 'workspace.path.denied'],
    ['EISDIR', 'workspace.path.denied'],
    ['ENAMETOOLONG', 'workspace.file.missing'],
    ['EINVAL', 'workspace.file.missing'],
    ['ENXIO', 'workspace.path.denied'],
    ['EACCES', 'workspace.path.denied'],
    ['EPERM', 'workspace.path.denied'],
    ['EIO', 'workspace.disk.unavailable'],
  ])('that ends with %s is told as %s', (code, expected) => {
    expect(translated('a.md', Object.assign(new Error('x'), { code })).code).toBe(expected);
  });

  test('has the code of an error, and of nothing else', () => {
    const cases = [
      Object.assign(new Error('x'), { code: 'EIO' }),
      Object.assign(new Error('x'), { code: 5 }),
      new Error('x'),
      { code: 'EIO' },
      'EIO',
      undefined,
    ];
    expect(cases.map(guardCodeOf)).toEqual(['EIO', ...Array(5).fill(undefined)]);
  });
});

describe('listing', () => {
  test('is sorted by path, Markdown only, without hidden names', async () => {
    const world = await openWorld();
    for (const path of ['b.md', 'a/z.md', 'a.md', 'a/B.MD', 'c.txt', '.secret.md', '.git/x.md'])
      world.edit(path, 'x\n');
    expect((await world.files.list(W)).map(({ path }) => path)).toEqual(['a.md', 'a/B.MD', 'a/z.md', 'b.md']);
  });

  test('of one folder holds what lies below it, and nothing behind a link or where nothing is', async () => {
    const world = await openWorld();
    for (const path of ['skills/a.md', 'skills/deep/b.md', 'skillsets/c.md', 'd.md']) world.edit(path, 'x\n');
    symlinkSync(world.fullPath('skills'), world.fullPath('linked'));
    const below = async (folder: string) => (await world.files.list(W, folder)).map(({ path }) => path);
    expect(await below('skills')).toEqual(['skills/a.md', 'skills/deep/b.md']);
    expect(await below('linked')).toEqual([]);
    expect(await below('missing')).toEqual([]);
  });

  test('leaves out names that no tool could type, and says so', async () => {
    const world = await openWorld();
    for (const name of ['a:b.md', 'star*.md', 'zero\u200bwidth.md', 'e\u0301.md', ' lead.md', 'plain.md'])
      world.edit(name, 'x\n');
    expect((await world.files.list(W)).map(({ path }) => path)).toEqual(['plain.md']);
    expect(world.log.dump()).toContain('its name holds characters that no tool can use');
  });

  test('is bounded in count and depth', async () => {
    const world = await openWorld({ limits: { maxFiles: 3 } });
    for (let i = 0; i < 5; i += 1) world.edit(`f${i}.md`, 'x\n');
    expect(await world.files.list(W)).toHaveLength(3);
    const deep = await openWorld();
    deep.edit(`${'d/'.repeat(16)}in.md`, 'x\n');
    deep.edit(`${'d/'.repeat(17)}out.md`, 'x\n');
    expect((await deep.files.list(W)).map(({ path }) => path)).toEqual([`${'d/'.repeat(16)}in.md`]);
  });

  test('of a workspace without a folder is empty', async () => {
    const world = await openWorld();
    const other = 'other' as typeof W;
    expect(await world.files.list(other)).toEqual([]);
  });
});

async function workspaceOf(world: Awaited<ReturnType<typeof openWorld>>) {
  const row = await world.store.read.get('workspace', { id: W });
  if (row === undefined) throw new Error('the fixture makes it');
  return row;
}
