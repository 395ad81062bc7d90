import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText } from './text.fixture.ts';
import { cutText, hasHidden, oneLine, showHidden } from './visible.ts';

const HIDDEN_SAMPLES = [
  0x00, 0x07, 0x0d, 0x1b, 0x7f, 0x85, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180b, 0x180e, 0x200b,
  0x200d, 0x200e, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x206f, 0x2800, 0x3164, 0xfe0f,
  0xfeff, 0xffa0, 0xfff9, 0x1bca0, 0x1d159, 0x1d173, 0xe0001, 0xe0041, 0xe0100, 0xe000, 0xf0000, 0x10fffd,
];

describe('hidden characters', () => {
  it.each(HIDDEN_SAMPLES)('U+%i is spelled out', (code) => {
    const text = `a${String.fromCodePoint(code)}b`;
    expect(hasHidden(text)).toBe(true);
    expect(showHidden(text)).toBe(`a⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩b`);
  });

  it('a lone surrogate is spelled out', () => {
    expect(showHidden('a\ud800b')).toBe('a⟨U+D800⟩b');
  });

  it('ordinary text stays: letters of all scripts, emoji, newline, tab', () => {
    for (const text of ['Grüße, 你好 שלום नमस्ते', '😀🎉', 'a\n\tb', 'a b', '']) {
      expect(hasHidden(text)).toBe(false);
      expect(showHidden(text)).toBe(text);
    }
  });

  it('nothing hidden is left, and twice is once', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = showHidden(text);
        expect(hasHidden(shown)).toBe(false);
        expect(showHidden(shown)).toBe(shown);
        expect(hasHidden(text)).toBe(shown !== text);
      }),
    );
  });
});

describe('one line', () => {
  it('has no line break, keeps its length and never halves a character', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, max) => {
        const line = oneLine(text, max);
        expect(line).not.toMatch(/[\n\r\u2028\u2029\t]/);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(line.isWellFormed()).toBe(true);
      }),
    );
  });

  it('folds white space and marks the cut', () => {
    expect(oneLine('  a \r\n\t b ', 20)).toBe('a b');
    expect(oneLine('abcdef', 4)).toBe('abc…');
    expect(oneLine('abcd', 4)).toBe('abcd');
    expect(cutText('ab😀', 3)).toBe('ab');
    expect(cutText('ab😀', 4)).toBe('ab😀');
    expect(cutText('abc', 0)).toBe('');
  });
});
