import { expect, test } from 'vitest';
import { parseJustified } from './justified.ts';

const page = (...rows: readonly string[]): string =>
  `# Page\n\n## Mutants that live\n\n| id | place | change | why |\n|---|---|---|---|\n${rows.join('\n')}\n\n## Next\n\n| a |\n`;

test('rows are read up to the next part', () => {
  expect(parseJustified(page('| 0123456789 | label.ts `join` | < becomes <= | the same value |'))).toEqual([
    { id: '0123456789', place: 'label.ts `join`', why: 'the same value' },
  ]);
});

test.each([['| 01234 | a | b | c |'], ['| 0123456789 | a | b |  |'], ['| 0123456789 | a |']])(
  'a malformed row is told: %s',
  (row) => {
    expect(() => parseJustified(page(row))).toThrow(row);
  },
);

test('a mutant is justified once', () => {
  const row = '| 0123456789 | a | b | c |';
  expect(() => parseJustified(page(row, row))).toThrow('twice');
  expect(() => parseJustified('# Page')).toThrow('no heading');
});
