import { stripTypeScriptTypes } from 'node:module';
import { Script } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { parse } from '../house/source.ts';
import { readRuleFiles } from './scope.ts';
import { findMutants, type Mutant } from './site.ts';
import { weave } from './weave.ts';

const PATH = 'packages/domain/src/policy/sample.ts';

/** Every mutant of a text, with the text in which all of them wait for their number. */
function mutantsOf(text: string, path = PATH) {
  const file = findMutants([{ path, text }])[0];
  if (file === undefined) throw new Error('no file');
  return { mutants: file.mutants.flat(), woven: weave(file, 0) };
}

/** What `f(...args)` answers with one mutant on; 0: none. */
function answer(text: string, number: number, ...args: readonly unknown[]): unknown {
  const woven = stripTypeScriptTypes(mutantsOf(text).woven.replaceAll('export ', ''));
  const world = { __mutants: { a: number, h: [] } };
  return new Script(
    `globalThis.__mutants = ${JSON.stringify(world.__mutants)}; ${woven}; f(...${JSON.stringify(args)})`,
  ).runInNewContext({});
}

const named = (mutants: readonly Mutant[]): readonly string[] =>
  mutants.map(({ original, change }) => `${original}: ${change.name}`);

describe('rules that are broken', () => {
  test.each([
    ['function f(a) { if (a) return 1; return 2; }', ['a: always', 'a: never', 'a: inverted']],
    [
      'function f(a, b) { g(a && b); }',
      ['a && b: only the left of &&', 'a && b: only the right of &&', 'a && b: && becomes ||'],
    ],
    ['function f(a) { g(a < 3); }', ['a < 3: < becomes <=', 'a < 3: < becomes >=']],
    ['function f(a) { g(a === 3); }', ['a === 3: === becomes !==']],
    ['function f(a) { assertOpen(a); }', ['assertOpen(a);: left out']],
    [`const T = new Set(['x', 'y']);`, [`'x': left out`, `'y': left out`]],
    [`function f() { return permit('a', 'b'); }`, [`permit('a', 'b'): permit becomes deny`]],
    [`function f(r) { return is(r, 'admin'); }`, [`'admin': admin becomes operator`]],
    ['function f(a): boolean { return g(a); }', ['g(a): always', 'g(a): never', 'g(a): inverted']],
    ['function f(a) { return a.some(g); }', ['a.some(g): some becomes every']],
    ['function f(a) { while (a()) g(); }', ['a(): never']],
  ])('%s', (text, expected) => {
    expect(named(mutantsOf(text).mutants)).toEqual(expected);
  });

  test.each([
    `throw new AppError({ message: a ? 'b' : 'c' });`,
    'type A = B extends true ? true : false;',
    `import { a } from 'b';`,
    'deps.log.error({ a: a === b }, `x`);',
    `const a = \`\${b ?? c}\`;`,
    'const a = { message: b && c };',
  ])('words, types and logs hold none: %s', (text) => {
    expect(mutantsOf(`function f() {}\n${text}`).mutants).toEqual([]);
  });
});

test('each mutant changes what happens, and none changes it while it is off', () => {
  const text = 'export function f(a: number): string { if (a > 1 && a < 5) return "in"; return "out"; }';
  const { mutants } = mutantsOf(text);
  const answers = (number: number): string =>
    [0, 1, 2, 4, 5, 6].map((a) => answer(text, number, a)).join(' ');
  expect(answers(0)).toBe('out out in in out out');
  for (const { number, change } of mutants) expect(answers(number), change.name).not.toBe(answers(0));
  expect(mutants).toHaveLength(10);
});

test('an id survives other lines and another file of the package, not another text', () => {
  const ids = (text: string, path?: string): readonly string[] =>
    mutantsOf(text, path).mutants.map(({ id }) => id);
  const rule = 'function f(a) { if (a) return 1; }';
  expect(ids(`// more\n\nconst x = 1;\n${rule}`)).toEqual(ids(rule));
  expect(ids(rule, 'packages/domain/src/label/other.ts')).toEqual(ids(rule));
  expect(ids('function f(b) { if (b) return 1; }')).not.toEqual(ids(rule));
});

test('all rule files hold their mutants in whole syntax, each under an id of its own', () => {
  const files = findMutants(readRuleFiles());
  for (const file of files) parse({ path: file.source.path, text: weave(file, 0) });
  const ids = files.flatMap((file) => file.mutants.flat()).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const room of ['policy', 'label', 'approval', 'effect'])
    expect(
      files.some(({ source }) => source.path.startsWith(`packages/domain/src/${room}/`)),
      room,
    ).toBe(true);
  expect(ids.length).toBeGreaterThan(4_000);
}, 60_000);
