import { describe, expect, test } from 'vitest';
import { pairingFixture, workspaceFixture } from '../../app/fake-data.fixture.ts';
import { expectScreen, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('pairings', SCREEN_TEST, () => {
  const house = () => ({
    pairings: new Map([['123456', pairingFixture()]]),
    workspaces: [workspaceFixture()],
  });

  test('code, person, role, place and end make a choice that is looked at before it counts', async () => {
    at.open('pairings', { house: house() });
    await at.terminal.until('Grace H.');
    await expectScreen(at.terminal, 'pairings-80x24');
    await at.terminal.press('p');
    await at.terminal.type('123456');
    await at.terminal.press('enter');
    await at.terminal.until('Who is telegram 815');
    await at.terminal.press('enter');
    await at.terminal.until('Short name');
    await at.terminal.type('grace');
    await at.terminal.press('enter');
    await at.terminal.until('Role of grace');
    await at.terminal.press('enter');
    await at.terminal.until('Where is grace member');
    await at.terminal.press('enter');
    await at.terminal.until('Until when');
    await at.terminal.type('30d');
    await at.terminal.press('enter');
    await at.terminal.until('becomes grace (new)');
    await at.terminal.press('y');
    await at.terminal.until('telegram 815 is grace.');
    expect(at.terminal.client.paired).toEqual([
      {
        code: '123456',
        user: 'grace',
        create_user: true,
        role: 'member',
        scope: 'ws:community',
        expires_at: '2026-12-30T12:00:00.000Z',
      },
    ]);
  });

  test('a wrong code is refused by the server, in its words', async () => {
    at.open('pairings', { house: house() });
    await at.terminal.until('Grace H.');
    await at.terminal.press('p');
    await at.terminal.type('000000');
    await at.terminal.press('enter');
    await at.terminal.until('There is no such code');
    expect(at.terminal.client.paired).toEqual([]);
  });
});
