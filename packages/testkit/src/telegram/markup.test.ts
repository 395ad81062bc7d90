import { expect, test } from 'vitest';
import { parseMarkup } from './markup.ts';

/** Types and the texts they mark, in the order of their ends. */
function marked(text: string, mode: string): readonly unknown[] {
  const parsed = parseMarkup(text, mode);
  return [
    parsed.text,
    ...parsed.entities.map(({ type, offset, length, url, language }) =>
      [type, parsed.text.slice(offset, offset + length), url ?? language].filter(
        (part) => part !== undefined,
      ),
    ),
  ];
}

test.each<[text: string, ...expected: unknown[]]>([
  ['<b>a<i>😀</i></b> &lt;&amp;&#33;&nbsp;', 'a😀 <&!&nbsp;', ['italic', '😀'], ['bold', 'a😀']],
  ['<a href="https://a.b/?x=1&amp;y">z</a>', 'z', ['text_link', 'z', 'https://a.b/?x=1&y']],
  ['<pre><code class="language-ts">x</code></pre>', 'x', ['code', 'x'], ['pre', 'x']],
])('HTML %s', (text, ...expected) => {
  expect(marked(text, 'HTML')).toEqual(expected);
});

test.each<[text: string, ...expected: unknown[]]>([
  [
    '*a* _b_ __c__ ~d~ ||e||',
    'a b c d e',
    ['bold', 'a'],
    ['italic', 'b'],
    ['underline', 'c'],
    ['strikethrough', 'd'],
    ['spoiler', 'e'],
  ],
  ['a\\.b\\*', 'a.b*'],
  ['`a*\\`b`', 'a*`b', ['code', 'a*`b']],
  ['```ts\nx\\\\y\n```', 'x\\y\n', ['pre', 'x\\y\n', 'ts']],
  ['[a](https://b.c/\\))', 'a', ['text_link', 'a', 'https://b.c/)']],
  ['>quote\n>more', 'quote\nmore'],
])('MarkdownV2 %s', (text, ...expected) => {
  expect(marked(text, 'MarkdownV2')).toEqual(expected);
});

test.each([
  ['HTML', '<b>a', `Can't find end tag corresponding to start tag "b"`],
  ['HTML', '<b>a</i>', 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
  ['HTML', 'ä</b>', 'Unexpected end tag at byte offset 2'],
  ['HTML', '<div>a</div>', 'Unsupported start tag "div" at byte offset 0'],
  ['HTML', 'a < b', 'Unclosed start tag at byte offset 2'],
  ['HTML', '<constructor>', 'Unsupported start tag "constructor"'],
  ['MarkdownV2', '*a', "Can't find end of Bold entity at byte offset 0"],
  ['MarkdownV2', '*a _b* c_', "Can't find end of Italic entity at byte offset 3"],
  ['MarkdownV2', 'a.', "Character '.' is reserved and must be escaped with the preceding '\\'"],
  ['MarkdownV2', 'ä `b', "Can't find end of Code entity at byte offset 3"],
  ['MarkdownV2', '[a] b', "Can't find end of TextUrl entity at byte offset 0"],
  ['Markdown', '_a', "Can't find end of the entity starting at byte offset 0"],
])('%s refuses %s', (mode, text, why) => {
  expect(() => parseMarkup(text, mode)).toThrow(`Bad Request: can't parse entities: ${why}`);
});

test('an unknown dialect is refused', () => {
  expect(() => parseMarkup('a', 'rtf')).toThrow('Bad Request: unsupported parse_mode');
});
