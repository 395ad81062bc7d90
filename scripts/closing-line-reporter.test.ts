import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from './house/source.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'closing-line-'));
  const reporter = JSON.stringify(join(root, 'scripts/closing-line-reporter.ts'));
  const config = `import { ClosingLineReporter } from ${reporter};
    export default { test: { globals: true, maxWorkers: 1, reporters: ['default', new ClosingLineReporter()] } };`;
  writeFileSync(join(folder, 'vitest.config.mjs'), config);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs real test files in a process of their own. */
function run(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

// Each starts a process; generous, because the machine may be busy.
const timeout = 60_000;

test('counts passed, failed and skipped tests', { timeout }, () => {
  const text = `test('a', () => {}); test('b', () => {}); test('c', () => { throw new Error('x'); });
    test.skip('d', () => {}); test.todo('e'); describe('f', () => { test('g', () => {}); });`;
  expect(run({ 'a.test.js': text })).toEqual({ status: 1, lastLine: '3 passed, 1 failed, 2 skipped' });
});

test('a run without failures', { timeout }, () => {
  expect(run({ 'a.test.js': `test('a', () => {});` })).toEqual({
    status: 0,
    lastLine: '1 passed, 0 failed, 0 skipped',
  });
});

test('what breaks outside a test is a failure too', { timeout }, () => {
  const files = {
    'unloadable.test.js': `throw new Error('x'); test('a', () => {});`,
    'hook.test.js': `describe('s', () => { afterAll(() => { throw new Error('x'); }); test('a', () => {}); });`,
    'stray.test.js': `test('a', () => { Promise.reject(new Error('x')); });`,
  };
  expect(run(files)).toEqual({ status: 1, lastLine: '2 passed, 3 failed, 0 skipped' });
});
