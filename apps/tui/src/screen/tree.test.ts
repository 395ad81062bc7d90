import { describe, expect, test } from 'vitest';
import { branches, inTrees } from './tree.ts';

interface Node {
  readonly id: string;
  readonly parent?: string;
}
const about = { keyOf: (row: Node) => row.id, parentOf: (row: Node) => row.parent };

/** `b<a` is b below a. */
const nodes = (text: string): readonly Node[] =>
  text.split(' ').map((word) => {
    const [id = '', parent] = word.split('<');
    return parent === undefined ? { id } : { id, parent };
  });
const drawn = (rows: readonly Node[], keep: (row: Node) => boolean = () => true) => {
  const ordered = inTrees(rows, about);
  const shown = ordered.filter(keep);
  const lines = branches(shown, ordered, about);
  return shown.map((row) => `${lines.get(row)?.lines}${row.id}`);
};

describe('a tree of rows', () => {
  test('is a plain list where nothing came from anything', () => {
    expect(drawn(nodes('c b a'))).toEqual(['c', 'b', 'a']);
  });

  test('has what came from a row below it, with a line down to the last, where its newest stood', () => {
    expect(drawn(nodes('z d<b e<a c<b b<a a y'))).toEqual(['z', 'a', '├ e', '└ b', '  ├ d', '  └ c', 'y']);
    expect(drawn(nodes('f<b c<a b<a a'))).toEqual(['a', '├ c', '└ b', '  └ f']);
    expect(drawn(nodes('b<a f<c c<a a'))).toEqual(['a', '├ b', '└ c', '  └ f']);
    expect(drawn(nodes('f<b b<a c<a a'))).toEqual(['a', '├ b', '│ └ f', '└ c']);
  });

  test('goes on without rows that are not shown: the next one above holds', () => {
    const rows = nodes('d<c c<b b<a e<a a');
    expect(drawn(rows, (row) => row.id !== 'b' && row.id !== 'c')).toEqual(['a', '├ d', '└ e']);
    expect(drawn(rows, (row) => row.id !== 'a')).toEqual(['b', '└ c', '  └ d', 'e']);
  });

  test('takes a row whose parent is elsewhere for a root', () => {
    expect(drawn(nodes('b<gone c<b'))).toEqual(['b', '└ c']);
  });

  test('goes to the right only so far', () => {
    const chain = Array.from({ length: 12 }, (_, n) => (n === 0 ? 'n0' : `n${n}<n${n - 1}`)).join(' ');
    const lines = drawn(nodes(chain));
    expect(lines[6]).toBe('          └ n6');
    expect(lines.slice(7)).toEqual([7, 8, 9, 10, 11].map((n) => `          … └ n${n}`));
  });

  test('shows each row of a circle once', () => {
    const rows = nodes('b<a a<b c<a d<d');
    expect(
      inTrees(rows, about)
        .map((row) => row.id)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd']);
    expect(drawn(rows)).toHaveLength(4);
  });

  test('takes as many rows as a list may have in one chain', () => {
    const chain = Array.from({ length: 500 }, (_, n) => (n === 499 ? 'n499' : `n${n}<n${n + 1}`)).join(' ');
    expect(drawn(nodes(chain)).at(-1)).toContain('n0');
  });
});
