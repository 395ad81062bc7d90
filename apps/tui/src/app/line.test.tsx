import { render } from 'ink-testing-library';
import { describe, expect, test } from 'vitest';
import { line, Row, span } from './line.tsx';
import { cells } from './width.ts';

const frameOf = (row: Parameters<typeof Row>[0]): string => render(<Row {...row} />).lastFrame() ?? '';

describe('a row', () => {
  test.each([
    ['a second line', 'one\r\ntwo'],
    ['a jump of the cursor', 'one\u001b[2Jtwo'],
    ['a title of the window', '\u001b]0;PWNED\u0007two'],
    ['text that runs backwards', 'one\u202etwo'],
  ])('lets no text bring %s', (_name, text) => {
    const frame = frameOf({ line: line(text), width: 60 });
    expect(frame).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(frame).toContain('two');
  });

  test.each([1, 2, 7, 12])('takes at most %s columns, whatever is in it', (width) => {
    const parts = [span('界界界 of the garden'), span('👍🏽 and more', 'bad')];
    expect(cells(frameOf({ line: parts, width }))).toBeLessThanOrEqual(width);
  });
});
