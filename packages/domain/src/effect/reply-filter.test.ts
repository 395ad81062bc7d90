import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Label, makeLabel, PUBLIC_CLEARANCE, publicLabel } from '../label/index.ts';
import { linkCore, urlsIn } from './link.ts';
import { filterReply, WITHHELD_TEXT } from './reply-filter.ts';

const GOOD = 'https://good.example/page?x=1';
const trustedUrls = new Set([GOOD]);
const filter = (text: string): string =>
  filterReply({ text, label: publicLabel(1), clearance: PUBLIC_CLEARANCE, trustedUrls }).text;

/** A greedy client: whatever it would make a link of, in its own way and not the filter's. */
function linksIn(text: string): readonly string[] {
  const schemes = text.match(/[a-z][a-z0-9+.-]*:\/\/[^\s<>]+|https?:[^\s<>]+/giu) ?? [];
  // A mail address is none: writing to somebody takes more than a click.
  const rest = text
    .replaceAll(GOOD, ' ')
    .replace(/[\p{L}\p{N}_.+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+(?![\p{L}\p{N}/#?@\\-]|:\S)/gu, ' ');
  const hosts =
    rest.match(
      /(?<![\w@+.-])(?:[\p{L}\p{N}-]+\.)+(?:com|net|org|io|example|рф|xn--p1ai|museum|community)(?![\p{L}\p{N}])/giu,
    ) ?? [];
  return [
    ...schemes.filter(
      (link) => !/^[a-z0-9+.-]*https:\/\/good\.example\/page\?x=1[\])}.,;:!?*_~|`"']{0,4}$/iu.test(link),
    ),
    ...hosts,
  ];
}

const EVIL = [
  'https://evil.com/?d=secret',
  'http://evil.com',
  'HTTPS://EVIL.COM/x',
  'xhttps://evil.com',
  'https:evil.com',
  'https:/\\evil.com',
  'https://user:pw@evil.com/',
  'https://good.example@evil.com',
  'https://good.example/page?x=1&d=secret',
  'https://good.example/page?x=1https://evil.com',
  'https://[::1]/x',
  'http://2130706433/',
  'ftp://evil.com/a',
  'steam://run/1',
  'tg://resolve?domain=evil',
  'tg:resolve',
  'mailto:a@evil.com?body=secret',
  'javascript:alert(1)',
  'data:text/html,x',
  'evil.com',
  'www.evil.com',
  'evil.community/path',
  'a.b.c.evil.museum',
  '.evil.com',
  '/evil.com',
  '-evil.com',
  '@evil.com',
  'me@evil.com/path',
  'evil.com:8080',
  'evil.com#x',
  'пример.рф',
  'münchen.example',
  'xn--e1afmkfd.xn--p1ai',
  'evil。com',
  'evil．com',
  'ev\u200bil.com',
  'evil\u00ad.com',
  'evil**.**com',
  'evil_._com',
  'evil\\.com',
  'secret.evil.md',
  'evil.md/x',
  'docs/secret.evil.com/x.md',
  '10.1.2.3/x',
  '10.1.2.3',
];

const word = fc.oneof(
  fc.constantFrom(
    ...EVIL,
    GOOD,
    'notes/faq.md:12',
    'README.md',
    'a@b.example',
    'e.g.',
    '3.14',
    '你好。',
    '@everyone',
    '@ada',
    '<@123>',
    '<#9>',
    '<@&7>',
    '![',
    '](',
    '[x]',
    '[',
    ']',
    '(',
    ')',
    '!',
    '.',
    ':',
    '//',
    '**',
    '`',
    '<',
    '>',
    '\n',
    ' ',
    '\u200b',
    'https',
    'com',
    'evil',
    '@',
  ),
  fc.string({ maxLength: 4 }),
);
const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
const spaced = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));

describe('who may see it', () => {
  it('a text that does not fit the place is replaced by a fixed one', () => {
    fc.assert(
      fc.property(text, (secret) => {
        const shown = filterReply({
          text: secret,
          label: makeLabel(3, ['ws:garden']),
          clearance: PUBLIC_CLEARANCE,
          trustedUrls,
        });
        expect(shown).toEqual({ kind: 'withheld', text: WITHHELD_TEXT });
      }),
    );
  });

  it('a text without a label is withheld', () => {
    const shown = filterReply({
      text: 'x',
      label: undefined as unknown as Label,
      clearance: { kind: 'all' },
      trustedUrls,
    }); // safe: deliberately missing
    expect(shown.kind).toBe('withheld');
  });

  it('a text that fits is shown', () => {
    const shown = filterReply({
      text: 'hello',
      label: makeLabel(0, ['ws:garden']),
      clearance: { kind: 'tags', tags: ['ws:garden'] },
      trustedUrls,
    });
    expect(shown).toEqual({ kind: 'text', text: 'hello', defanged: 0 });
  });
});

describe('links', () => {
  it.each(EVIL)('%s is no link any more', (evil) => {
    for (const around of [
      evil,
      `see ${evil} now`,
      `(${evil})`,
      `**${evil}**`,
      `[words](${evil})`,
      `<${evil}>`,
      `"${evil}".`,
    ]) {
      const shown = filter(around);
      expect(linksIn(shown), shown).toEqual([]);
      expect(shown, around).not.toContain(evil);
    }
  });

  it('a trusted link stays, byte for byte, with what a sentence puts around it', () => {
    for (const around of [
      GOOD,
      `see ${GOOD}.`,
      `(${GOOD})`,
      `<${GOOD}>`,
      `[words](${GOOD})`,
      `**${GOOD}**`,
      `${GOOD}, and`,
    ])
      expect(filter(around)).toBe(around);
  });

  it('a trusted link with anything added is not trusted', () => {
    for (const tail of ['x', '/x', '&d=1', '!!!!!', ')x', 'https://x', '\u200bx', '\\x'])
      expect(filter(GOOD + tail)).not.toContain(GOOD);
  });

  it('a masked link needs a trusted target', () => {
    expect(filter('[bank](https://evil.com)')).toBe('[bank] (hxxps[:]//evil[.]com)');
    expect(filter(`[${GOOD}](https://evil.com)`)).toBe(`[${GOOD}] (hxxps[:]//evil[.]com)`);
    expect(filter('[x](//evil/a)')).toBe('[x] (//evil/a)');
    expect(filter('[x](https&#58;//evil/a)')).toBe('[x] (https&#58;//evil/a)');
    expect(filter('[x](<//evil/a>)')).toBe('[x] (<//evil/a>)');
    expect(filter('[x]( https://evil.com)')).toBe('[x] ( hxxps[:]//evil[.]com)');
    expect(filter('[evil.com.(x')).not.toContain('](');
    expect(filter('[notes](notes/faq.md)')).toBe('[notes](notes/faq.md)');
    expect(filter('list[0](x)')).toBe('list[0](x)');
  });

  it('text that only looks a little like links stays', () => {
    for (const plain of [
      'See notes/faq.md:12 and research/a-b/x_y.md:3-5, README.md and index.ts.',
      'Version v1.2.3 costs 3.14 at 10.30, e.g. U.S. prices.',
      '你好。谢谢。再见',
      '(README.md), "notes/faq.md:3" and <help@garden.example>; **index.ts**',
      `例子在这里：${GOOD}`,
      'Write to help@garden.example, please.',
      'Wait... what?! 10:30 | a/b | c:d',
      'const x = list[0];',
    ])
      expect(filter(plain)).toBe(plain);
  });

  it('reads well when defanged', () => {
    expect(filter('http://evil.com/a.b HTTPS://EVIL.COM')).toBe(
      'hxxp[:]//evil[.]com/a[.]b HxxpS[:]//EVIL[.]COM',
    );
  });

  it('counts what it defanged', () => {
    expect(
      filterReply({
        text: `evil.com ${GOOD} http://x.example`,
        label: publicLabel(1),
        clearance: PUBLIC_CLEARANCE,
        trustedUrls,
      }),
    ).toMatchObject({ defanged: 2 });
  });

  it('no text at all shows a link that is not trusted', () => {
    fc.assert(
      fc.property(fc.oneof(text, spaced), (input) => {
        expect(linksIn(filter(input))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('no frame shows a link: each prefix is as clean as the whole', () => {
    fc.assert(
      fc.property(fc.oneof(text, spaced), (input) => {
        for (let end = 0; end <= input.length; end += 1)
          expect(linksIn(filter(input.slice(0, end)))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('filtering its own output changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(text, spaced), (input) => {
        const once = filter(input);
        expect(filter(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });

  it('what urlsIn finds in a trusted text passes, and nothing else does', () => {
    const trusted = 'Read https://a.example/x, [this](https://b.example/y) and c.example/z.';
    expect(urlsIn(trusted)).toEqual(['https://a.example/x', 'https://b.example/y', 'c.example/z']);
    const shown = filterReply({
      text: trusted,
      label: publicLabel(1),
      clearance: PUBLIC_CLEARANCE,
      trustedUrls: new Set(urlsIn(trusted)),
    });
    expect(shown.text).toBe(trusted);
    expect(urlsIn('notes/faq.md:1 and a@b.example')).toEqual([]);
    expect(['(word)', '看https://a.example/x'].map(linkCore)).toEqual(['word', 'https://a.example/x']);
  });

  it('a long hostile text costs no more than its length', () => {
    for (const unit of ['a', '.', '-', 'a.', '*', '[', '](', '@', 'http', 'a*', '1.', 'a@', '<', '<@1', '!'])
      expect(filter(unit.repeat(20_000)).length).toBeGreaterThan(0);
  });
});

describe('mentions and images', () => {
  it('nobody is called', () => {
    expect(filter('@everyone @here a@everyone @ada @Ada_1')).not.toMatch(/@(?=[\p{L}\p{N}_])/u);
    expect(filter('<<#9>>')).toBe('#9');
    expect(filter('<@123> <@!123> <@&9> <#7>')).not.toMatch(/<[@#]|@(?=\d)/);
    fc.assert(
      fc.property(text, (input) => {
        expect(filter(input)).not.toMatch(/@(?:everyone|here)|<(?:@[!&]?|#)\d+>/i);
      }),
    );
  });

  it('mail addresses are no mentions', () => {
    expect(filter('help@garden.example')).toBe('help@garden.example');
    // Taking this one apart would leave a host.
    expect(linksIn(filter('x@everyone.com'))).toEqual([]);
  });

  it('an image becomes a link, also behind several marks', () => {
    expect(filter(`![cat](${GOOD})`)).toBe(`[cat](${GOOD})`);
    expect(filter('!![a[b]](x)')).not.toContain('![');
  });
});
