import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../house/source.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claims-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs one real suite in a process of its own, with a page of one claim about it. */
function run(suite: string, title: string | undefined, ...args: readonly string[]) {
  const file = (path: string) => JSON.stringify(join(root, path));
  const claim = {
    line: 7,
    text: 'It holds',
    paths: [],
    names: [],
    base: '',
    tests: [{ file: 'a.test.js', title }],
  };
  const config = `import { ClaimsReporter } from ${file('scripts/claims/reporter.ts')};
    import { ClosingLineReporter } from ${file('scripts/closing-line-reporter.ts')};
    const page = () => (${JSON.stringify({ claims: [claim], faults: [] })});
    export default { test: { globals: true, maxWorkers: 1, passWithNoTests: true,
      reporters: ['default', new ClosingLineReporter(), new ClaimsReporter(page)] } };`;
  writeFileSync(join(folder, 'vitest.config.mjs'), config);
  writeFileSync(join(folder, 'a.test.js'), suite);
  const words = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, ...args];
  const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  const told = stdout.split('\n').filter((line) => /claim/.test(line) && !line.includes('RUN'));
  return { status, told, last: stdout.trimEnd().split('\n').at(-1) };
}

describe('after a full run', { timeout: 60_000 }, () => {
  test('a claim whose test passed is proved', () => {
    const { status, told, last } = run(`test('one', () => {});`, 'one');
    expect({ status, told }).toEqual({ status: 0, told: ['1 claims, 0 not proved'] });
    expect(last).toBe('1 passed, 0 failed, 0 skipped');
  });

  test.each([undefined, 'all of it', 'is %i'])('a file, a group, a title with holes: %s', (title) => {
    const suite = `describe('all of it', () => { test.each([1, 2])('is %i', () => {}); });`;
    expect(run(suite, title).status).toBe(0);
  });

  test.each([
    [`test('other', () => {});`, 'is no test of that file'],
    [`test.skip('one', () => {}); test('two', () => {});`, 'was skipped and does not say why'],
    [`test.todo('one'); test('two', () => {});`, 'was skipped and does not say why'],
    [`test('one', () => { throw new Error('x'); });`, 'failed'],
  ])('fails the run: %s', (suite, why) => {
    const { status, told } = run(suite, 'one');
    expect(status).toBe(1);
    expect(told).toContain(`claim not proved: It holds (line 7): a.test.js: one ${why}`);
  });

  test.each([
    `test('one', (ctx) => ctx.skip('there is no faketime'));`,
    `describe.skip('clocks, skipped: there is no faketime', () => { test('one', () => {}); });`,
  ])('a skipped test that says why is told and fails nothing: %s', (suite) => {
    const { status, told } = run(suite, 'one');
    expect(status).toBe(0);
    expect(told[0]).toBe(
      'claim not proved: It holds (line 7): a.test.js: one was skipped: there is no faketime',
    );
  });
});

test('a part of the suite is not judged', { timeout: 60_000 }, () => {
  const suite = `test('other', () => {});`;
  expect(run(suite, 'one', 'a.test')).toMatchObject({ status: 0, told: [] });
  expect(run(suite, 'one', '-t', 'other')).toMatchObject({ status: 0, told: [] });
});
