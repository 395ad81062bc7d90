import { describe, expect, test } from 'vitest';
import { contextFixture, workspaceFixture } from '../../app/fake-data.fixture.ts';
import { refusal } from '../../app/fake-house.fixture.ts';
import { expectScreen, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('chat', SCREEN_TEST, () => {
  test('an answer comes while it is written, also behind another screen, with where it comes from', async () => {
    at.open('chat', { house: { contexts: [contextFixture()], workspaces: [workspaceFixture()] } });
    await at.terminal.until('Nothing was said yet.');
    await at.terminal.press('c');
    await at.terminal.until('between you and the agent');
    await at.terminal.press('down', 'enter');
    await at.terminal.until('in community / news');
    await at.terminal.press('i');
    await at.terminal.type('When does it open?');
    await at.terminal.press('enter');
    await at.terminal.until('› When does it open?');
    expect(at.asked('ask.post')).toMatchObject([
      { text: 'When does it open?', workspace: 'community', context: 'news' },
    ]);
    await at.terminal.press('1');
    await at.terminal.until('Overview');
    const end = {
      type: 'end',
      run: {
        run_id: 'run_ask1',
        status: 'succeeded',
        output: 'On Saturday at 10.',
        citations: [{ path: 'news.md', line: 7 }],
        pending_approvals: ['appr_0001'],
      },
    };
    await at.terminal.press('4');
    for (let n = 0; n < 50 && !at.terminal.text().includes('On Saturday'); n += 1) {
      at.terminal.client.emitRun('run_ask1', end);
      await at.terminal.clock.advance(200);
      await at.terminal.clock.settle();
    }
    expect(at.terminal.text()).toContain('news.md:7');
    await expectScreen(at.terminal, 'chat-80x24');
  });

  test('a question that is refused says why', async () => {
    at.open('chat');
    await at.terminal.until('Nothing was said yet.');
    at.terminal.client.refuse(
      'ask.post',
      refusal('budget.day.exhausted', 'exhausted', 'The budget of today is spent.'),
    );
    await at.terminal.press('i');
    await at.terminal.type('hello');
    await at.terminal.press('enter');
    await at.terminal.until('The budget of today is spent.');
  });
});
