import { describe, expect, test } from 'vitest';
import { contextFixture, workspaceFixture } from '../../app/fake-data.fixture.ts';
import { SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('workspaces', SCREEN_TEST, () => {
  const house = () => ({
    contexts: [contextFixture()],
    workspaces: [workspaceFixture()],
    files: new Map([['AGENTS.md', ['# Rules', 'Be kind.']]]),
  });

  test('a workspace is changed', async () => {
    at.open('workspaces', { house: house(), rows: 40 });
    await at.terminal.until('The Community');
    await at.terminal.press('enter');
    await at.terminal.until('5 runs');
    await at.terminal.press('e', '3', 'enter', 'ctrl+u');
    await at.terminal.type('7');
    await at.terminal.press('enter');
    await at.terminal.until('concurrency of community is changed.');
    expect(at.asked('workspace.set')).toEqual([{ id: 'community', concurrency: 7 }]);
  });
});
