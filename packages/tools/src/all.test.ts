import { DEFAULT_TOOLS, type JsonObject } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { template } from './_template/spec.ts';
import { allTools } from './all.ts';
import { promptBytes, toolConformance } from './conformance.ts';

const samples: Readonly<Record<string, readonly JsonObject[]>> = {
  template_peek: [{ path: 'faq.md', lines: 3 }],
  md_read: [{ path: 'faq.md' }, { path: 'notes/a.md', from_line: 3, lines: 20 }],
  md_list: [{}, { folder: 'notes' }],
  md_glob: [{ pattern: 'meetings/**/*.md' }],
  md_grep: [{ pattern: 'a.*b' }, { pattern: 'frost', folder: 'notes' }],
  md_write: [{ path: 'notes/a.md', text: '', mode: 'create' }],
  qmd_search: [{ query: 'refund' }, { query: 'How?', limit: 5 }],
  post_message: [
    { channel: 'general', text: 'Hello' },
    { channel: 'c', text: 't', connector: 'memory' },
  ],
};

for (const spec of [template, ...allTools]) toolConformance(spec, samples[spec.name] ?? []);

test('names are unique, and every tool that a workspace has by default exists', () => {
  const names = allTools.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect([...names].sort()).toEqual([...DEFAULT_TOOLS].sort());
});

test('the whole list stays small in a prompt', () => {
  expect(promptBytes(allTools)).toBeLessThanOrEqual(2_250);
});

test('a write names its mode, a post its channel, and both reach policy', () => {
  const byName = new Map(allTools.map((spec) => [spec.name, spec]));
  const target = (name: string, args: JsonObject) => byName.get(name)?.target(args);
  expect(target('md_write', { path: 'skills/x.md', text: 'a', mode: 'append' })).toEqual({
    kind: 'file',
    path: 'skills/x.md',
    access: 'write',
  });
  expect(target('post_message', { channel: 'news', text: 'a' })).toEqual({
    kind: 'message',
    connector: '',
    channel: 'news',
  });
  expect(byName.get('md_write')?.input.safeParse({ path: 'a.md', text: 'a', mode: 'delete' }).success).toBe(
    false,
  );
});
