import {
  type AudienceTag,
  type LabelledFile,
  makeLabel,
  sha256,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { fault } from '../settle/outside.fixture.ts';
import { contextRow, ORIGIN, WORKSPACE } from '../settle/world.fixture.ts';
import { grepNotes, listNotes } from './read.ts';
import { visibleFile } from './visible.ts';

const HERE: AudienceTag = `ctx:${WORKSPACE}/${ORIGIN}`;
const ELSEWHERE: AudienceTag = `ctx:${WORKSPACE}/elsewhere`;
const CONTEXT = contextRow(ORIGIN, 'ops-channel', 0);

interface Shelf {
  readonly path: string;
  readonly text: string;
  readonly tag?: AudienceTag;
}

function shelf(files: readonly Shelf[], more: Partial<WorkspaceFiles> = {}) {
  const read = async (_workspace: unknown, path: string): Promise<LabelledFile> => {
    const file = files.find((one) => one.path === path);
    if (file === undefined) throw fault('missing');
    return { path, text: file.text, hash: sha256(file.text), label: makeLabel(2, [file.tag ?? HERE]) };
  };
  const list = async () => files.map(({ path }) => ({ path }));
  const all = { read, list, readMemory: async () => [], ...more } as unknown as WorkspaceFiles; // safe: no more of it is used
  return { files: all, log: recordingLogger() };
}

describe('a file as it is seen here', () => {
  test('is the file where its label fits, and nothing where it does not', async () => {
    const hidden = [{ text: '- x', line: 1, label: makeLabel(1, [ELSEWHERE]) }];
    const deps = shelf(
      [
        { path: 'notes/a.md', text: 'a' },
        { path: 'notes/b.md', text: 'b', tag: ELSEWHERE },
      ],
      // Only memory is looked at entry by entry.
      { readMemory: async () => hidden as never }, // safe: as read
    );
    expect((await visibleFile(deps, CONTEXT, 'notes/a.md'))?.text).toBe('a');
    expect(await visibleFile(deps, CONTEXT, 'notes/b.md')).toBeUndefined();
  });

  test('memory without entries is seen where the file is', async () => {
    const path = `contexts/${ORIGIN}/memory.md`;
    expect((await visibleFile(shelf([{ path, text: '#' }]), CONTEXT, path))?.text).toBe('#');
    expect(await visibleFile(shelf([{ path, text: '#', tag: ELSEWHERE }]), CONTEXT, path)).toBeUndefined();
  });

  test('a path that is not clean is not even tried', async () => {
    const read = () => Promise.reject(fault('bug'));
    expect(await visibleFile(shelf([], { read }), CONTEXT, '../x.md')).toBeUndefined();
  });

  test.each(['missing', 'denied', 'invalid'])('what is %s looks like nothing', async (kind) => {
    const read = () => Promise.reject(fault(kind));
    expect(await visibleFile(shelf([], { read }), CONTEXT, 'a.md')).toBeUndefined();
  });

  test.each([fault('bug'), fault('unavailable'), new TypeError('x')])(
    'a fault does not: %s',
    async (thrown) => {
      const read = () => Promise.reject(thrown);
      await expect(visibleFile(shelf([], { read }), CONTEXT, 'a.md')).rejects.toBe(thrown);
    },
  );
});

describe('lists', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ path: `notes/${i}.md`, text: 'a' }));

  test('of 300 names are whole, longer ones say how much is left', async () => {
    expect((await listNotes(shelf(many(300)), CONTEXT, {})).text.split('\n')).toHaveLength(300);
    const { text } = await listNotes(shelf(many(301)), CONTEXT, {});
    expect(text.split('\n').slice(300)).toEqual(['[1 more; name a folder or a pattern]']);
  });

  test('of lines are 60 at most, and carry the labels of those files alone', async () => {
    const full = { path: 'a.md', text: 'needle\n'.repeat(60) };
    const other = { path: 'b.md', text: 'hay\n', tag: `ws:${WORKSPACE}` as AudienceTag };
    const one = await grepNotes(shelf([other, full]), CONTEXT, { pattern: 'needle' });
    expect(one.text.split('\n')).toHaveLength(60);
    expect([one.sources, one.label]).toEqual([[{ path: 'a.md', lines: 60 }], makeLabel(2, [HERE])]);
    const next = { ...other, text: 'needle\n' };
    const two = await grepNotes(shelf([full, next]), CONTEXT, { pattern: 'needle' });
    expect(two.text.split('\n').slice(59)).toEqual([
      'a.md:60  needle',
      '[more lines; name a folder or a longer text]',
    ]);
    expect(two.sources.map(({ path }) => path)).toEqual(['a.md', 'b.md']);
    // Enough was found before it: what follows is not read, and so lends no label.
    const longer = { path: 'a.md', text: 'needle\n'.repeat(61) };
    const three = await grepNotes(shelf([longer, next]), CONTEXT, { pattern: 'needle' });
    expect([three.sources.length, three.label]).toEqual([1, makeLabel(2, [HERE])]);
  });
});
