import { describe, expect, test } from 'vitest';
import { contextFixture, hubFixture } from '../../app/fake-data.fixture.ts';
import { refusal } from '../../app/fake-house.fixture.ts';
import { expectScreen, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('admin hubs', SCREEN_TEST, () => {
  const old = hubFixture({
    id: 'ahub_00000002',
    state: 'active',
    context: 'old-staff',
    cleared_for: ['community'],
    approved_by: 'ada',
  });

  test('a place that asks is looked at, with where the hub was, before it is signed', async () => {
    at.open('contexts', { house: { contexts: [contextFixture()], hubs: [hubFixture(), old] } });
    await at.terminal.until('News of the garden');
    await at.terminal.press('h');
    await at.terminal.until('garden-staff');
    await expectScreen(at.terminal, 'hubs-80x24');
    await at.terminal.press('a');
    await at.terminal.until('Whose texts may be shown there');
    await at.terminal.type(', garden');
    await at.terminal.press('enter');
    await at.terminal.until('sees texts of: community, garden');
    expect(at.terminal.text()).toContain('It is no longer community/old-staff.');
    expect(at.asked('hub.approve')).toEqual([]);
    await at.terminal.press('y');
    await at.terminal.until('garden-staff is the admin hub of telegram.');
    expect(at.asked('hub.approve')).toEqual([{ id: 'ahub_00000001', workspaces: ['community', 'garden'] }]);
  });

  test('a hub is ended, and then nothing is there', async () => {
    at.open('contexts', { house: { contexts: [contextFixture()], hubs: [old] } });
    await at.terminal.until('News of the garden');
    await at.terminal.press('h');
    await at.terminal.until('old-staff');
    await at.terminal.press('x');
    await at.terminal.until('End the admin hub of telegram');
    expect(at.asked('hub.rm')).toEqual([]);
    await at.terminal.press('y');
    await at.terminal.until('telegram has no admin hub.');
    expect(at.asked('hub.rm')).toEqual([{ id: 'ahub_00000002' }]);
  });

  test('what the server refuses is said in its words; without one it says what to do', async () => {
    at.open('contexts', { house: { contexts: [contextFixture()] } });
    await at.terminal.until('News of the garden');
    at.terminal.client.refuse(
      'hub.list',
      refusal('policy.admin.denied', 'denied', 'hub.read needs the role operator.'),
    );
    await at.terminal.press('h');
    await at.terminal.until('hub.read needs the role operator.');
    await at.terminal.press('escape');
    await at.terminal.until('News of the garden');
    await at.terminal.press('h');
    await at.terminal.until('says /hub in a closed channel');
  });
});
