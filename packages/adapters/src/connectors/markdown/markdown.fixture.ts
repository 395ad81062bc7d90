import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

const REPEATED = [
  ...[
    '*',
    '_',
    '`',
    '~',
    '[',
    ']',
    '>',
    '<',
    '!',
    '|',
    '#',
    '-',
    '+',
    '=',
    '\\',
    '&',
    ' ',
    '\n',
    '\t',
    '\r',
    '\0',
  ],
  ...[
    '*a',
    '*a ',
    '*a_ ',
    '**a',
    '~~a ',
    '[a',
    '[a](',
    '[a](<b',
    '![',
    '![[',
    '[]',
    '](',
    '[^a]',
    '[^',
    '[a]: b\n',
  ],
  ...[
    '`a``b',
    '```\n',
    '```a\n',
    '```\n\n',
    '~~~\n\n',
    '> ',
    '> a\n',
    '>a\nb\n',
    '- ',
    '- a\n',
    '1. ',
    '+ - ',
    '> - ',
    '- - a\n',
  ],
  ...[
    'a\n=\n',
    'a\n---\n',
    '# a\n',
    '***\n',
    '* * *\n',
    'a\n-|\n',
    '|a',
    '|a|\n',
    '|a|b|\n|-|-|\n',
    '|1|2|\n',
    '- [ ] a\n',
  ],
  ...[
    '<a',
    '<a>',
    '<!-',
    '<?',
    '<![CDATA[',
    '<http://a',
    'www.',
    'http://',
    'a@',
    'a@b.c_',
    '&#58;',
    '&amp;',
  ],
  ...[
    '[^a]: b\n',
    'a  \n',
    '\\\n',
    'a\n',
    'a\n\n',
    '- a\n\n',
    '    a\n',
    '\ud800',
    '\udc00',
    '\u{1f331}',
    'a\u0301',
    '\u0301',
  ],
  ...['\u202e', '\u200b', '\u2066', '\u0628', '\ufeff', '\u2028', 'a ', 'a', '@*a*', '||a||', '@everyone '],
];

const deepList = (levels: number): string =>
  Array.from({ length: levels }, (_, level) => `${'  '.repeat(level)}- a\n`).join('');

/** Texts whose only aim is to cost time, depth or a crash, each about `chars` long. */
export function hostileTexts(chars: number): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const piece of REPEATED)
    texts.set(JSON.stringify(piece), piece.repeat(Math.ceil(chars / piece.length)));
  const half = Math.floor(chars / 4);
  texts.set('nested links', `${'['.repeat(half)}a${'](b)'.repeat(half)}`);
  texts.set('open target', `[a](${'('.repeat(chars)}`);
  texts.set('a list nested by indentation', deepList(Math.floor(Math.sqrt(chars))));
  texts.set('a wide table', `${'|a'.repeat(half)}\n${'|-'.repeat(half)}\n${'|b'.repeat(half)}`);
  texts.set('a long title', `|${'a'.repeat(7_000)}|b|\n|-|-|\n${'|1|2|\n'.repeat(300)}`);
  texts.set('a fence in a list', `- a\n  \`\`\`\n${'*a_ '.repeat(half)}`);
  texts.set('a fence in a comment', `<!--\n\`\`\`\n-->\n${'*a_ '.repeat(half)}`);
  texts.set('a definition of everything', `${'[a]: b\n'.repeat(50)}\n${'[a]\n\n'.repeat(chars / 5)}`);
  return texts;
}

/** Strings of a public collection, when AGENT_RUNTIME_CORPORA names a folder with `naughty-strings/blns.json`. */
export function naughtyStrings(): readonly string[] {
  const file = join(process.env.AGENT_RUNTIME_CORPORA ?? '', 'naughty-strings', 'blns.json');
  return process.env.AGENT_RUNTIME_CORPORA !== undefined && existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : [];
}

/** `W` stands for a word. Nothing in here hides a word by the rules of Markdown (as the title of a link would). */
const FRAGMENTS = [
  ...[
    'W',
    'W',
    ' W ',
    ' W ',
    'W. W',
    'W\n',
    '\n',
    '\n\n',
    '\n\n',
    '  ',
    '**W**',
    '*W*',
    '_W_',
    '__W__',
    '~~W~~',
    '`W`',
    '``W``',
  ],
  ...[
    '[W](W)',
    '[W](https://W.example/W)',
    '![W](W)',
    '![](W)',
    '[W][W]',
    '[W]',
    '[^W]',
    '\n[W]: W\n',
    '\n[^W]: W\n',
  ],
  ...[
    '# W\n',
    '\n##### W **W** W\n',
    'W\n===\n',
    'W\n---\n',
    '\n- W\n',
    '\n  - W\n',
    '\n1. W\n',
    '\n7) W\n',
    '- [ ] W\n',
    '- [x] W\n',
  ],
  ...[
    '\n> W\n',
    '\n> > W\n',
    '\n```\nW\n```\n',
    '\n```W\nW W\n',
    '\n```W W\n',
    '\n~~~\n',
    '```',
    '````',
    '\n    W\n',
    '\n- ```\n  W\n',
    '\n> ```\n> W\n',
  ],
  ...[
    '\n| W | W |\n|---|---|\n| W | W |\n',
    '\n\n|W|\n|-|\n|[W](https://W.example)|W|\n',
    '|W',
    '\n---\n',
    '\n***\n',
    '\n* * *\n',
  ],
  ...[
    '<W>',
    '<b>W</b>',
    '<!-- W -->',
    '&W;',
    '&amp;',
    '\\',
    '*',
    '_',
    '`',
    '[',
    ']',
    '(',
    ')',
    '<',
    '>',
    '|',
    '!',
    '#',
    '~',
    '@',
    '\\\n',
    '  \n',
  ],
  ...[
    '\u{1f331}',
    '\u202e',
    '\u200d',
    'a\u0301',
    '\u0628',
    '\ud800',
    '\0',
    '\ufeff',
    '\r\n',
    '\t',
    '@*W*',
    '||W||',
  ],
];

/** Markdown, and the words that must be seen in order. */
export interface Worded {
  readonly text: string;
  readonly words: readonly string[];
}

/** Fragments of Markdown in any order, each word another one. */
export function wordedMarkdown(maxFragments: number): fc.Arbitrary<Worded> {
  return fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: maxFragments }).map((fragments) => {
    const words: string[] = [];
    const text = fragments.join('').replace(/W/g, () => {
      words.push(`w${words.length}w`);
      return words.at(-1) ?? '';
    });
    return { text, words };
  });
}

/** Any text at all, with lone surrogates. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
    .map((units) => String.fromCharCode(...units)),
  fc.array(fc.constantFrom(...REPEATED, 'word', '\n\n'), { maxLength: 60 }).map((pieces) => pieces.join('')),
);

/** Words of which nothing is seen. */
export function missingWords(said: string, { words }: Worded): readonly string[] {
  return words.filter((word) => !said.includes(word));
}

/** Words that come earlier than one that was written before them; tables as lines say their titles again and are left out. */
export function misplacedWords(said: string, { text }: Worded): readonly string[] {
  if (text.includes('|')) return [];
  const seen = [...said.matchAll(/w(\d+)w/g)].map(([word, number]) => ({ word, number: Number(number) }));
  return seen.filter(({ number }, at) => number < (seen[at - 1]?.number ?? 0)).map(({ word }) => word);
}
