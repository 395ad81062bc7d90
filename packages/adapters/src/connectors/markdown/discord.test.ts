import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderDiscord } from './discord.ts';
import {
  anyText,
  hostileTexts,
  misplacedWords,
  missingWords,
  naughtyStrings,
  wordedMarkdown,
} from './markdown.fixture.ts';

const one = (markdown: string): string => {
  const parts = renderDiscord(markdown);
  expect(parts).toHaveLength(1);
  return parts[0] ?? '';
};

describe('renderDiscord', () => {
  test('what Discord reads as well stays byte for byte', () => {
    for (const text of [
      'Hello you.\n\n\nTwo   lines',
      '# One\n**a** *b* _c_ ~~d~~ `e` ||f||\n\n- a\n  - b\n1. c\n\n> d\n\n[e](https://x.example/a_b) <https://y.example>',
      'a\n\n```ts\nconst a = `*b*`;\n\n\n```\nb',
      'https://x.example/__init__.py \\*a\\* 2 * 3 snake_case_name &amp; <b>c</b>',
    ])
      expect(one(text)).toBe(text);
  });

  test('headings that Discord does not know', () => {
    expect(one('#### a **b** __c__ `d`')).toBe('**a b c `d`**');
    expect(one('One\n===\ntext\n\nTwo\n---')).toBe('# One\ntext\n\n## Two');
    expect(one('One\ntwo\n===')).toBe('**One\ntwo**');
    expect(one('[x]: y\nOne\n===')).toBe('[x]: y\n# One');
  });

  test('task lists, rules, underlined bold, backslashes at the end of a line', () => {
    expect(one('- [ ] a\n- [x] b\n  - [X] c')).toBe('- ☐ a\n- ☑ b\n  - ☑ c');
    expect(one('a\n\n***\n\nb')).toBe('a\n\n──────────\n\nb');
    expect(one('__a__ and __b *c*__')).toBe('**a** and **b *c***');
    expect(one('a\\\nb')).toBe('a\nb');
  });

  test('images and references are links; targets that are no address are said', () => {
    expect(one('![a](https://x.example/b.png) ![](https://x.example/c.png)')).toBe(
      '[a](https://x.example/b.png) https://x.example/c.png',
    );
    expect(one('[a *b*][x] [x]\n\n[x]: https://x.example')).toBe(
      '[a *b*](https://x.example) [x](https://x.example)',
    );
    expect(one('[a][x] ![b](c.png)\n\n[x]: notes/a.md')).toBe('[a] (notes/a.md) [b] (c.png)');
    expect(one('[note]: remember\n\ntext')).toBe('[note]: remember\n\ntext');
    expect(one('a[^1]\n\n[^1]: b')).toBe('a[1]\n\n[1] b');
  });

  test('a small table is a code block, a wide one or one with links is lines', () => {
    expect(one('a\n\n|b|c|\n|-|-|\n|1|`2`|\n\nd')).toBe('a\n\n```\nb  c\n─  ─\n1  2\n```\n\nd');
    const long = 'long '.repeat(20).trim();
    expect(one(`|a|b|\n|-|-|\n|1|${long}|\n||**2**|`)).toBe(
      `**a:** 1\n**b:** ${long}\n\n**a:** –\n**b:** **2**`,
    );
    expect(one('|**a**|\n|-|\n|[b][x]|\n\n[x]: https://x.example')).toBe('**a:** [b](https://x.example)');
  });

  test('code of other fences, in lists and in quotes, becomes a block at the left edge', () => {
    expect(one('~~~py\na\n~~~')).toBe('```py\na\n```');
    expect(one('    a\n     b')).toBe('```\na\n b\n```');
    expect(one('- a\n\n  ```ts\n  b\n    c\n  ```\n- d')).toBe('- a\n\n```ts\nb\n  c\n```\n- d');
    expect(one('> ```\n> a\n> ```\n> b')).toBe('```\na\n```\n> b');
    expect(one('- ```\n  a\n\n> b')).toBe('- \n```\na\n```\n\n> b');
    expect(one('```ts\nopen')).toBe('```ts\nopen\n```');
  });

  test('nothing breaks out of a code block, nothing outside opens one', () => {
    const inner = one('````md\n```\n[a](https://x.example)\n```\n````');
    expect(inner.match(/```/g)).toHaveLength(2);
    expect(inner.startsWith('```md\n') && inner.endsWith('\n```')).toBe(true);
    const outer = one('a ``` b\n\n```\ncode ``` more\n```\n\n```` c ``` d ````');
    expect(outer.match(/```/g)).toHaveLength(2);
    expect(outer.split('```')[1]?.replace(/\u200b/g, '')).toBe('\ncode ``` more\n');
  });
});

/** Blocks that Discord sees: every other piece between three backticks. */
function expectValid(parts: readonly string[], limit: number): void {
  for (const part of parts) {
    expect(part.length).toBeLessThanOrEqual(limit);
    expect(part.trim()).not.toBe('');
    expect(part.isWellFormed()).toBe(true);
    expect(part).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/);
    const fences = part.match(/```/g) ?? [];
    expect(fences.length % 2, part).toBe(0);
    expect(part.match(/^```/gm) ?? []).toHaveLength(fences.length);
  }
}

describe('any text', { timeout: 120_000 }, () => {
  test('is rendered, the same each time, in parts whose code blocks are closed', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 100, max: 400 }), (text, limit) => {
        const parts = renderDiscord(text, { limit });
        expectValid(parts, limit);
        expect(renderDiscord(text, { limit })).toEqual(parts);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps its words, in order', () => {
    fc.assert(
      fc.property(wordedMarkdown(40), fc.integer({ min: 100, max: 400 }), (worded, limit) => {
        const parts = renderDiscord(worded.text, { limit });
        expectValid(parts, limit);
        expect(missingWords(parts.join('\n'), worded)).toEqual([]);
        // A block that is opened again says its language again.
        const said = parts.map((part) => part.replace(/^```\S*\n/, ''));
        expect(misplacedWords(said.join('\n'), worded)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('hostile texts end soon', () => {
    for (const [name, text] of hostileTexts(30_000)) {
      const began = process.cpuUsage().user;
      const parts = renderDiscord(text);
      expectValid(parts, 2_000);
      expect(parts.join('').length, name).toBeLessThan(text.length * 6 + 1_000);
      expect((process.cpuUsage().user - began) / 1_000, name).toBeLessThan(5_000);
    }
  });

  test('public collection of naughty strings', () => {
    for (const text of naughtyStrings()) expectValid(renderDiscord(text), 2_000);
  });
});
