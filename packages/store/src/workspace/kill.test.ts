import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeLabel, sha256 } from '@agent-runtime/domain';
import { crashPoints } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { contextRow, conversationRow, messageRow, openWorld, W, writing } from '../../bench/file-fixtures.ts';
import { parseRecords } from '../projector/record.ts';
import { removeLeftovers } from './index.ts';

const script = fileURLToPath(new URL('../../bench/file-child.ts', import.meta.url));

/** Runs the child until it kills itself. */
function dieAt(mode: 'write' | 'project', dataDir: string, point: string, nth = 1): void {
  const child = spawnSync(process.execPath, [script, mode, dataDir, point, String(nth)], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect({ signal: child.signal, said: child.stdout + child.stderr }).toEqual({
    signal: 'SIGKILL',
    said: '',
  });
}

describe('kill -9 in the middle of a write', { timeout: 60_000 }, () => {
  const old = 'old\n';
  const text = `new ${'x'.repeat(100_000)}\n`;
  const label = makeLabel(0, [`ws:${W}`]);

  test.each([
    ['file.before-rename', old],
    ['file.after-rename', text],
  ])('%s: whole bytes, their own label, and a repeat is a success', async (point, expected) => {
    const before = await openWorld();
    before.edit('notes/plan.md', old);
    const { label: oldLabel, hash } = await before.files.read(W, 'notes/plan.md');
    await before.close();
    dieAt('write', before.dataDir, point);

    const world = await openWorld({ dataDir: before.dataDir, clock: before.clock });
    expect(world.onDisk('notes/plan.md')).toBe(expected);
    const file = await world.files.read(W, 'notes/plan.md');
    expect(file).toMatchObject({ text: expected, label: expected === old ? oldLabel : label });
    // What the crash left is hidden, and gone after the start's cleaning.
    expect((await world.files.list(W)).map(({ path }) => path)).toEqual(['notes/plan.md']);
    expect(await removeLeftovers(world.root)).toBe(expected === old ? 1 : 0);
    expect(readdirSync(world.fullPath('notes'))).toEqual(['plan.md']);
    await world.files.write(writing('notes/plan.md', text, label, hash));
    expect(await world.files.read(W, 'notes/plan.md')).toMatchObject({ text, hash: sha256(text), label });
  });
});

describe('kill -9 of the projector', { timeout: 120_000 }, () => {
  test.each([
    ['projector.before-sync', 1],
    ['projector.before-sync', 2],
    ['projector.before-cursor', 1],
    ['projector.before-cursor', 2],
    ['file.before-rename', 1],
    ['file.after-rename', 1],
  ])('%s, time %i: neither a hole nor a double', async (point, nth) => {
    const before = await openWorld();
    await before.insert('context', contextRow());
    await before.insert('context_conversation', conversationRow());
    const all = Array.from({ length: 700 }, (_, at) => messageRow(at + 1));
    await before.insert('context_message', ...all);
    await before.close();
    dieAt('project', before.dataDir, point, nth);

    const world = await openWorld({ dataDir: before.dataDir, clock: before.clock });
    await world.projector().run();
    const { records, foreignLines } = parseRecords(
      world.onDisk('logs/memory/general/2026-11.md'),
      world.projectorKey,
    );
    expect(records.map(({ head }) => head.seq)).toEqual(all.map(({ seq }) => seq));
    expect(foreignLines).toBe(0);
  });
});

test('5,000 messages take few syncs: the cost is by batch, not by message', async () => {
  const world = await openWorld();
  await world.insert('context', contextRow());
  await world.insert('context_conversation', conversationRow());
  await world.insert('context_message', ...Array.from({ length: 5_000 }, (_, at) => messageRow(at + 1)));
  const crash = crashPoints.record();
  const projector = world.projector(crash);
  await projector.run();
  const syncs = crash.reached.filter((name) => name === 'projector.before-sync').length;
  const cursors = crash.reached.filter((name) => name === 'projector.before-cursor').length;
  expect(syncs).toBeLessThanOrEqual(25);
  expect(cursors).toBeLessThanOrEqual(12);
  const reached = crash.reached.length;
  await projector.run();
  expect(crash.reached.length).toBe(reached);
});
