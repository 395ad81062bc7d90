import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'corpora-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function collect(name: string, file: string, text: string): void {
  mkdirSync(join(dir, name));
  writeFileSync(join(dir, name, file), text);
}
const lines = (...values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const run = (...args: readonly string[]) => {
  const script = join(import.meta.dirname, 'corpora.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
};

describe('public collections', { timeout: 30_000 }, () => {
  test('are counted by folder; an unknown one is named', () => {
    collect(
      'path-traversal',
      'path-traversal.jsonl',
      lines({ payload: '../{FILE}' }, { payload: '..%2f{FILE}' }),
    );
    collect('yaml-frontmatter', 'yaml-test-suite.jsonl', lines({ yaml: 'a: 1' }, { yaml: 'a: !!js x' }));
    collect('naughty-strings', 'blns.json', JSON.stringify(['', '<!-- end -->', '@everyone']));
    const base64 = Buffer.from('[1]').toString('base64');
    collect('json-parsing', 'json-parsing.jsonl', lines({ name: 'y', expect: 'accept', base64 }));
    collect('birds', 'birds.txt', 'tit\n');
    expect(run(dir)).toEqual({
      status: 0,
      said: [
        'birds: left out, nothing here is about it',
        'json-parsing: 1 of 1',
        'naughty-strings: 3 of 3',
        'path-traversal: 2 of 2',
        'yaml-frontmatter: 2 of 2',
        '',
      ].join('\n'),
    });
  });

  test('a disagreement is shown and fails', () => {
    const base64 = Buffer.from('[1]').toString('base64');
    collect('json-parsing', 'json-parsing.jsonl', lines({ name: 'n', expect: 'reject', base64 }));
    const { status, said } = run(dir);
    expect(status).toBe(1);
    expect(said).toContain('json-parsing: 0 of 1\n  0: {"name":"n"');
  });

  test('without a folder it says what it needs', () => {
    expect(run()).toEqual({
      status: 2,
      said: 'Say where the collections lie: npm run corpora -- DIR\n',
    });
  });
});
