import { describe, expect, test } from 'vitest';
import { COMMANDS, parseCommand } from './command.ts';

const parse = (text: string) => parseCommand(text, 'helper_bot');

describe('parseCommand', () => {
  test('reads a name and the rest', () => {
    expect(parse('/task  write a note ')).toEqual({
      kind: 'command',
      command: { name: 'task', rest: 'write a note' },
    });
    expect(parse('/HELP')).toEqual({ kind: 'command', command: { name: 'help', rest: '' } });
    expect(parse('/deny appr_1\ntoo long\nand rude')).toEqual({
      kind: 'command',
      command: { name: 'deny', rest: 'appr_1\ntoo long\nand rude' },
    });
  });

  test('every command with its help says its own name', () => {
    for (const [name, help] of Object.entries(COMMANDS)) {
      expect(parse(`/${name} x`)).toEqual({ kind: 'command', command: { name, rest: 'x' } });
      expect(help.startsWith(`/${name}`)).toBe(true);
    }
  });

  test('obeys only what is addressed to us, or to nobody', () => {
    expect(parse('/help@helper_bot').kind).toBe('command');
    expect(parse('/help@Helper_Bot').kind).toBe('command');
    expect(parse('/help@other_bot').kind).toBe('foreign');
    expect(parseCommand('/help@helper_bot', '').kind).toBe('foreign');
  });

  test('reads hyphens in a name as underscores, for platforms that have only one of them', () => {
    expect(parse('/admin-channel enable')).toEqual({
      kind: 'command',
      command: { name: 'admin_channel', rest: 'enable' },
    });
    expect(parse('/not-known')).toEqual({ kind: 'unknown', name: 'not-known' });
  });

  test('knows what it does not know', () => {
    expect(parse('/sudo rm')).toEqual({ kind: 'unknown', name: 'sudo' });
    // Names of an object's own machinery are no commands.
    expect(parse('/constructor')).toEqual({ kind: 'unknown', name: 'constructor' });
    expect(parse('/__proto__').kind).toBe('text');
  });

  test('leaves words alone that only look like one', () => {
    for (const text of ['say /help', '/', '// comment', '/usr/bin is a folder', 'help', '']) {
      expect(parse(text).kind).toBe('text');
    }
  });
});
