import { makeLabel } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { capped, lineCount, staffUrls } from './result.ts';

const NOTE = '\n[cut: ask for a smaller part]';

describe('a result', () => {
  test('lends its links only where staff wrote what it shows', () => {
    const result = (integrity: 0 | 1 | 2 | 3, paths: readonly string[]) => ({
      text: 'see https://a.example/x now',
      label: makeLabel(integrity),
      sources: paths.map((path) => ({ path, lines: 1 })),
    });
    expect(staffUrls(result(2, ['a.md']))).toEqual(['https://a.example/x']);
    expect(staffUrls(result(3, ['a.md']))).toHaveLength(1);
    expect(staffUrls(result(1, ['a.md']))).toEqual([]);
    expect(staffUrls(result(2, []))).toEqual([]);
  });

  test.each([
    ['fits to the byte', 'x'.repeat(60), 60, 'x'.repeat(60)],
    ['is cut where it does not', 'x'.repeat(61), 60, `${'x'.repeat(60 - NOTE.length)}${NOTE}`],
    ['is cut at a line', `a\nb\n${'x'.repeat(90)}`, 60, `a\nb${NOTE}`],
    [
      'that begins with an empty line is more than that',
      `\n${'x'.repeat(90)}`,
      NOTE.length + 3,
      `\nxx${NOTE}`,
    ],
    ['has room for the note at least', 'x'.repeat(90), 5, NOTE],
    ['keeps whole characters', `${'ä'.repeat(90)}`, NOTE.length + 3, `ä${NOTE}`],
  ])('%s', (_name, text, maxBytes, expected) => {
    expect(capped(text, maxBytes)).toBe(expected);
  });

  test('counts lines as people do', () => {
    expect(['', 'a', 'a\n', 'a\nb', 'a\n\n'].map(lineCount)).toEqual([0, 1, 1, 2, 2]);
  });
});
