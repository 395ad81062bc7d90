import { describe, expect, test } from 'vitest';
import { hostileTexts } from './markdown.fixture.ts';
import { parseMarkdown } from './parse.ts';

/** Types of the blocks of a text, in order. */
const typesOf = (markdown: string): readonly string[] =>
  parseMarkdown(markdown).sections.flatMap(({ nodes }) => nodes.map(({ type }) => type));

describe('parseMarkdown', () => {
  test('sections hold the same blocks as the whole would', () => {
    const filler = 'word '.repeat(250);
    expect(
      typesOf(`# a\n\n- b\n\n  ${filler}\n\n- c\n\n> d\n\n\`\`\`\ne\n\n\`\`\`\n${filler}\n\n|f|\n|-|\n|g|`),
    ).toEqual(['heading', 'list', 'blockquote', 'code', 'paragraph', 'table']);
  });

  test('nothing within a fence ends it but the same fence', () => {
    const [section] = parseMarkdown('````md\n```\n~~~\n\n# a\n````\n').sections;
    expect(section?.nodes).toMatchObject([{ type: 'code', lang: 'md', value: '```\n~~~\n\n# a' }]);
  });

  test('a definition is known in other sections', () => {
    const { sections, links } = parseMarkdown(
      `[a]\n\n${'word '.repeat(300)}\n\n[b]: x\n[a]: https://x.example`,
    );
    expect(sections[0]?.nodes[0]).toMatchObject({ children: [{ type: 'linkReference' }] });
    expect([...links.used]).toEqual(['a']);
    expect(links.targets.get('a')).toBe('https://x.example');
  });

  test('what is nested too deep or costs too much is one plain paragraph', () => {
    const deep = Array.from({ length: 20 }, (_, level) => `${'  '.repeat(level)}- a\n`).join('');
    for (const text of [
      deep,
      '> '.repeat(7).concat('a'),
      '*a_ '.repeat(500),
      'a\n=\n\n'.repeat(50),
      '- a\n'.repeat(500),
      `- a\n  \`\`\`\n${'*a_ '.repeat(500)}`,
      `<!--\n ${'```'}\n-->\n${'*a_ '.repeat(500)}`,
    ])
      expect(typesOf(text), text.slice(0, 20)).toEqual(['paragraph']);
    expect(typesOf('- a\n'.repeat(50))).toEqual(['list']);
    expect(typesOf('* * * * * * * * * *')).toEqual(['thematicBreak']);
  });

  test('many small costs are one large one', () => {
    const spread = `${'*a* '.repeat(350)}\n\n`.repeat(20);
    const kinds = parseMarkdown(spread).sections.map(
      ({ nodes }) => nodes[0]?.type === 'paragraph' && nodes[0].children.length > 1,
    );
    expect(kinds.slice(0, 5)).toEqual([true, true, true, true, true]);
    expect(kinds.slice(-5)).toEqual([false, false, false, false, false]);
  });

  test('every text that is meant to hurt is parsed into something', () => {
    for (const [name, text] of hostileTexts(5_000))
      expect(
        parseMarkdown(text).sections.length > 0 || text.trim() === '' || !/[^\s\0\ufeff]/.test(text),
        name,
      ).toBe(true);
  });
});
