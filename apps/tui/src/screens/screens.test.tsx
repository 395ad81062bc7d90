import { describe, test } from 'vitest';
import { userFixture } from '../app/fake-data.fixture.ts';
import { refusal } from '../app/fake-house.fixture.ts';
import { SCREEN_TEST } from '../app/terminal.fixture.tsx';
import { useTerminal } from '../app/use-terminal.fixture.ts';
import { SCREENS } from './registry.ts';

const at = useTerminal();

describe('a screen with nothing on it says what to do next', SCREEN_TEST, () => {
  test.each([
    ['approvals', 'Nothing waits for an answer.'],
    ['tasks', 'agent-runtime ask'],
    ['chat', 'Press i, type a question'],
    ['pairings', 'Nobody asks to be paired.'],
    ['contexts', 'agent-runtime context bind'],
    ['workspaces', 'n makes one.'],
    ['users', 'n adds a person.'],
    ['audit', 'The log is for staff'],
    ['schedules', 'no schedules yet'],
    ['secrets', 's keeps one'],
  ])('%s', async (id, words) => {
    at.open(id, { house: { users: id === 'users' ? [] : [userFixture()] } });
    await at.terminal.until(words);
  });
});

describe('what the server refuses is shown and ends nothing', SCREEN_TEST, () => {
  test.each([
    ['tasks', 'task.list'],
    ['contexts', 'context.list'],
    ['workspaces', 'workspace.list'],
    ['users', 'user.list'],
    ['audit', 'audit.tail'],
    ['secrets', 'secret.list'],
  ] as const)('%s', async (id, route) => {
    at.open('overview');
    await at.terminal.until('online');
    at.terminal.client.refuse(
      route,
      refusal('admin.role.denied', 'denied', 'An admin may do this; ask ada.'),
    );
    await at.terminal.press(SCREENS.find((screen) => screen.id === id)?.key ?? '');
    await at.terminal.until('An admin may do this; ask ada.');
    await at.terminal.press('1');
    await at.terminal.until('48,213 tokens');
  });
});
