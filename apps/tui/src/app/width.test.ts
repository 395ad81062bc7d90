import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import stringWidth from './string-width.ts';
import { cells, chop, fit, pad, wrap } from './width.ts';

// What ink itself measures with; it is no dependency of ours, so it is looked up from where ink lies.
const fromHere = createRequire(import.meta.url);
const fromInk = createRequire(fromHere.resolve('ink'));
const { default: inkWidth } = (await import(pathToFileURL(fromInk.resolve('string-width')).href)) as {
  default: (text: string) => number;
};

const TEXTS = [
  '',
  'plain',
  'ありがとう',
  'e\u0301a\u0308',
  '👍🏽',
  '🇩🇪🇫🇷',
  '한국어',
  'a\u0300\u0301\u0302b',
  '｡ｶﾞ',
  'ﷺ',
  '👨‍👩‍👧',
];

describe('columns of a text', () => {
  test.each(TEXTS)('%s takes as many as ink thinks', (text) => {
    expect(cells(text)).toBe(inkWidth(text));
  });

  test.each(TEXTS)('%s takes as many in what stands in for the library, also among colours', (text) => {
    const coloured = `\u001b[31m${text}\u001b[39m`;
    expect(stringWidth(coloured)).toBe(inkWidth(coloured));
    expect(stringWidth(text)).toBe(inkWidth(text));
  });

  test('every character that is assigned takes as many as ink thinks', () => {
    const wrong: string[] = [];
    for (let code = 0x20; code < 0x32000; code += 1) {
      const char = String.fromCodePoint(code);
      if (/[\p{Cn}\p{Cs}\p{Cc}]/u.test(char)) continue;
      if (cells(char) !== inkWidth(char)) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test('a text that is fitted is never wider than its room, and says that it was cut', () => {
    const part = fc.constantFrom(...TEXTS, 'x', ' ', '界');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.integer({ min: 0, max: 20 }), (parts, width) => {
        const text = parts.join('');
        const cut = fit(text, width);
        expect(inkWidth(cut)).toBeLessThanOrEqual(width);
        if (width > 0 && cells(text) > width) expect(cut.endsWith('…')).toBe(true);
        expect(cells(pad(text, width))).toBe(width);
      }),
    );
  });

  test('a text that is chopped is whole, and no line is too wide', () => {
    const part = fc.constantFrom(...TEXTS, 'x', '  ', '界');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.integer({ min: 2, max: 20 }), (parts, width) => {
        const text = parts.join('');
        const lines = chop(text, width);
        expect(lines.join('')).toBe(text);
        for (const line of lines) expect(cells(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  test('words are broken at blanks where there are some', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('a\n\nb', 9)).toEqual(['a', '', 'b']);
    expect(wrap('界界界', 5)).toEqual(['界界', '界']);
  });
});
