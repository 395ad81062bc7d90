import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { makeLabel } from '@agent-runtime/domain';
import { crashPoints } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { MEMBER, OUTSIDE, openWorld, STAFF, W, type World, writing } from '../../bench/file-fixtures.ts';
import { draft } from '../../bench/fixtures.ts';
import { LABEL_LOG, parseLabelLog } from './index.ts';

const parsed = (world: World) => parseLabelLog(world.onDisk(LABEL_LOG), W, world.projectorKey);
const current = (world: World, path: string) =>
  parsed(world).files.find((row) => row.path === path && row.isCurrent)?.label;

describe('labels as they are written down', () => {
  test('follow each version of a file, its approval and its entries', async () => {
    const world = await openWorld();
    const projector = world.projector();
    await world.files.write(writing('memory.md', '- a\n', MEMBER, 'absent'));
    await projector.run();
    expect(current(world, 'memory.md')).toEqual(MEMBER);
    world.edit('memory.md', '- a\n- b\n');
    const { hash } = await world.files.read(W, 'memory.md');
    await projector.run();
    expect(parsed(world).files.filter(({ isCurrent }) => isCurrent)).toMatchObject([
      { path: 'memory.md', hash },
    ]);
    await world.store.commit(draft('label.approve', { subject: 'memory.md', workspace: W }), (tx) =>
      tx.update('label_file', { workspace: W, path: 'memory.md', hash }, { label: STAFF, isGood: true }),
    );
    await projector.run();
    expect(current(world, 'memory.md')).toEqual(STAFF);
    const { files, entries } = parsed(world);
    const byHash = (a: { hash: string }, b: { hash: string }) => (a.hash < b.hash ? -1 : 1);
    const stored = await world.store.read.find('label_file', {});
    expect([...files].sort(byHash)).toEqual([...stored].sort(byHash));
    expect(entries).toEqual(await world.store.read.find('label_entry', {}));
  });

  test('are no Markdown of the workspace', async () => {
    const world = await openWorld();
    world.edit('a.md', 'x\n');
    await world.files.read(W, 'a.md');
    await world.projector().run();
    expect((await world.files.list(W)).map(({ path }) => path)).toEqual(['a.md']);
    await expect(world.files.read(W, LABEL_LOG)).rejects.toThrow('Only Markdown');
  });

  test('a crash before the cursor moves, or inside a line, costs nothing', async () => {
    const world = await openWorld();
    world.edit('a.md', 'x\n');
    await world.files.read(W, 'a.md');
    for (const point of ['projector.before-sync', 'projector.before-cursor', 'file.before-rename']) {
      await expect(world.projector(crashPoints.throwAt(point)).run(), point).rejects.toThrow(point);
    }
    appendFileSync(world.fullPath(LABEL_LOG), world.onDisk(LABEL_LOG).slice(0, 100));
    await world.projector().run();
    expect(parsed(world).files).toEqual(await world.store.read.find('label_file', {}));
  });

  test('grown far beyond its rows it is written anew', async () => {
    const world = await openWorld();
    await world.files.write(writing('notes/a.md', 'x\n', OUTSIDE, 'absent'));
    const projector = world.projector();
    await projector.run();
    writeFileSync(world.fullPath(LABEL_LOG), 'x'.repeat(9 * 1024 * 1024));
    world.edit('b.md', 'y\n');
    await world.files.read(W, 'b.md');
    await projector.run();
    expect(statSync(world.fullPath(LABEL_LOG)).size).toBeLessThan(10_000);
    expect(current(world, 'notes/a.md')).toEqual(OUTSIDE);
    expect(current(world, 'b.md')).toEqual(STAFF);
  });

  test('each line holds for its workspace alone', async () => {
    const world = await openWorld();
    world.edit('a.md', 'x\n');
    await world.files.read(W, 'a.md');
    await world.projector().run();
    const text = world.onDisk(LABEL_LOG);
    expect(parseLabelLog(text, 'other', world.projectorKey)).toEqual({ files: [], entries: [] });
    const widened = text.replaceAll('"ws:garden"', '');
    expect(widened).not.toBe(text);
    expect(parseLabelLog(widened, W, world.projectorKey).files).toEqual([]);
    expect(parseLabelLog(text, W, world.projectorKey).files[0]?.label).toEqual(makeLabel(2, ['ws:garden']));
  });
});
