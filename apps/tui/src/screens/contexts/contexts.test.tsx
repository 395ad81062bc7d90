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
