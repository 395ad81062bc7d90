import { expect, test } from 'vitest';
import { checkPage, readPage } from './check.ts';
import { means, parsePage } from './page.ts';

// Reads every source file; generous, because a busy machine is no fault of the page.
const timeout = 60_000;

test('every claim names a guard and tests that exist', { timeout }, () => {
  const page = readPage();
  expect(checkPage(page)).toEqual([]);
  expect(page.claims.length).toBeGreaterThan(100);
});

/** One part with one row. */
function read(row: string) {
  return parsePage(
    `## Part\n\nPaths are below \`packages/domain/src\`.\n\n| claim | guard | test |\n|---|---|---|\n${row}\n`,
  );
}

test('a row is read with its paths from the clone', () => {
  const { claims, faults } = read(
    '| It holds | label/label.ts `join`, packages/store/src/audit | label/label.test.ts: one · two: three · packages/store/src/audit/audit.test.ts |',
  );
  expect(faults).toEqual([]);
  expect(claims).toMatchObject([
    {
      line: 7,
      paths: ['packages/domain/src/label/label.ts', 'packages/store/src/audit'],
      names: ['join'],
      tests: [
        { file: 'packages/domain/src/label/label.test.ts', title: 'one' },
        { file: 'packages/domain/src/label/label.test.ts', title: 'two: three' },
        { file: 'packages/store/src/audit/audit.test.ts', title: undefined },
      ],
    },
  ]);
});

test.each([
  ['| It holds | `join` |  |', 'has no test'],
  ['| It holds |  | label/label.test.ts |', 'has no guard'],
  ['|  | `join` | label/label.test.ts |', 'claims nothing'],
  ['| It holds | `join` |', 'has 2 cells'],
  ['| It holds | `join` | all |', 'follows no test file'],
  ['| It holds | `join` | label/label.test.ts: |', 'names no title'],
])('a malformed row is told: %s', (row, what) => {
  expect(read(row).faults).toEqual([expect.stringContaining(`docs/security-claims.md:7 `)]);
  expect(read(row).faults[0]).toContain(what);
});

test('a table in a part without a base is told', () => {
  const { faults } = parsePage('## Part\n| claim | guard | test |\n|---|---|---|\n| a | `b` | c.test.ts |\n');
  expect(faults).toEqual([
    'docs/security-claims.md:4 stands in a part that does not say "Paths are below `…`."',
  ]);
});

test('what is not there is told: guard, name, file and title', { timeout }, () => {
  const row =
    '| It holds | label/gone.ts `noSuchName` | label/gone.test.ts · label/label.test.ts: no such title |';
  expect(checkPage(read(row))).toEqual([
    'docs/security-claims.md:7 there is no guard packages/domain/src/label/gone.ts',
    'docs/security-claims.md:7 nothing is called noSuchName',
    'docs/security-claims.md:7 there is no packages/domain/src/label/gone.test.ts',
    'docs/security-claims.md:7 packages/domain/src/label/label.test.ts has no test "no such title"',
  ]);
});

test('a title with holes means each of its tests and no other', () => {
  expect(means('number %s is %s', 'number 1 is one')).toBe(true);
  expect(means('changes with …', 'changes with its kind')).toBe(true);
  expect(means('a grant', 'a grant …')).toBe(true);
  expect(means('a grant', 'a grants')).toBe(false);
  expect(means('…', 'anything')).toBe(false);
  expect(means('is (P1)', 'is (P1)')).toBe(true);
});
