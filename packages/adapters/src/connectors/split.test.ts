import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitText } from './split.ts';

const lineOf = (word: string, length: number): string =>
  `${word} `
    .repeat(Math.ceil(length / (word.length + 1)))
    .slice(0, length)
    .trim();

describe('splitText', () => {
  test('a short text is one part, as it is; an empty one too', () => {
    expect(splitText('Hello\n\nyou', 100)).toEqual(['Hello\n\nyou']);
    expect(splitText('', 100)).toEqual(['']);
  });

  test('cuts between paragraphs if it can', () => {
    const [a, b] = [lineOf('alpha', 70), lineOf('beta', 70)];
    expect(splitText(`${a}\n\n${b}`, 100)).toEqual([a, b]);
  });

  test('else between lines, sentences, words, and at last in the middle of a word', () => {
    const [a, b] = [lineOf('alpha', 70), lineOf('beta', 70)];
    expect(splitText(`${a}\n${b}`, 100)).toEqual([a, b]);
    expect(splitText(`${a}. ${b}`, 100)).toEqual([`${a}.`, b]);
    expect(splitText('x'.repeat(150), 100).map((part) => part.length)).toEqual([88, 62]);
  });

  test('a character of two units is never torn', () => {
    for (let shift = 0; shift < 4; shift += 1) {
      for (const part of splitText(`${'a'.repeat(shift)}${'\u{1f331}'.repeat(200)}`, 101))
        expect(part.isWellFormed()).toBe(true);
    }
  });

  test('a code block that is cut is closed and opened again, with its language', () => {
    const code = Array.from({ length: 20 }, (_, index) => `const line${index} = ${index};`);
    const parts = splitText(`Look:\n\n\`\`\`ts\n${code.join('\n')}\n\`\`\`\n\nDone.`, 160);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(160);
      expect((part.match(/^```/gm) ?? []).length % 2).toBe(0);
    }
    for (const part of parts.slice(1, -1)) expect(part.startsWith('```ts\n')).toBe(true);
    const said = parts
      .join('\n')
      .split('\n')
      .filter((line) => !line.startsWith('```') && line !== '');
    expect(said).toEqual(['Look:', ...code, 'Done.']);
  });

  test('an endless fence mark is no fence', () => {
    for (const part of splitText(`${'`'.repeat(500)}\n${'word '.repeat(100)}`, 120))
      expect(part.length).toBeLessThanOrEqual(120);
  });

  test('any text: parts fit, nothing but white space and fences is added or lost', () => {
    const piece = fc.constantFrom(
      'word',
      'a much longer word-like-thing',
      '\n',
      '\n\n',
      ' ',
      '. ',
      '```',
      '```ts\n',
      '\n```\n',
      '~~~\n',
      '\u{1f331}',
      '# H\n',
      '- item\n',
    );
    const letters = (text: string): string =>
      text.replace(/^ {0,3}(?:`{3,10}|~{3,10})[^`\n]*$/gm, '').replace(/[\s`~]+/g, '');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 400 }),
        fc.integer({ min: 100, max: 300 }),
        (pieces, limit) => {
          const text = pieces.join('');
          const parts = splitText(text, limit);
          for (const part of parts) expect(part.length).toBeLessThanOrEqual(limit);
          expect(parts).toEqual(splitText(text, limit));
          // Opening a block again repeats its language, so only plain text is compared letter by letter.
          if (!/[`~]{3}/.test(text)) expect(letters(parts.join('\n'))).toBe(letters(text));
        },
      ),
      { numRuns: 300 },
    );
  });
});
