import { describe, expect, test } from 'vitest';
import { COMMANDS, commandMenu, helpLines, parseCommand, usageOf } from './command.ts';

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
    for (const name of Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]) {
      expect(parse(`/${name} x`)).toEqual({ kind: 'command', command: { name, rest: 'x' } });
      expect(usageOf(name).startsWith(`/${name}`)).toBe(true);
    }
    expect([usageOf('deny'), usageOf('panic'), usageOf('run')]).toEqual([
      '/deny ID [reason]',
      '/panic on|status',
      '/run SKILL [input]',
    ]);
  });

  test('menus hold the names that stay, within what platforms take', () => {
    const menu = commandMenu();
    expect(menu.map(({ name }) => name).sort()).toEqual(
      [
        ...['task', 'run', 'search', 'open', 'approve', 'deny', 'withdraw', 'abort', 'steer', 'status'],
        ...['new', 'reset', 'workspace', 'panic', 'admin_channel', 'whoami', 'help', 'start', 'pair'],
      ].sort(),
    );
    for (const { name, help, args } of menu) {
      expect(name).toMatch(/^[a-z_]{1,32}$/);
      expect(help.length).toBeGreaterThan(0);
      expect(help.length).toBeLessThanOrEqual(100);
      // Optional arguments come last, as Discord wants it.
      expect(args.map((arg) => !arg.isRequired)).toEqual(args.map((arg) => !arg.isRequired).sort());
      for (const arg of args) {
        expect(arg.name).toMatch(/^[a-z]{1,32}$/);
        expect(arg.kind === 'choice').toBe(arg.choices !== undefined);
      }
    }
    expect(menu.find(({ name }) => name === 'panic')?.args).toEqual([
      { name: 'state', kind: 'choice', choices: ['on', 'status'], isRequired: true },
    ]);
  });

  test('help lists what works for this role in this place', () => {
    const namesFor = (asked: Parameters<typeof helpLines>[0]) =>
      helpLines(asked).map((line) => /^\/(\w+)/.exec(line)?.[1]);
    const stranger = namesFor({ role: undefined, isDirect: false });
    expect(stranger).toEqual(['task', 'steer', 'whoami', 'pair', 'help', 'start']);
    expect(namesFor({ role: 'member', isDirect: false })).not.toContain('approve');
    expect(namesFor({ role: 'member', isDirect: false })).not.toContain('workspace');
    expect(namesFor({ role: 'member', isDirect: true })).toContain('workspace');
    expect(namesFor({ role: 'operator', isDirect: false })).toContain('approve');
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
