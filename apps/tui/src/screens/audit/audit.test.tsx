import { describe, expect, test } from 'vitest';
import { approvalFixture, auditFixture } from '../../app/fake-data.fixture.ts';
import { expectScreen, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('audit', SCREEN_TEST, () => {
  const house = () => ({
    audit: [auditFixture(12), auditFixture(11, { action: 'task.create', subject: 'task_0001' })],
    approvals: [approvalFixture(12)],
  });

  test('records are searched at the server, opened, and explained', async () => {
    at.open('audit', { house: house() });
    await at.terminal.until('task.create');
    await expectScreen(at.terminal, 'audit-80x24');
    await at.terminal.press('s');
    await at.terminal.type('task_0001');
    await at.terminal.press('enter');
    await at.terminal.until('Audit  task_0001');
    expect(at.asked('audit.tail').at(-1)).toMatchObject({ subject: 'task_0001' });
    await at.terminal.press('enter');
    await at.terminal.until('record 11');
    await at.terminal.press('y');
    await at.terminal.until('a message to an open channel is asked for');
  });

  test('a log that was changed is told loudly', async () => {
    at.open('audit', {
      house: {
        ...house(),
        verdict: {
          ok: false,
          count: 412,
          head: 'x',
          problems: [{ kind: 'hash', seq: 9, text: 'does not follow from the one before' }],
          signatures: { good: 3, unchecked: 0 },
        },
      },
    });
    await at.terminal.until('task.create');
    await at.terminal.press('v');
    await at.terminal.until('THE LOG WAS CHANGED: 1 problems in 412 records');
    expect(at.terminal.text()).toContain('hash at 9');
  });
});
