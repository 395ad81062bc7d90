import { describe, expect, test } from 'vitest';
import { contextFixture, workspaceFixture } from '../../app/fake-data.fixture.ts';
import { expectScreen, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('contexts', SCREEN_TEST, () => {
  const house = () => ({
    contexts: [contextFixture()],
    workspaces: [workspaceFixture()],
    files: new Map([['AGENTS.md', ['# Rules', 'Be kind.']]]),
  });

  test('a setting is changed, or goes back to what is inherited', async () => {
    at.open('contexts', { house: house(), rows: 40 });
    await at.terminal.until('News of the garden');
    await at.terminal.press('enter');
    await at.terminal.until('What the workspace community says');
    await expectScreen(at.terminal, 'context-80x40');
    await at.terminal.press('e');
    await at.terminal.until('Change which setting');
    await at.terminal.press('6', 'enter');
    await at.terminal.until('temperature');
    await at.terminal.press('ctrl+u');
    await at.terminal.type('hot');
    await at.terminal.press('enter');
    await at.terminal.until('temperature takes a number');
    expect(at.asked('context.set')).toEqual([]);
    await at.terminal.press('e', '6', 'enter', 'ctrl+u');
    await at.terminal.type('0.7');
    await at.terminal.press('enter');
    await at.terminal.until('temperature of news is changed.');
    await at.terminal.press('e', '4', 'enter', 'ctrl+u');
    await at.terminal.type('inherit');
    await at.terminal.press('enter');
    await at.terminal.until('tools of news is changed.');
    expect(at.asked('context.set')).toEqual([
      { id: 'news', temperature: 0.7 },
      { id: 'news', tools: null },
    ]);
  });

  test('a place that is bound to nothing is listed, cleaned, and says how it is bound', async () => {
    const unbound = {
      connector: 'telegram',
      account: '12',
      channel: '-1003',
      kind: 'group' as const,
      title: 'Strange\u202e place',
      group: '-1003',
      first_seen_at: '2026-11-21T09:00:00.000Z',
      last_seen_at: '2026-11-21T10:00:00.000Z',
      is_gone: true,
    };
    at.open('contexts', { house: { ...house(), contexts: [], unbound: [unbound] }, rows: 40 });
    await at.terminal.until('unbound');
    expect(at.terminal.text()).toContain('Strange⟨U+202E⟩ place');
    await at.terminal.press('enter');
    await at.terminal.until('Bind it');
    await expectScreen(at.terminal, 'context-unbound-80x40');
    expect(at.terminal.text()).toContain('context bind --workspace WORKSPACE --kind group');
    expect(at.terminal.text()).toContain('workspace set WORKSPACE --bind telegram:12/-1003');
    await at.terminal.press('q');
    await at.terminal.until('nobody');
  });

  test('the files of the prompt are shown in their order, also those that are not there', async () => {
    at.open('contexts', { house: house(), rows: 40 });
    await at.terminal.until('News of the garden');
    await at.terminal.press('enter');
    await at.terminal.until('In force here');
    await at.terminal.press('p');
    await at.terminal.until('Be kind.');
    expect(at.terminal.text()).toContain('not there: the built-in words count');
  });
});
