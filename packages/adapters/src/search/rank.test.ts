import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { passagesOf } from './passage.ts';
import { rank } from './rank.ts';
import { stemOf, subjectOf, wordsOf } from './words.ts';

const noteOf = (path: string, text: string) => ({ path, passages: passagesOf(path, text) });

describe('words', () => {
  test.each([
    [['refund', 'refunds', 'refunded', 'refunding'], 'refund'],
    [['stop', 'stops', 'stopped', 'stopping'], 'stop'],
    [['battery', 'batteries'], 'battery'],
    [['call', 'called', 'calls'], 'call'],
    [['box', 'boxes'], 'box'],
    [['glass', 'glasses'], 'glass'],
    [['release', 'released', 'releases', 'releasing'], 'releas'],
  ])('%s meet', (forms, stem) => {
    expect(forms.map(stemOf)).toEqual(forms.map(() => stem));
  });

  test.each(['thing', 'bring', 'red', 'bus', 'this', '2024s', 'analysis'])('%s stays whole', (word) => {
    expect(stemOf(word)).toBe(word);
  });

  test('accents and case do not count, a version is one word, Chinese comes in pairs', () => {
    expect(wordsOf('Café HUB 2.3, 2.4.').map(({ plain }) => plain)).toEqual(['cafe', 'hub', '2.3', '2.4']);
    expect(wordsOf('退款政策').map(({ plain }) => plain)).toEqual(['退款', '款政', '政策']);
  });

  test('a question is its subject; when nothing is left, all of it', () => {
    expect(subjectOf('How do I get a refund?').map(({ plain }) => plain)).toEqual(['refund']);
    expect(subjectOf('who are you').map(({ plain }) => plain)).toEqual(['who', 'are', 'you']);
  });
});

describe('passages', () => {
  test('begin at their true line and carry their heading; code does not make headings', () => {
    const text =
      '# T\n\nintro\n\n## A\n\none\ntwo\n\n```sh\n# no heading\n```\n\n- **Peg**: a sensor\n- **Hub**: software\n';
    const passages = passagesOf('n.md', text).map(({ line, lines, heading }) => [
      line,
      lines[0],
      heading.map(({ plain }) => plain).join(' '),
    ]);
    expect(passages).toEqual([
      [3, 'intro', ''],
      [7, 'one', 'a'],
      [10, '```sh', 'a'],
      [14, '- **Peg**: a sensor', 'peg'],
      [15, '- **Hub**: software', 'hub'],
    ]);
  });

  test('any text: lines are where they say, and none is lost but headings, blanks and front matter', () => {
    const line = fc.constantFrom(
      '',
      '# H',
      '## Sub',
      'text one',
      '- item',
      '- **T**: x',
      '```',
      '---',
      'title: x',
      '| a | b |',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
        const passages = passagesOf('n.md', lines.join('\n'));
        for (const { line: first, lines: own } of passages)
          expect(lines.slice(first - 1, first - 1 + own.length)).toEqual(own);
        const starts = passages.map(({ line: first }) => first);
        expect([...starts].sort((a, b) => a - b)).toEqual(starts);
      }),
    );
  });
});

describe('rank', () => {
  test('a word that stands nowhere is taken for a slip of the pen, one that stands somewhere is not', () => {
    const notes = [noteOf('a.md', 'the refund came'), noteOf('b.md', 'the refuse went')];
    expect(rank(notes, 'refnud', 5).map(({ path }) => path)).toEqual(['a.md']);
    expect(rank(notes, 'refund', 5).map(({ path }) => path)).toEqual(['a.md']);
  });

  test('words near each other beat words far apart', () => {
    const far = `hub ${'and so on '.repeat(5)} outage`;
    const near = `a hub outage ${'and so on '.repeat(5)}`;
    expect(rank([noteOf('a.md', far), noteOf('b.md', near)], 'hub outage', 2)[0]?.path).toBe('b.md');
  });

  test('one note does not fill the list', () => {
    const many = Array.from({ length: 10 }, (_, index) => `frost ${index}`).join('\n\n');
    const hits = rank([noteOf('a.md', many), noteOf('b.md', 'some frost here')], 'frost', 10);
    expect(hits.filter(({ path }) => path === 'a.md')).toHaveLength(3);
    expect(hits.some(({ path }) => path === 'b.md')).toBe(true);
  });

  test('in a long list the line that fits comes first', () => {
    const list = Array.from({ length: 10 }, (_, index) =>
      index === 9 ? '- the frost' : `- item ${index}`,
    ).join('\n');
    expect(rank([noteOf('a.md', list)], 'frost', 1)[0]).toMatchObject({ line: 10, snippet: '- the frost' });
  });

  test('any question and any note: total, bounded, in order', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200, unit: 'grapheme' }),
        fc.array(fc.string({ maxLength: 300, unit: 'grapheme' }), { maxLength: 5 }),
        fc.integer({ min: -1, max: 8 }),
        (question, texts, limit) => {
          const hits = rank(
            texts.map((text, index) => noteOf(`${index}.md`, text)),
            question,
            limit,
          );
          expect(hits.length).toBeLessThanOrEqual(Math.max(0, limit));
          for (const { score, line, snippet } of hits) {
            expect(score).toBeGreaterThan(0);
            expect(line).toBeGreaterThan(0);
            expect(snippet.length).toBeLessThanOrEqual(2_000);
          }
        },
      ),
    );
  });
});
