import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { type LabelledFile, sha256 } from '@agent-runtime/domain';
import { crashPoints } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { MEMBER, OUTSIDE, openWorld, STAFF, W, type World, writing } from '../../bench/file-fixtures.ts';
import { behindItsBack, codeOf } from '../../bench/fixtures.ts';
import { removeLeftovers } from './index.ts';

const actions = async (world: World): Promise<readonly string[]> =>
  (await world.audit.tail(50)).map(({ action }) => action).reverse();

describe('writing', () => {
  test('creates a file with its label, and replaces it when the expected bytes are there', async () => {
    const world = await openWorld();
    const first = await world.files.write(writing('notes/plan.md', 'one\n', MEMBER, 'absent'));
    expect(first.hash).toBe(sha256('one\n'));
    await world.files.write(writing('notes/plan.md', 'two\n', OUTSIDE, first.hash));
    const wanted: LabelledFile = {
      path: 'notes/plan.md',
      text: 'two\n',
      hash: sha256('two\n'),
      label: OUTSIDE,
    };
    expect(await world.files.read(W, 'notes/plan.md')).toEqual(wanted);
    expect(world.onDisk('notes/plan.md')).toBe('two\n');
    expect(await actions(world)).toContain('workspace.write');
  });

  test('bytes that are known as low stay low under a better label, elsewhere and in their own place', async () => {
    const world = await openWorld();
    await world.files.write(writing('notes/web.md', 'from the web\n', OUTSIDE, 'absent'));
    await world.files.write(writing('notes/copy.md', 'from the web\n', MEMBER, 'absent'));
    expect((await world.files.read(W, 'notes/copy.md')).label).toEqual(OUTSIDE);
    await world.files.write(writing('notes/web.md', 'ours\n', MEMBER, sha256('from the web\n')));
    await world.files.write(writing('notes/web.md', 'from the web\n', MEMBER, sha256('ours\n')));
    expect((await world.files.read(W, 'notes/web.md')).label).toEqual(OUTSIDE);
    await world.files.write(writing('notes/other.md', 'other words\n', MEMBER, 'absent'));
    expect((await world.files.read(W, 'notes/other.md')).label).toEqual(MEMBER);
  });

  test('an approved write raises them, in its place alone', async () => {
    const world = await openWorld();
    await world.files.write(writing('notes/web.md', 'from the web\n', OUTSIDE, 'absent'));
    const approved = { ...writing('handbook.md', 'from the web\n', STAFF, 'absent'), isRaised: true };
    await world.files.write(approved);
    expect((await world.files.read(W, 'handbook.md')).label).toEqual(STAFF);
    expect((await world.files.read(W, 'notes/web.md')).label).toEqual(OUTSIDE);
  });

  test.each([
    ['something is there', 'absent' as const],
    ['other bytes are there', sha256('elsewhere')],
  ])('meets a conflict when %s, and writes nothing', async (_why, expected) => {
    const world = await openWorld();
    world.edit('a.md', 'theirs\n');
    await world.files.read(W, 'a.md');
    const before = await actions(world);
    expect(await codeOf(world.files.write(writing('a.md', 'ours\n', MEMBER, expected)))).toBe(
      'workspace.file.conflict',
    );
    expect(world.onDisk('a.md')).toBe('theirs\n');
    expect(await actions(world)).toEqual(before);
  });

  test('meets a conflict when nothing is there any more', async () => {
    const world = await openWorld();
    const gone = writing('a.md', 'ours\n', MEMBER, sha256('gone\n'));
    expect(await codeOf(world.files.write(gone))).toBe('workspace.file.conflict');
  });

  test('an editor that saves during the commit is not overwritten', async () => {
    const world = await openWorld();
    const { hash } = await world.files.write(writing('a.md', 'one\n', MEMBER, 'absent'));
    const write = world.files.write({
      ...writing('a.md', 'two\n', MEMBER, hash),
      also: async () => writeFileSync(world.fullPath('a.md'), 'theirs\n'),
    });
    expect(await codeOf(write)).toBe('workspace.file.conflict');
    expect(world.onDisk('a.md')).toBe('theirs\n');
  });

  test('what happens together with it is in the same transaction as the label', async () => {
    const world = await openWorld();
    const notice = { key: 'k', at: 1 };
    await world.files.write({
      ...writing('a.md', 'one\n', MEMBER, 'absent'),
      also: (tx) => tx.insert('notify_notice', notice),
    });
    expect(await world.store.read.get('notify_notice', { key: 'k' })).toEqual(notice);

    const refused = world.files.write({
      ...writing('b.md', 'one\n', MEMBER, 'absent'),
      also: (tx) => tx.insert('notify_notice', notice),
    });
    expect(await codeOf(refused)).toBe('database.row.conflict');
    expect(existsSync(world.fullPath('b.md'))).toBe(false);
    expect(await world.store.read.find('label_file', { path: 'b.md' })).toEqual([]);
  });

  test('without an audit event there is no file', async () => {
    const world = await openWorld();
    behindItsBack(world.paths.database, (database) => {
      database.exec("create trigger stop before insert on audit_event begin select raise(abort, 'no'); end");
    });
    expect(await codeOf(world.files.write(writing('a.md', 'one\n', MEMBER, 'absent')))).not.toBe('');
    expect(readdirSync(world.fullPath('.'))).toEqual([]);
  });

  test('the same bytes again are a success and change nothing', async () => {
    const world = await openWorld();
    await world.files.write(writing('a.md', 'one\n', MEMBER, 'absent'));
    const before = await actions(world);
    expect(await world.files.write(writing('a.md', 'one\n', OUTSIDE, 'absent'))).toEqual({
      hash: sha256('one\n'),
    });
    expect((await world.files.read(W, 'a.md')).label).toEqual(MEMBER);
    expect(await actions(world)).toEqual(before);
  });
});

describe('a crash', () => {
  test.each(['file.before-rename', 'file.after-rename'])(
    'at %s leaves a whole file, and a repeat succeeds',
    async (point) => {
      const world = await openWorld();
      await world.files.write(writing('a.md', 'one\n', STAFF, 'absent'));
      const dying = world.again(crashPoints.throwAt(point));
      const second = writing('a.md', 'two\n', MEMBER, sha256('one\n'));
      await expect(dying.write(second)).rejects.toThrow(point);
      const isDone = point === 'file.after-rename';
      expect(world.onDisk('a.md')).toBe(isDone ? 'two\n' : 'one\n');
      expect((await world.files.read(W, 'a.md')).label).toEqual(isDone ? MEMBER : STAFF);
      expect(await world.files.write(second)).toEqual({ hash: sha256('two\n') });
      expect((await world.files.read(W, 'a.md')).label).toEqual(MEMBER);
    },
  );

  test('between rename and first look: an edit by others is judged from the written bytes', async () => {
    const world = await openWorld();
    await world.files.write(writing('a.md', 'staff\n', STAFF, 'absent'));
    const dying = world.again(crashPoints.throwAt('file.after-rename'));
    await expect(dying.write(writing('a.md', 'web\n', OUTSIDE, sha256('staff\n')))).rejects.toThrow();
    world.edit('a.md', 'web\nand a line\n');
    expect((await world.files.read(W, 'a.md')).label).toEqual(OUTSIDE);
  });

  test('leaves temporary files that no listing shows and that a start removes', async () => {
    const world = await openWorld();
    world.edit('notes/.agent-runtime-12-3.tmp', 'half');
    world.edit('notes/.agent-runtime-12-3.tmp.md', 'a person named it so');
    world.edit('notes/a.md', 'x\n');
    expect((await world.files.list(W)).map(({ path }) => path)).toEqual(['notes/a.md']);
    expect(await removeLeftovers(world.root)).toBe(1);
    expect(readdirSync(world.fullPath('notes')).sort()).toEqual(['.agent-runtime-12-3.tmp.md', 'a.md']);
  });

  test('a write that fails removes its temporary file', async () => {
    const world = await openWorld({ crash: crashPoints.throwAt('file.before-rename') });
    await expect(world.files.write(writing('a.md', 'one\n', MEMBER, 'absent'))).rejects.toThrow();
    expect(readdirSync(world.fullPath('.'))).toEqual([]);
  });
});

describe('reading again', () => {
  test('is answered from memory only while the file is the same', async () => {
    const world = await openWorld();
    world.edit('a.md', 'one\n');
    const first = await world.files.read(W, 'a.md');
    expect(await world.files.read(W, 'a.md')).toEqual(first);
    world.edit('a.md', 'two\n');
    expect((await world.files.read(W, 'a.md')).text).toBe('two\n');
  });

  test('commits nothing when nothing changed', async () => {
    const world = await openWorld();
    world.edit('a.md', 'one\n');
    await world.files.read(W, 'a.md');
    const { seq } = await world.audit.head();
    await world.files.read(W, 'a.md');
    await world.files.readControl(W, 'a.md');
    expect((await world.audit.head()).seq).toBe(seq);
  });

  test('many at once see one label each', async () => {
    const world = await openWorld();
    world.edit('a.md', 'one\n');
    const seen = await Promise.all(Array.from({ length: 20 }, () => world.files.read(W, 'a.md')));
    expect(new Set(seen.map(({ label }) => JSON.stringify(label))).size).toBe(1);
    expect(await world.store.read.count('label_file', { path: 'a.md' })).toBe(1);
  });

  test('a missing file is missing, a missing control file is no error', async () => {
    const world = await openWorld();
    expect(await codeOf(world.files.read(W, 'a.md'))).toBe('workspace.file.missing');
    expect(await codeOf(world.files.read(W, 'no/such/a.md'))).toBe('workspace.file.missing');
    expect(await world.files.readControl(W, 'SYSTEM.md')).toBeUndefined();
    expect(await world.files.readMemory(W, 'memory.md')).toEqual([]);
  });
});

test('bytes of a write that never happened stay as low as they were, under any name', async () => {
  const world = await openWorld();
  const dying = world.again(crashPoints.throwAt('file.before-rename'));
  await expect(dying.write(writing('a.md', 'web\n', OUTSIDE, 'absent'))).rejects.toThrow();
  world.edit('b.md', 'web\n');
  expect((await world.files.read(W, 'b.md')).label).toEqual(OUTSIDE);
});
