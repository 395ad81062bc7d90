import { describe, expect, it } from 'vitest';
import { lineDiff } from './diff.ts';

describe('lineDiff', () => {
  it('shows removals first, three lines around, and where it is', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
    expect(lineDiff(before, before.replace('e', 'E\nEE'))).toEqual({
      added: 2,
      removed: 1,
      text: '@@ -2 +2 @@\n b\n c\n d\n-e\n+E\n+EE\n f\n g\n h',
      isCut: false,
    });
  });

  it('keeps far changes apart, and moves nothing that is common', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const after = lines.toSpliced(20, 1, 'other').toSpliced(2, 1);
    const { text, added, removed } = lineDiff(`${lines.join('\n')}\n`, `${after.join('\n')}\n`);
    expect([added, removed]).toEqual([1, 2]);
    expect(text.split('\n').filter((line) => /^(@@|[-+])/.test(line))).toEqual([
      '@@ -1 +1 @@',
      '-line 2',
      '@@ -18 +17 @@',
      '-line 20',
      '+other',
    ]);
  });

  it('a new file is all additions, an emptied one all removals, the same one nothing', () => {
    expect(lineDiff('', 'a\nb\n').text).toBe('@@ -1 +1 @@\n+a\n+b');
    expect(lineDiff('a\n', '').text).toBe('@@ -1 +1 @@\n-a');
    expect(lineDiff('a\n', 'a\n')).toEqual({ added: 0, removed: 0, text: '', isCut: false });
  });

  it('a missing last line break is a change like any other', () => {
    expect(lineDiff('a\n', 'a').text).toBe('@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file');
  });

  it('is bounded, and counts what it does not show', () => {
    const many = (word: string) => `${Array.from({ length: 2_000 }, (_, n) => word + n).join('\n')}\n`;
    const diff = lineDiff(many('old'), many('new'));
    expect(diff).toMatchObject({ added: 2_000, removed: 2_000, isCut: true });
    expect(diff.text.split('\n')).toHaveLength(1_000);
    const long = lineDiff('', 'x'.repeat(200_000));
    expect(long).toMatchObject({ added: 1, isCut: true });
    expect(long.text).toHaveLength(100_000);
  });
});
