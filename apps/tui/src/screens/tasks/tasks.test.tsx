import { describe, expect, test } from 'vitest';
import { taskFixture } from '../../app/fake-data.fixture.ts';
import { expectScreen, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('tasks', SCREEN_TEST, () => {
  const running = taskFixture(1, {
    status: 'running',
    runs: [
      {
        id: 'run_1',
        status: 'running',
        attempt: 1,
        created_at: '2026-11-30T11:00:00.000Z',
        pending_approvals: [],
      },
    ],
    effects: [{ id: 'efct_9', kind: 'message.post', state: 'uncertain', summary: 'post to #news' }],
  });

  test('the text of a running one is shown while it is written', async () => {
    at.open('tasks', { house: { tasks: [running] } });
    await at.terminal.until('running');
    await at.terminal.press('enter');
    await at.terminal.until('run_1');
    await at.terminal.clock.settle();
    for (let n = 0; n < 50 && !at.terminal.text().includes('Half of the'); n += 1) {
      at.terminal.client.emitRun('run_1', {
        type: 'step',
        run_id: 'run_1',
        step: 1,
        kind: 'tool',
        name: 'qmd_search',
        outcome: 'done',
      });
      at.terminal.client.emitRun('run_1', { type: 'text', run_id: 'run_1', offset: 0, text: 'Half of the' });
      await at.terminal.clock.advance(200);
      await at.terminal.clock.settle();
    }
    expect(at.terminal.text()).toContain('qmd_search');
    await expectScreen(at.terminal, 'task-80x24');
    at.terminal.client.emitRun('run_1', {
      type: 'end',
      run: {
        run_id: 'run_1',
        status: 'succeeded',
        output: 'All of the answer',
        citations: [{ path: 'faq.md', line: 3 }],
      },
    });
    await at.terminal.until('All of the answer');
    expect(at.terminal.text()).toContain('faq.md:3');
  });

  test('abort asks once; steer sends what was typed; retry starts it again', async () => {
    at.open('tasks', { house: { tasks: [running] } });
    await at.terminal.until('running');
    await at.terminal.press('enter');
    await at.terminal.until('run_1');
    await at.terminal.press('x', 'n');
    expect(at.asked('task.abort')).toEqual([]);
    await at.terminal.press('x', 'y');
    await at.terminal.until('run_1 is aborting.');
    await at.terminal.press('s');
    await at.terminal.type('shorter, please');
    await at.terminal.press('enter');
    await at.terminal.until('before its next step');
    expect(at.asked('task.steer')).toEqual([{ id: 'task_0001', text: 'shorter, please' }]);
  });

  test('what became of an uncertain effect is said by a person', async () => {
    at.open('tasks', { house: { tasks: [running] } });
    await at.terminal.until('running');
    await at.terminal.press('enter');
    await at.terminal.until('uncertain');
    await at.terminal.press('u', 'enter');
    await at.terminal.until('Did it?');
    await at.terminal.press('down', 'enter');
    await at.terminal.until('It counts as not-sent.');
    expect(at.asked('effect.resolve')).toEqual([{ id: 'efct_9', outcome: 'not-sent' }]);
  });

  test('a finished one shows its answer and can be tried again', async () => {
    at.open('tasks', {
      house: {
        tasks: [taskFixture(1)],
        runs: new Map([
          ['run_1', { run_id: 'run_1', status: 'succeeded', output: 'The refund takes a week.' }],
        ]),
      },
    });
    await at.terminal.until('succeeded');
    await at.terminal.press('enter');
    await at.terminal.until('The refund takes a week.');
    await at.terminal.press('r');
    await at.terminal.until('run_1 is queued.');
  });
});
