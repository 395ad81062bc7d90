import { describe, expect, test } from 'vitest';
import { userFixture, workspaceFixture } from '../../app/fake-data.fixture.ts';
import { SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('users', SCREEN_TEST, () => {
  const grace = () =>
    userFixture({
      id: 'user_grace',
      name: 'grace',
      display_name: 'Grace Hopper',
      grants: [],
      keys: [],
      identities: [],
      tokens: [],
    });
  const house = () => ({ users: [userFixture(), grace()], workspaces: [workspaceFixture()] });

  test('a role is given and taken', async () => {
    at.open('users', { house: house() });
    await at.terminal.until('Grace Hopper');
    await at.terminal.press('down', 'enter');
    await at.terminal.until('This person holds nothing.');
    await at.terminal.press('a', 'enter');
    await at.terminal.until('Where is grace member');
    await at.terminal.press('enter', 'enter');
    await at.terminal.until('grace is member on ws:community.');
    await at.terminal.clock.advance(1_000);
    await at.terminal.until('member on ws:community, given by');
    await at.terminal.press('x');
    await at.terminal.until('Take away from grace');
    await at.terminal.press('y');
    await at.terminal.until('grace no longer has it.');
    expect(at.asked('grant.rm')).toEqual([{ id: 'grnt_0009' }]);
  });

  test('leaving is confirmed twice, the second time by the name', async () => {
    at.open('users', { house: house() });
    await at.terminal.until('Grace Hopper');
    await at.terminal.press('down', 'enter');
    await at.terminal.until('This person holds nothing.');
    await at.terminal.press('o', 'y');
    await at.terminal.type('ada');
    await at.terminal.press('enter');
    await at.terminal.until('Nothing was taken');
    expect(at.asked('user.offboard')).toEqual([]);
    await at.terminal.press('o', 'y');
    await at.terminal.type('grace');
    await at.terminal.press('enter');
    await at.terminal.until('grace has left.');
  });

  test('who can do something, by which scope', async () => {
    at.open('users', { house: house() });
    await at.terminal.until('Grace Hopper');
    await at.terminal.press('w');
    await at.terminal.until('who has a role on *');
    await at.terminal.until('overlord');
  });
});
