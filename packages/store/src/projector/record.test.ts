import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRecord, parseRecords } from './record.ts';

const KEY = new Uint8Array(32).fill(3);
const OTHER = new Uint8Array(32).fill(4);
const head = { id: 'mesg_1', kind: 'message' };

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc
    .array(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '> ',
        '<!-- end -->',
        '<!-- record {} mac:x -->',
        '-->',
        '---',
        '--',
        '\u2028',
        '\u0085',
        '\0',
        '\u202e',
        'a',
        '❤️',
        '',
      ),
    )
    .map((parts) => parts.join('')),
);

describe('a record', () => {
  test('comes back exactly, whatever its texts hold', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }), (pairs) => {
        const records = pairs.map(([one, two]) => ({ head: { ...head, senderName: one }, text: two }));
        const file = records.map((record) => formatRecord(record, '**Ada**', KEY)).join('');
        expect(parseRecords(file, KEY)).toEqual({ records, foreignLines: 0 });
      }),
    );
  });

  test('no text of it begins a line of its own', () => {
    fc.assert(
      fc.property(text, text, (one, two) => {
        const file = formatRecord({ head: { ...head, one }, text: two }, '**Ada**', KEY);
        const lines = file.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/);
        const [first = '', title, blank, ...rest] = lines;
        expect(first).toMatch(/^<!-- record \{[^<>]*\} mac:[0-9a-f]{64} -->$/);
        expect(first.slice(4, -3)).not.toContain('--');
        expect([title, blank]).toEqual(['**Ada**', '']);
        expect(rest.slice(0, -3).every((line) => line.startsWith('> '))).toBe(true);
        expect(rest.slice(-3)).toEqual(['<!-- end -->', '', '']);
      }),
    );
  });
});

describe('what is not ours', () => {
  const file = formatRecord({ head, text: 'one\ntwo' }, '**Ada**, 09:00', KEY);

  test('any change of one character is found', () => {
    for (let at = 0; at < file.length - 2; at += 1) {
      const changed = `${file.slice(0, at)}${file[at] === 'x' ? 'y' : 'x'}${file.slice(at + 1)}`;
      const { records, foreignLines } = parseRecords(changed, KEY);
      expect(records, `at ${at}`).toEqual([]);
      expect(foreignLines).toBeGreaterThan(0);
    }
  });

  test('any removed line is found', () => {
    const lines = file.trimEnd().split('\n');
    for (let at = 0; at < lines.length; at += 1)
      expect(parseRecords(lines.filter((_, index) => index !== at).join('\n'), KEY).records).toEqual([]);
  });

  test('a MAC by another key, or none, is no MAC', () => {
    expect(parseRecords(formatRecord({ head, text: 'x' }, 't', OTHER), KEY).records).toEqual([]);
    const unsigned = file.replace(/ mac:[\w-]+/, '');
    expect(parseRecords(unsigned, KEY).records).toEqual([]);
  });

  test('a MAC does not move to another head, title or text', () => {
    const other = formatRecord({ head: { ...head, id: 'mesg_2' }, text: 'one\ntwo' }, '**Ada**, 09:00', KEY);
    const [mac = ''] = /mac:[\w-]+/.exec(other) ?? [];
    expect(parseRecords(file.replace(/mac:[\w-]+/, mac), KEY).records).toEqual([]);
    expect(parseRecords(file.replace('**Ada**, 09:00', '**Admin**, 09:00'), KEY).records).toEqual([]);
    // The border between title and text cannot be shifted.
    const joined = formatRecord({ head, text: 'b' }, 'a', KEY);
    expect(parseRecords(joined.replace('a\n\n> b', 'a\n> b\n> '), KEY).records).toEqual([]);
  });

  test('does not hide the records around it', () => {
    const forged =
      '<!-- record {"id":"mesg_9"} mac:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa -->\nx\n\n> y\n';
    const { records, foreignLines } = parseRecords(`${file}${forged}${file}forged\n`, KEY);
    expect(records).toHaveLength(2);
    expect(foreignLines).toBe(4);
  });
});

test('a file full of false beginnings is read in one go', () => {
  const line = `<!-- record {} mac:${'0'.repeat(64)} -->\n`;
  expect(parseRecords(`${line.repeat(100_000)}<!-- end -->\n`, new Uint8Array(32)).foreignLines).toBe(
    100_001,
  );
  // Looking for an end from each of them takes minutes, beyond the limit of a test.
});
