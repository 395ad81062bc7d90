import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContextId } from '../base/index.ts';
import { anyText } from '../base/text.fixture.ts';
import { classifyPath, isCleanPath, type PathClass } from './path-class.ts';
import { isFetchableUrl } from './url.ts';

const HERE = 'general' as ContextId; // safe: a slug
const classOf = (path: string): PathClass => classifyPath(path, HERE);

describe('what a path is for', () => {
  const table: readonly (readonly [PathClass, readonly string[]])[] = [
    [
      'control',
      [
        'SYSTEM.md',
        'APPEND_SYSTEM.md',
        'AGENTS.md',
        'SOUL.md',
        'notes/AGENTS.md',
        'logs/SOUL.md',
        'contexts/general/memory/AGENTS.md',
        'contexts/general/context.md',
        'contexts/board/context.md',
        'contexts/x.md',
        'contexts/general/x.md',
        'contexts/general/other/x.md',
        'contexts/general/memory/deep/x.md',
        'skills/x.md',
        'skills/a/b.md',
        'prompts/x.md',
        'workflows/x.md',
        'schedules/x.md',
      ],
    ],
    [
      'record',
      ['logs/memory/general/2026-11.md', 'tasks/task_1.md', 'approvals/appr_1.md', 'email/box/1.md'],
    ],
    ['workspace-memory', ['memory.md']],
    ['context-memory', ['contexts/general/memory.md', 'contexts/general/memory/2026-11-21.md']],
    [
      'other-context-memory',
      [
        'contexts/board/memory.md',
        'contexts/board/memory/2026-11-21.md',
        'contexts/GENERAL/memory.md',
        'contexts/generaſ/memory.md',
      ],
    ],
    ['note', ['notes/x.md', 'notes/a/b.md', 'notes/memory.md', 'research/slug/report.md']],
    ['document', ['handbook.md', 'faq.md', 'meetings/2026-11-10.md', 'memory/x.md']],
    [
      'forbidden',
      [
        '',
        'x',
        'x.txt',
        'x.md.exe',
        '.md',
        '/x.md',
        '//x.md',
        'a//b.md',
        'a/',
        '../x.md',
        'a/../b.md',
        'a/./b.md',
        '.git/x.md',
        'a/.hidden.md',
        'a\\b.md',
        'C:x.md',
        'a*.md',
        'a?.md',
        'a|b.md',
        '<a>.md',
        '"a".md',
        'a\n.md',
        'a\t.md',
        'a\u0000.md',
        'a./b.md',
        'a /b.md',
        ' a/b.md',
        'x.md ',
        'x.md.',
        `${'a'.repeat(300)}.md`,
      ],
    ],
  ];
  it.each(table.flatMap(([kind, paths]) => paths.map((path) => [path, kind] as const)))(
    '%j is %s',
    (path, kind) => {
      expect(classOf(path)).toBe(kind);
    },
  );

  it('no spelling that a disk may take for a control file passes as something less', () => {
    const spellings = fc
      .constantFrom(
        'AGENTS.md',
        'skills/x.md',
        'contexts/general/context.md',
        'SOUL.md',
        'prompts/x.md',
        'schedules/x.md',
        'workflows/x.md',
      )
      .chain((path) =>
        fc
          .tuple(
            ...[...path].map((char) =>
              fc.constantFrom(
                char.toLowerCase(),
                char.toUpperCase(),
                ...(char.toLowerCase() === 's' ? ['ſ'] : []),
                ...(char.toLowerCase() === 'k' ? ['\u212a'] : []),
              ),
            ),
          )
          .map((chars) => chars.join('')),
      );
    fc.assert(
      fc.property(spellings, (path) => {
        expect(['control', 'forbidden']).toContain(classOf(path));
      }),
      { numRuns: 500 },
    );
  });

  it('no record is anything else in another case', () => {
    for (const path of ['LOGS/x.md', 'Tasks/x.md', 'taſks/x.md', 'EMAIL/x.md', 'Approvals/x.MD'])
      expect(classOf(path), path).toBe('record');
  });

  it('invisible characters are refused wherever they stand', () => {
    for (const code of [
      0x00ad, 0x034f, 0x061c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x2028, 0x202e, 0x2060, 0x2066, 0xfe0f,
      0xfeff, 0xe0061, 0xe000, 0x85,
    ]) {
      const char = String.fromCodePoint(code);
      for (const path of [`notes/a${char}.md`, `AGENTS${char}.md`, `${char}notes/a.md`, `notes${char}/a.md`])
        expect(classOf(path), path).toBe('forbidden');
    }
    expect(classOf('notes/\ud800.md')).toBe('forbidden');
  });

  it('only composed forms are taken, so that one file has one name', () => {
    expect(classOf('notes/cafe\u0301.md')).toBe('forbidden');
    expect(classOf('notes/caf\u00e9.md')).toBe('note');
    expect(classOf('notes/日本語 report.md')).toBe('note');
  });

  it('whatever is not forbidden is clean: relative, no hidden or climbing part, Markdown', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc
            .array(fc.constantFrom('a', '.', '/', '..', 'notes', '.md', ' ', '\\', 'contexts'), {
              maxLength: 8,
            })
            .map((parts) => parts.join('')),
        ),
        (path) => {
          if (classOf(path) === 'forbidden') return;
          expect(isCleanPath(path)).toBe(true);
          expect(path).toMatch(/\.md$/i);
          for (const part of path.split('/')) expect(part).not.toMatch(/^$|^[. ]|[. ]$/);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('the last allowed length is 300', () => {
    expect(isCleanPath(`${'a'.repeat(297)}.md`)).toBe(true);
    expect(isCleanPath(`${'a'.repeat(298)}.md`)).toBe(false);
  });
});

describe('addresses that may be fetched', () => {
  it('are http and https of named hosts', () => {
    for (const url of [
      'https://a.example/x?y#z',
      'http://a.b.example:8080/',
      'https://xn--mnchen-3ya.example/',
      'https://münchen.example/',
      'https://a.example./',
    ])
      expect(isFetchableUrl(url, false), url).toBe(true);
  });

  it('are nothing else', () => {
    for (const url of [
      '',
      'x',
      'ftp://a.example',
      'file:///x.md',
      'data:text/html,x',
      'javascript:1',
      'https://u@a.example',
      'https://:p@a.example',
      'http://localhost',
      'http://a.localhost',
      'http://printer',
      'http://a.local',
      'http://a.internal',
      'http://1.2.3.4',
      'http://0x7f.1',
      'http://2130706433',
      'http://0177.0.0.1',
      'http://[::1]',
      'http://[::ffff:1.2.3.4]',
      'http://[::127.0.0.1]',
      'http://127.1',
    ])
      expect(isFetchableUrl(url, false), url).toBe(false);
  });

  it.each(['localhost', 'local', 'internal', 'intranet', 'lan', 'home', 'corp', 'arpa'])(
    'a name that ends in %s means in here',
    (last) => {
      expect(isFetchableUrl(`https://a.${last}/`, false)).toBe(false);
      expect(isFetchableUrl(`https://a.${last}.example/`, false)).toBe(true);
    },
  );

  it('an operator may name any host, but no password and no other scheme', () => {
    expect(isFetchableUrl('http://127.0.0.1:3000/x', true)).toBe(true);
    expect(isFetchableUrl('http://u:p@127.0.0.1/', true)).toBe(false);
    expect(isFetchableUrl('file:///x', true)).toBe(false);
  });
});
