import { makeLabel, sha256 } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { MEMBER, OUTSIDE, openWorld, STAFF, W, type World, writing } from '../../bench/file-fixtures.ts';
import { isMemoryPath, splitEntries } from './index.ts';

const entries = async (world: World, path = 'memory.md') =>
  (await world.files.readMemory(W, path)).map(({ text, label }) => [text, label.integrity]);
const hashOf = async (world: World, path = 'memory.md') => (await world.files.read(W, path)).hash;

describe('splitting', () => {
  test('list items with their further lines, paragraphs, no headings, no front matter', () => {
    const text = [
      '---',
      'title: Memory',
      '---',
      '# Memory',
      '',
      '- one',
      '  more of one',
      '- two',
      '',
      'A paragraph',
      'of two lines.',
      '## Part',
      '* three',
      '',
    ].join('\n');
    expect(splitEntries(text)).toEqual([
      { text: '- one\n  more of one', line: 6 },
      { text: '- two', line: 8 },
      { text: 'A paragraph\nof two lines.', line: 10 },
      { text: '* three', line: 13 },
    ]);
  });

  test('line ends of other systems make no difference', () => {
    expect(splitEntries('- a\r\n- b\r\n')).toEqual(splitEntries('- a\n- b\n'));
    expect(splitEntries('')).toEqual([]);
  });

  test.each([
    ['memory.md', true],
    ['contexts/memory-general/memory.md', true],
    ['contexts/memory-general/memory/2026-11-21.md', true],
    ['Memory.md', true],
    ['notes/memory.md', false],
    ['contexts/memory-general/context.md', false],
    ['contexts/a/b/memory.md', false],
  ])('%s is memory: %s', (path, isMemory) => {
    expect(isMemoryPath(path)).toBe(isMemory);
  });
});

describe('labels of entries', () => {
  test('an entry keeps its label while its words stay; a new one takes that of the write', async () => {
    const world = await openWorld();
    world.edit('memory.md', '- ours\n');
    await world.files.write(writing('memory.md', '- ours\n- web\n', OUTSIDE, await hashOf(world)));
    expect(await entries(world)).toEqual([
      ['- ours', 2],
      ['- web', 0],
    ]);
    expect((await world.files.read(W, 'memory.md')).label).toEqual(OUTSIDE);
    await world.files.write(writing('memory.md', '- ours\n- said\n', MEMBER, await hashOf(world)));
    expect(await entries(world)).toEqual([
      ['- ours', 2],
      ['- said', 1],
    ]);
    expect((await world.files.read(W, 'memory.md')).label).toEqual(MEMBER);
  });

  test('each belongs to whom it belonged', async () => {
    const world = await openWorld();
    const general = makeLabel(1, ['ctx:garden/memory-general']);
    await world.files.write(writing('memory.md', '- a\n', general, 'absent'));
    await world.files.write(writing('memory.md', '- a\n- b\n', MEMBER, await hashOf(world)));
    expect((await world.files.readMemory(W, 'memory.md')).map(({ label }) => label)).toEqual([
      general,
      MEMBER,
    ]);
    expect((await world.files.read(W, 'memory.md')).label.audience).toEqual([
      'ctx:garden/memory-general',
      'ws:garden',
    ]);
  });

  test('an entry that comes back is at most what it was', async () => {
    const world = await openWorld();
    await world.files.write(writing('memory.md', '- web\n- said\n', OUTSIDE, 'absent'));
    await world.files.write(writing('memory.md', '- other\n', MEMBER, await hashOf(world)));
    expect((await world.files.read(W, 'memory.md')).label).toEqual(MEMBER);
    await world.files.write(writing('memory.md', '- web\n', MEMBER, await hashOf(world)));
    expect(await entries(world)).toEqual([['- web', 0]]);
  });

  test('an entry that a person copies into another memory stays as low as it was', async () => {
    const world = await openWorld();
    await world.files.write(writing('contexts/memory-general/memory.md', '- web\n', OUTSIDE, 'absent'));
    world.edit('memory.md', '- ours\n- web\n');
    expect(await entries(world)).toEqual([
      ['- ours', 2],
      ['- web', 0],
    ]);
  });

  test('and so does one that a write copies there under a better label', async () => {
    const world = await openWorld();
    await world.files.write(writing('contexts/memory-general/memory.md', '- web\n', OUTSIDE, 'absent'));
    await world.files.write(writing('memory.md', '- ours\n- web\n', MEMBER, 'absent'));
    expect(await entries(world)).toEqual([
      ['- ours', 1],
      ['- web', 0],
    ]);
    expect((await world.files.read(W, 'memory.md')).label.integrity).toBe(0);
  });

  test('an unknown entry takes the label of its file', async () => {
    const world = await openWorld();
    world.edit('memory.md', '- ours\n');
    expect(await world.files.readMemory(W, 'memory.md')).toEqual([{ text: '- ours', line: 1, label: STAFF }]);
    await world.files.write(writing('memory.md', '- ours\n- web\n', OUTSIDE, sha256('- ours\n')));
    world.edit('memory.md', '- ours\n- web\n- added by hand\n');
    expect(await entries(world)).toEqual([
      ['- ours', 2],
      ['- web', 0],
      ['- added by hand', 0],
    ]);
  });

  test('the same words twice are one entry’s label', async () => {
    const world = await openWorld();
    await world.files.write(writing('memory.md', '- a\n- a\n', MEMBER, 'absent'));
    expect(await entries(world)).toEqual([
      ['- a', 1],
      ['- a', 1],
    ]);
    expect(await world.store.read.count('label_entry', {})).toBe(1);
  });

  test('many entries are looked up in parts', async () => {
    const world = await openWorld();
    const text = Array.from({ length: 1_200 }, (_, i) => `- entry ${i}\n`).join('');
    await world.files.write(writing('memory.md', text, MEMBER, 'absent'));
    expect(new Set((await entries(world)).map(([, integrity]) => integrity))).toEqual(new Set([1]));
  });
});
