import { AppError } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readFrontMatter, splitFrontMatter } from './front-matter.ts';

const schema = z.strictObject({
  title: z.string().optional(),
  tools: z.array(z.string()).optional(),
  on: z.unknown().optional(),
});

const refusal = (text: string): string => {
  try {
    readFrontMatter(text, schema);
  } catch (thrown) {
    if (thrown instanceof AppError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  throw new Error('it was expected to be refused');
};

describe('splitting', () => {
  test.each([
    ['---\ntitle: A\n---\nBody\n', 'title: A', 'Body\n'],
    ['---\r\ntitle: A\r\n---\r\nBody', 'title: A', 'Body'],
    ['---\n---\nBody', '', 'Body'],
    ['\uFEFF---\ntitle: A\n---\n', 'title: A', ''],
    ['---\ntitle: A\n---', 'title: A', ''],
  ])('%j', (text, yaml, body) => {
    expect(splitFrontMatter(text)).toEqual({ yaml, body });
  });

  test.each([
    '',
    'Body',
    '\n---\ntitle: A\n---\n',
    '---js\nmodule.exports = process.exit()\n---\n',
    '--- js\n{}\n---\n',
    '----\ntitle: A\n----\n',
    '---\ntitle: A\nno end',
    'text\n---\ntitle: A\n---\n',
    ' ---\ntitle: A\n---\n',
  ])('%j is body alone', (text) => {
    expect(splitFrontMatter(text)).toEqual({ yaml: undefined, body: text });
  });
});

describe('reading', () => {
  test('gives plain values by the schema', () => {
    expect(readFrontMatter('---\ntitle: A\ntools: [x, y]\n---\nBody', schema)).toEqual({
      title: 'A',
      tools: ['x', 'y'],
    });
    expect(readFrontMatter('Body', schema)).toBeUndefined();
    expect(readFrontMatter('---\n---\n', schema)).toEqual({});
  });

  test('words stay words: no dates, no yes and no', () => {
    expect(readFrontMatter('---\non: [2026-11-21, yes, on, 0777]\n---\n', schema)?.on).toEqual([
      '2026-11-21',
      'yes',
      'on',
      777,
    ]);
  });

  test.each([
    ['an unknown field', 'colour: red', 'colour'],
    ['a field of another type', 'tools: all', 'tools'],
    ['a tag', 'title: !!js/function "function(){}"', 'front matter'],
    ['a custom tag', 'title: !secret x', 'front matter'],
    ['a doubled key', 'title: A\ntitle: B', 'front matter'],
    ['a list', '- a\n- b', 'name: value'],
    ['a bare word', 'hello', 'name: value'],
    ['broken YAML', 'title: "A', 'front matter'],
    ['an alias', 'title: &a x\ntools: [*a]', 'aliases'],
  ])('%s is refused', (_what, yaml, hint) => {
    const said = refusal(`---\n${yaml}\n---\n`);
    expect(said).toContain('workspace.front_matter.invalid');
    expect(said).toContain(hint);
  });

  test('an alias bomb is refused, and not unfolded first', () => {
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}, *l${i}]`);
    const bomb = `---\nl0: &l0 [x, x, x]\n${levels.join('\n')}\n---\n`;
    expect(refusal(bomb)).toContain('aliases');
  });

  test('a merge key and a prototype are data like any other, and no field of ours', () => {
    expect(refusal('---\n<<: {title: A}\n---\n')).toContain('<<');
    expect(refusal('---\n__proto__: {title: A}\n---\n')).toContain('__proto__');
    expect(Object.hasOwn(Object.prototype, 'title')).toBe(false);
  });

  test('front matter beyond the cap is refused before it is parsed', () => {
    expect(refusal(`---\ntitle: ${'a'.repeat(20_000)}\n---\n`)).toContain('longer than');
  });

  test('a very long text of dashes has no front matter', () => {
    expect(splitFrontMatter(`---\n${'--- x\n'.repeat(50_000)}`).yaml).toBeUndefined();
  });
});
