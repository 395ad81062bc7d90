import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anyText,
  hostileTexts,
  misplacedWords,
  missingWords,
  naughtyStrings,
  wordedMarkdown,
} from './markdown.fixture.ts';
import { renderTelegram, type TelegramPart } from './telegram.ts';

const one = (markdown: string): TelegramPart => {
  const parts = renderTelegram(markdown);
  expect(parts).toHaveLength(1);
  return parts[0] ?? { text: '', entities: [] };
};
const textOf = (markdown: string): string => one(markdown).text;
/** `bold:words`, `text_link:words:url`, `pre:words:language`. */
const marksOf = (markdown: string): readonly string[] =>
  one(markdown).entities.map((entity) => {
    const words = one(markdown).text.slice(entity.offset, entity.offset + entity.length);
    const more =
      entity.type === 'text_link'
        ? `:${entity.url}`
        : entity.type === 'pre'
          ? `:${entity.language ?? ''}`
          : '';
    return `${entity.type}:${words}${more}`;
  });

describe('renderTelegram', () => {
  test('text without Markdown is the same text, with no entity', () => {
    for (const text of [
      'Hello you.',
      'Two\n\n\nlines   wide',
      'a & b; 3 x 4 @ 5! (really?)',
      'https://a.example/b?c=d&e=f',
    ])
      expect(one(text)).toEqual({ text, entities: [] });
  });

  test('styles', () => {
    expect(one('**a** *b* ~~c~~ `d`')).toEqual({
      text: 'a b c d',
      entities: [
        { type: 'bold', offset: 0, length: 1 },
        { type: 'italic', offset: 2, length: 1 },
        { type: 'strikethrough', offset: 4, length: 1 },
        { type: 'code', offset: 6, length: 1 },
      ],
    });
    expect(marksOf('***a** b*')).toEqual(['italic:a b', 'bold:a']);
    expect(marksOf('**a **b** c**')).toEqual(['bold:a b c']);
  });

  test('offsets count UTF-16 units', () => {
    expect(one('\u{1f331} **a\u{1f331}**').entities).toEqual([{ type: 'bold', offset: 3, length: 3 }]);
  });

  test('a style is cut around code', () => {
    expect(marksOf('**a `b` c**')).toEqual(['bold:a', 'code:b', 'bold:c']);
    expect(marksOf('# a `b`')).toEqual(['bold:a', 'code:b']);
    expect(marksOf('[a `b`](https://x.example)')).toEqual(['text_link:a b:https://x.example']);
  });

  test('headings, rules, quotes', () => {
    expect(textOf('# One\ntext\n\n---\n\nmore')).toBe('One\ntext\n\n──────────\n\nmore');
    expect(marksOf('# One\ntext')).toEqual(['bold:One']);
    expect(marksOf('> a\n> > b')).toEqual(['blockquote:a\nb']);
    expect(marksOf(`> ${'long '.repeat(200)}`)[0]).toMatch(/^expandable_blockquote:long/);
    expect(marksOf('> line\n'.repeat(9))[0]).toMatch(/^expandable_blockquote:line/);
  });

  test('lists', () => {
    expect(textOf('- a\n- b\n  more\n  - c\n\n3. d\n4. e')).toBe('• a\n• b\n  more\n  • c\n\n3. d\n4. e');
    expect(textOf('1) a\n2) b')).toBe('1) a\n2) b');
    expect(textOf('- a\n\n- b')).toBe('• a\n\n• b');
    expect(textOf('- [ ] a\n- [x] b')).toBe('☐ a\n☑ b');
  });

  test('code blocks keep their bytes; what is no language is said', () => {
    expect(one('Look:\n\n```ts\na  *b*\n\n  c\n```\nDone')).toEqual({
      text: 'Look:\n\na  *b*\n\n  c\nDone',
      entities: [{ type: 'pre', offset: 7, length: 11, language: 'ts' }],
    });
    expect(marksOf('```not a language\nx\n```')).toEqual(['pre:a language\nx:not']);
    expect(one('```ts\n```')).toEqual({ text: 'ts', entities: [] });
    expect(marksOf('```a,b\nx')).toEqual(['pre:a,b\nx:']);
    expect(marksOf('- a\n\n  ```\n  b\n    c\n  ```')).toEqual(['pre:b\n  c:']);
    expect(marksOf('    a\n    b')).toEqual(['pre:a\nb:']);
  });

  test('links: only where Telegram opens them, and only targets that stand in the text', () => {
    expect(marksOf('[a](https://x.example/b_c) and [d](tg://resolve?domain=e)')).toEqual([
      'text_link:a:https://x.example/b_c',
      'text_link:d:tg://resolve?domain=e',
    ]);
    for (const [markdown, text] of [
      ['[a](javascript:alert)', 'a (javascript:alert)'],
      ['[a](mailto:b@c.example)', 'a (mailto:b@c.example)'],
      ['[a](notes/b.md)', 'a (notes/b.md)'],
      ['[a](tg://user?id=7)', 'a (tg://user?id=7)'],
      ['[https://good.example](https://bad.example)', 'https://good.example (https://bad.example)'],
      ['[a]()', 'a'],
      ['[](https://x.example)', 'https://x.example'],
      ['<https://x.example/a_b_>', 'https://x.example/a_b_'],
      ['https://x.example/__init__.py *', 'https://x.example/__init__.py *'],
    ] as const)
      expect(one(markdown)).toEqual({ text, entities: [] });
    expect(marksOf('![a](https://x.example/b.png)')).toEqual(['text_link:a:https://x.example/b.png']);
  });

  test('references find their definition anywhere; one that nobody uses stays visible', () => {
    expect(one('[a][x] and [X]\n\ntext\n\n[x]: https://x.example')).toEqual({
      text: 'a and X\n\ntext',
      entities: [
        { type: 'text_link', offset: 0, length: 1, url: 'https://x.example' },
        { type: 'text_link', offset: 6, length: 1, url: 'https://x.example' },
      ],
    });
    expect(textOf('[note]: remember\n\ntext')).toBe('[note]: remember\n\ntext');
    expect(textOf('a[^1]\n\nb\n\n[^1]: c')).toBe('a[1]\n\nb\n\n[1] c');
  });

  test('nothing arises that the filter of replies could not see', () => {
    // The star sends it through the parser, which would decode them.
    expect(textOf('*a* &#64;ada https&#58;//x.example evil&period;example')).toBe(
      'a &#64;ada https&#58;//x.example evil&period;example',
    );
    expect(textOf('@*ada* @[ada](x) @`ada`')).not.toMatch(/@ada/);
    for (const joined of ['evil.[com](x)', 'evil[.]()com', 'evil.![](com)', 'evil.[com][x]\n\n[x]: y'])
      expect(textOf(joined)).not.toMatch(/evil\.com/);
    expect(textOf('see ([a](b)).')).toBe('see (a (b)).');
  });

  test('HTML is text', () => {
    expect(one('<b>a</b> <script>\n*b*\n</script>').text).toBe('<b>a</b> <script>\nb\n</script>');
    expect(textOf('<div>\n\na\n\n</div>')).toBe('<div>\n\na\n\n</div>');
  });

  test('a small table is a grid, a wide one or one with links is a group of lines per row', () => {
    expect(one('|a|b b|\n|-|-|\n|ccc|日本|\n')).toEqual({
      text: 'a    b b\n───  ────\nccc  日本',
      entities: [{ type: 'pre', offset: 0, length: 26 }],
    });
    const long = 'long '.repeat(10).trim();
    expect(textOf(`|name|what|\n|-|-|\n|a|${long}|\n|b||`)).toBe(
      `name: a\nwhat: ${long}\n\nname: b\nwhat: –`,
    );
    expect(marksOf('|a|\n|-|\n|[b](https://x.example)|')).toEqual(['text_link:b:https://x.example']);
  });
});

describe('parts', () => {
  test('are cut between paragraphs, and a block that is cut is a block in both', () => {
    const code = Array.from({ length: 60 }, (_, at) => `const line${at} = ${at};`).join('\n');
    const parts = renderTelegram(
      `${'a '.repeat(149)}a\n\n${'**b** '.repeat(19)}b\n\n\`\`\`ts\n${code}\n\`\`\`\n\nend`,
      { limit: 400 },
    );
    expect(parts[0]?.text).toBe(`${'a '.repeat(149)}a\n\n${'b '.repeat(19)}b`);
    expect(parts.length).toBeGreaterThan(3);
    const blocks = parts.flatMap(({ text, entities }) =>
      entities
        .filter(({ type }) => type === 'pre')
        .map((pre) => ({ pre, words: text.slice(pre.offset, pre.offset + pre.length) })),
    );
    expect(blocks.length).toBeGreaterThan(2);
    expect(blocks.map(({ words }) => words).join('\n')).toBe(code);
    for (const { pre } of blocks) expect(pre).toMatchObject({ language: 'ts' });
  });

  test('over a hundred entities only links and blocks stay', () => {
    expect(one('**a** '.repeat(101)).entities).toEqual([]);
    expect(one('**a** '.repeat(100)).entities).toHaveLength(100);
    expect(marksOf(`${'**a** '.repeat(101)}[b](https://x.example)`)).toEqual([
      'text_link:b:https://x.example',
    ]);
  });

  test('white space alone is no part', () => {
    for (const text of ['', ' \n\n ', '\0', '\u202e', '```\n```', '[a]: <>'])
      expect(renderTelegram(text).length).toBeLessThan(2);
    expect(renderTelegram(' \n ')).toEqual([]);
  });
});

/** What Telegram demands of a message and its entities. */
function expectValid(parts: readonly TelegramPart[], limit: number): void {
  for (const { text, entities } of parts) {
    expect(text.length).toBeLessThanOrEqual(limit);
    expect(text.trim()).toBe(text);
    expect(text).not.toBe('');
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f\u202a-\u202e]/);
    expect(entities.length).toBeLessThanOrEqual(100);
    const open: TelegramPart['entities'][number][] = [];
    let last = 0;
    for (const entity of entities) {
      const words = text.slice(entity.offset, entity.offset + entity.length);
      expect(entity.length).toBeGreaterThan(0);
      expect(entity.offset + entity.length).toBeLessThanOrEqual(text.length);
      expect(entity.offset).toBeGreaterThanOrEqual(last);
      expect(words.trim()).toBe(words);
      expect(words.isWellFormed()).toBe(true);
      last = entity.offset;
      while ((open.at(-1)?.offset ?? 0) + (open.at(-1)?.length ?? 0) <= entity.offset && open.length > 0)
        open.pop();
      for (const outer of open) {
        expect(entity.offset + entity.length).toBeLessThanOrEqual(outer.offset + outer.length);
        expect(['code', 'pre', entity.type]).not.toContain(outer.type);
        if (entity.type === 'code' || entity.type === 'pre') expect(outer.type).toMatch(/blockquote/);
      }
      open.push(entity);
    }
  }
}

describe('any text', { timeout: 120_000 }, () => {
  test('is rendered, the same each time, in valid parts', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 100, max: 400 }), (text, limit) => {
        const parts = renderTelegram(text, { limit });
        expectValid(parts, limit);
        expect(renderTelegram(text, { limit })).toEqual(parts);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps its words, in order', () => {
    fc.assert(
      fc.property(wordedMarkdown(40), fc.integer({ min: 100, max: 400 }), (worded, limit) => {
        const parts = renderTelegram(worded.text, { limit });
        expectValid(parts, limit);
        // A language or a target of a link is no text.
        expect(missingWords(JSON.stringify(parts), worded)).toEqual([]);
        expect(misplacedWords(parts.map(({ text }) => text).join('\n'), worded)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('hostile texts end soon', () => {
    for (const [name, text] of hostileTexts(30_000)) {
      const began = process.cpuUsage().user;
      const parts = renderTelegram(text);
      expectValid(parts, 4_096);
      expect(JSON.stringify(parts).length, name).toBeLessThan(text.length * 6 + 1_000);
      expect((process.cpuUsage().user - began) / 1_000, name).toBeLessThan(5_000);
    }
  });

  test('public collection of naughty strings', () => {
    for (const text of naughtyStrings()) expectValid(renderTelegram(text), 4_096);
  });
});
