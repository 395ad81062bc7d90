import { describe, expect, test } from 'vitest';
import { factLines, textLines } from './facts.ts';
import { endOf } from './people.ts';
import { readValue } from './settings.ts';
import { sparkline } from './spark.ts';
import { ageText } from './time.ts';

const texts = (lines: readonly (readonly { readonly text: string }[])[]): readonly string[] =>
  lines.map((line) => line.map((part) => part.text).join(''));

describe('facts and texts as lines', () => {
  test('long values go on under themselves, and undefined ones are left out', () => {
    expect(
      texts(
        factLines(
          [
            ['a', 'one two three'],
            ['bb', undefined],
            ['ccc', 4],
          ],
          14,
        ),
      ),
    ).toEqual([' a    one two', '      three', ' ccc  4']);
  });

  test('hidden characters are spelt out before a line is broken', () => {
    expect(texts(textLines('a\u200bb\rc', 40))).toEqual([' a⟨U+200B⟩b⟨U+000D⟩c']);
  });
});

describe('small words', () => {
  test.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3 * 3_600_000, '3 h'],
    [48 * 3_600_000, '2 d'],
  ] as const)('%s ms', (ms, text) => {
    expect(ageText(ms)).toBe(text);
  });

  test('bars are scaled to the highest, and only nothing is flat', () => {
    expect(sparkline([0, 1, 1_000], 10)).toBe('▁▂█');
    expect(sparkline([1, 2, 3, 4], 2)).toBe('▇█');
    expect(sparkline([0, 0], 5)).toBe('▁▁');
  });
});

describe('what a person typed', () => {
  const now = Date.UTC(2026, 10, 30, 12);

  test('an end is a span or a date, and lies ahead', () => {
    expect(endOf('', now)).toBeNull();
    expect(endOf('12h', now)).toBe('2026-12-01T00:00:00.000Z');
    expect(endOf('2027-01-31', now)).toBe('2027-01-31T00:00:00.000Z');
    for (const wrong of ['soon', '2020-01-01', '3 years', '0d']) expect(() => endOf(wrong, now)).toThrow('"');
  });

  test('a setting takes its own kind of value', () => {
    const whole = { name: 'n', about: '', kind: { kind: 'whole' }, isInherited: true } as const;
    expect(readValue(whole, ' 5 ')).toBe(5);
    expect(readValue(whole, 'inherit')).toBeNull();
    for (const wrong of ['', '1.5', 'x', 'Infinity'])
      expect(() => readValue(whole, wrong)).toThrow('whole number');
    expect(readValue({ name: 'n', about: '', kind: { kind: 'names' } }, 'a, b,,')).toEqual(['a', 'b']);
    expect(readValue({ name: 'n', about: '', kind: { kind: 'text' } }, 'inherit')).toBe('inherit');
  });
});
