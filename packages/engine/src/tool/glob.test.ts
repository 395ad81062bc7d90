import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesGlob } from './glob.ts';

describe('matchesGlob', () => {
  test.each([
    ['notes/a.md', 'notes/*.md', true],
    ['notes/deep/a.md', 'notes/*.md', false],
    ['notes/deep/a.md', 'notes/**', true],
    ['notes/a.md', '**/a.md', true],
    ['a.md', '**/a.md', true],
    ['x/y/z/a.md', 'x/**/a.md', true],
    ['x/a.md', 'x/**/a.md', true],
    ['Notes/A.md', 'notes/a.MD', true],
    ['notes/ab.md', 'notes/a?.md', true],
    ['notes/a.md', 'notes/a?.md', false],
    ['notes/a.md', '', false],
    ['notes/a.md', '*', false],
    ['notes/a.md', 'notes', false],
    ['a/b', '**', true],
    ['a/b', '**/**', true],
    ['a/b/c', '**/c/**', true],
    ['a/b/c', '**/a', false],
    ['a', 'a/**', true],
    ['b', 'a/**', false],
    ['ab', '*', true],
    ['ab', '**b', true],
    ['b', 'a*', false],
    ['ba', 'a*', false],
    ['ab', 'a*b', true],
    ['acb', 'a*b', true],
    ['ac', 'a*b', false],
    ['a+b.md', 'a+b.md', true],
    ['aab.md', 'a+b.md', false],
  ])('%s against %s: %s', (path, pattern, expected) => {
    expect(matchesGlob(path, pattern)).toBe(expected);
  });

  test('takes no longer for a pattern made to be slow', () => {
    const path = `${'a'.repeat(300)}.md`;
    expect(matchesGlob(path, `${'*a'.repeat(90)}*x`)).toBe(false);
    expect(matchesGlob('a/'.repeat(100), `${'**/'.repeat(60)}x`)).toBe(false);
  });

  test('agrees with the plain meaning of its three signs', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 4 });
    const piece = fc.oneof(part, fc.constantFrom('*', '**', 'a*', '*b', '?', 'a?'));
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.array(piece, { maxLength: 4 }),
        (path, pattern) => {
          expect(matchesGlob(path.join('/'), pattern.join('/'))).toBe(plainly(path, pattern));
        },
      ),
    );
  });
});

/** The same meaning, written slowly: try every way. */
function plainly(path: readonly string[], pattern: readonly string[]): boolean {
  const [want, ...later] = pattern;
  if (want === undefined) return pattern.length === 0 && path.length === 0;
  if (want === '**') return plainly(path, later) || (path.length > 0 && plainly(path.slice(1), pattern));
  const [part, ...rest] = path;
  if (part === undefined) return false;
  const form = want.replace(/[.]/g, '\\.').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${form}$`).test(part) && plainly(rest, later);
}
