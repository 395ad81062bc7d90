import { describe, expect, test } from 'vitest';
import { type Draft, draftOf, edit } from './edit.ts';

const key = (name: string) => ({ name, text: name.length === 1 ? name : '' });
const after = (draft: Draft, ...names: string[]): Draft =>
  names.reduce((now, name) => edit(now, key(name), false) ?? now, draft);

describe('a line in the making', () => {
  test('takes letters where the cursor is', () => {
    expect(after(draftOf('ac'), 'left', 'b')).toEqual({ text: 'abc', at: 2 });
  });

  test('moves and cuts whole characters', () => {
    expect(after(draftOf('ae\u0301'), 'backspace')).toEqual({ text: 'a', at: 1 });
    expect(after(draftOf('👍🏽x'), 'home', 'right', 'delete')).toEqual({ text: '👍🏽', at: 4 });
  });

  test('knows the keys of a shell', () => {
    expect(after(draftOf('one two'), 'ctrl+w')).toEqual({ text: 'one ', at: 4 });
    expect(after(draftOf('one two'), 'ctrl+u')).toEqual({ text: '', at: 0 });
    expect(after(draftOf('one two'), 'ctrl+a', 'ctrl+k')).toEqual({ text: '', at: 0 });
  });

  test('keeps line ends only where there may be several lines', () => {
    const pasted = { name: 'paste', text: 'a\r\nb\rc' };
    expect(edit(draftOf(''), pasted, true)?.text).toBe('a\nb\nc');
    expect(edit(draftOf(''), pasted, false)?.text).toBe('a b c');
    expect(edit(draftOf('a'), key('newline'), false)).toBeUndefined();
    expect(edit(draftOf('a'), key('newline'), true)?.text).toBe('a\n');
  });

  test('a key that is none of editing changes nothing', () => {
    expect(edit(draftOf('a'), key('tab'), false)).toBeUndefined();
  });
});
