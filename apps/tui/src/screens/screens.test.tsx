import { afterEach, describe, expect, test } from 'vitest';
import { refusal } from '../app/fake-client.fixture.ts';
import {
  approvalFixture,
  auditFixture,
  contextFixture,
  hubFixture,
  pairingFixture,
  statusFixture,
  taskFixture,
  userFixture,
  workspaceFixture,
} from '../app/fake-data.fixture.ts';
import {
  expectScreen,
  type OpenOptions,
  openTerminal,
  SCREEN_TEST,
  type Terminal,
} from '../app/terminal.fixture.tsx';
import { SCREENS } from './registry.ts';

let terminal: Terminal;
const open = (start: string, options: OpenOptions = {}): Terminal => {
  terminal = openTerminal({ start, ...options });
  return terminal;
};
afterEach(() => terminal.close());

const asked = (route: string) =>
  terminal.client.calls.filter(([name]) => name === route).map(([, input]) => input);

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
    open(id, { house: { users: id === 'users' ? [] : [userFixture()] } });
    await terminal.until(words);
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
    open('overview');
    await terminal.until('online');
    terminal.client.refuse(route, refusal('admin.role.denied', 'denied', 'An admin may do this; ask ada.'));
    await terminal.press(SCREENS.find((screen) => screen.id === id)?.key ?? '');
    await terminal.until('An admin may do this; ask ada.');
    await terminal.press('1');
    await terminal.until('48,213 tokens');
  });
});

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
    open('tasks', { house: { tasks: [running] } });
    await terminal.until('running');
    await terminal.press('enter');
    await terminal.until('run_1');
    await terminal.clock.settle();
    for (let n = 0; n < 50 && !terminal.text().includes('Half of the'); n += 1) {
      terminal.client.emitRun('run_1', {
        type: 'step',
        run_id: 'run_1',
        step: 1,
        kind: 'tool',
        name: 'qmd_search',
        outcome: 'done',
      });
      terminal.client.emitRun('run_1', { type: 'text', run_id: 'run_1', offset: 0, text: 'Half of the' });
      await terminal.clock.advance(200);
      await terminal.clock.settle();
    }
    expect(terminal.text()).toContain('qmd_search');
    await expectScreen(terminal, 'task-80x24');
    terminal.client.emitRun('run_1', {
      type: 'end',
      run: {
        run_id: 'run_1',
        status: 'succeeded',
        output: 'All of the answer',
        citations: [{ path: 'faq.md', line: 3 }],
      },
    });
    await terminal.until('All of the answer');
    expect(terminal.text()).toContain('faq.md:3');
  });

  test('abort asks once; steer sends what was typed; retry starts it again', async () => {
    open('tasks', { house: { tasks: [running] } });
    await terminal.until('running');
    await terminal.press('enter');
    await terminal.until('run_1');
    await terminal.press('x', 'n');
    expect(asked('task.abort')).toEqual([]);
    await terminal.press('x', 'y');
    await terminal.until('run_1 is aborting.');
    await terminal.press('s');
    await terminal.type('shorter, please');
    await terminal.press('enter');
    await terminal.until('before its next step');
    expect(asked('task.steer')).toEqual([{ id: 'task_0001', text: 'shorter, please' }]);
  });

  test('what became of an uncertain effect is said by a person', async () => {
    open('tasks', { house: { tasks: [running] } });
    await terminal.until('running');
    await terminal.press('enter');
    await terminal.until('uncertain');
    await terminal.press('u', 'enter');
    await terminal.until('Did it?');
    await terminal.press('down', 'enter');
    await terminal.until('It counts as not-sent.');
    expect(asked('effect.resolve')).toEqual([{ id: 'efct_9', outcome: 'not-sent' }]);
  });

  test('a finished one shows its answer and can be tried again', async () => {
    open('tasks', {
      house: {
        tasks: [taskFixture(1)],
        runs: new Map([
          ['run_1', { run_id: 'run_1', status: 'succeeded', output: 'The refund takes a week.' }],
        ]),
      },
    });
    await terminal.until('succeeded');
    await terminal.press('enter');
    await terminal.until('The refund takes a week.');
    await terminal.press('r');
    await terminal.until('run_1 is queued.');
  });
});

describe('chat', SCREEN_TEST, () => {
  test('an answer comes while it is written, also behind another screen, with where it comes from', async () => {
    open('chat', { house: { contexts: [contextFixture()], workspaces: [workspaceFixture()] } });
    await terminal.until('Nothing was said yet.');
    await terminal.press('c');
    await terminal.until('between you and the agent');
    await terminal.press('down', 'enter');
    await terminal.until('in community / news');
    await terminal.press('i');
    await terminal.type('When does it open?');
    await terminal.press('enter');
    await terminal.until('› When does it open?');
    expect(asked('ask.post')).toMatchObject([
      { text: 'When does it open?', workspace: 'community', context: 'news' },
    ]);
    await terminal.press('1');
    await terminal.until('Overview');
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
    await terminal.press('4');
    for (let n = 0; n < 50 && !terminal.text().includes('On Saturday'); n += 1) {
      terminal.client.emitRun('run_ask1', end);
      await terminal.clock.advance(200);
      await terminal.clock.settle();
    }
    expect(terminal.text()).toContain('news.md:7');
    await expectScreen(terminal, 'chat-80x24');
  });

  test('a question that is refused says why', async () => {
    open('chat');
    await terminal.until('Nothing was said yet.');
    terminal.client.refuse(
      'ask.post',
      refusal('budget.day.exhausted', 'exhausted', 'The budget of today is spent.'),
    );
    await terminal.press('i');
    await terminal.type('hello');
    await terminal.press('enter');
    await terminal.until('The budget of today is spent.');
  });
});

describe('pairings', SCREEN_TEST, () => {
  const house = () => ({
    pairings: new Map([['123456', pairingFixture()]]),
    workspaces: [workspaceFixture()],
  });

  test('code, person, role, place and end make a choice that is looked at before it counts', async () => {
    open('pairings', { house: house() });
    await terminal.until('Grace H.');
    await expectScreen(terminal, 'pairings-80x24');
    await terminal.press('p');
    await terminal.type('123456');
    await terminal.press('enter');
    await terminal.until('Who is telegram 815');
    await terminal.press('enter');
    await terminal.until('Short name');
    await terminal.type('grace');
    await terminal.press('enter');
    await terminal.until('Role of grace');
    await terminal.press('enter');
    await terminal.until('Where is grace member');
    await terminal.press('enter');
    await terminal.until('Until when');
    await terminal.type('30d');
    await terminal.press('enter');
    await terminal.until('becomes grace (new)');
    await terminal.press('y');
    await terminal.until('telegram 815 is grace.');
    expect(terminal.client.paired).toEqual([
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
    open('pairings', { house: house() });
    await terminal.until('Grace H.');
    await terminal.press('p');
    await terminal.type('000000');
    await terminal.press('enter');
    await terminal.until('There is no such code');
    expect(terminal.client.paired).toEqual([]);
  });
});

describe('admin hubs', SCREEN_TEST, () => {
  const old = hubFixture({
    id: 'ahub_00000002',
    state: 'active',
    context: 'old-staff',
    cleared_for: ['community'],
    approved_by: 'ada',
  });

  test('a place that asks is looked at, with where the hub was, before it is signed', async () => {
    open('contexts', { house: { contexts: [contextFixture()], hubs: [hubFixture(), old] } });
    await terminal.until('News of the garden');
    await terminal.press('h');
    await terminal.until('garden-staff');
    await expectScreen(terminal, 'hubs-80x24');
    await terminal.press('a');
    await terminal.until('Whose texts may be shown there');
    await terminal.type(', garden');
    await terminal.press('enter');
    await terminal.until('sees texts of: community, garden');
    expect(terminal.text()).toContain('It is no longer community/old-staff.');
    expect(asked('hub.approve')).toEqual([]);
    await terminal.press('y');
    await terminal.until('garden-staff is the admin hub of telegram.');
    expect(asked('hub.approve')).toEqual([{ id: 'ahub_00000001', workspaces: ['community', 'garden'] }]);
  });

  test('a hub is ended, and then nothing is there', async () => {
    open('contexts', { house: { contexts: [contextFixture()], hubs: [old] } });
    await terminal.until('News of the garden');
    await terminal.press('h');
    await terminal.until('old-staff');
    await terminal.press('x');
    await terminal.until('End the admin hub of telegram');
    expect(asked('hub.rm')).toEqual([]);
    await terminal.press('y');
    await terminal.until('telegram has no admin hub.');
    expect(asked('hub.rm')).toEqual([{ id: 'ahub_00000002' }]);
  });

  test('what the server refuses is said in its words; without one it says what to do', async () => {
    open('contexts', { house: { contexts: [contextFixture()] } });
    await terminal.until('News of the garden');
    terminal.client.refuse(
      'hub.list',
      refusal('policy.admin.denied', 'denied', 'hub.read needs the role operator.'),
    );
    await terminal.press('h');
    await terminal.until('hub.read needs the role operator.');
    await terminal.press('escape');
    await terminal.until('News of the garden');
    await terminal.press('h');
    await terminal.until('says /hub in a closed channel');
  });
});

describe('contexts and workspaces', SCREEN_TEST, () => {
  const house = () => ({
    contexts: [contextFixture()],
    workspaces: [workspaceFixture()],
    files: new Map([['AGENTS.md', ['# Rules', 'Be kind.']]]),
  });

  test('a setting is changed, or goes back to what is inherited', async () => {
    open('contexts', { house: house(), rows: 40 });
    await terminal.until('News of the garden');
    await terminal.press('enter');
    await terminal.until('What the workspace community says');
    await expectScreen(terminal, 'context-80x40');
    await terminal.press('e');
    await terminal.until('Change which setting');
    await terminal.press('6', 'enter');
    await terminal.until('temperature');
    await terminal.press('ctrl+u');
    await terminal.type('hot');
    await terminal.press('enter');
    await terminal.until('temperature takes a number');
    expect(asked('context.set')).toEqual([]);
    await terminal.press('e', '6', 'enter', 'ctrl+u');
    await terminal.type('0.7');
    await terminal.press('enter');
    await terminal.until('temperature of news is changed.');
    await terminal.press('e', '4', 'enter', 'ctrl+u');
    await terminal.type('inherit');
    await terminal.press('enter');
    await terminal.until('tools of news is changed.');
    expect(asked('context.set')).toEqual([
      { id: 'news', temperature: 0.7 },
      { id: 'news', tools: null },
    ]);
  });

  test('the files of the prompt are shown in their order, also those that are not there', async () => {
    open('contexts', { house: house(), rows: 40 });
    await terminal.until('News of the garden');
    await terminal.press('enter');
    await terminal.until('In force here');
    await terminal.press('p');
    await terminal.until('Be kind.');
    expect(terminal.text()).toContain('not there: the built-in words count');
  });

  test('a workspace is changed', async () => {
    open('workspaces', { house: house(), rows: 40 });
    await terminal.until('The Community');
    await terminal.press('enter');
    await terminal.until('5 runs');
    await terminal.press('e', '3', 'enter', 'ctrl+u');
    await terminal.type('7');
    await terminal.press('enter');
    await terminal.until('concurrency of community is changed.');
    expect(asked('workspace.set')).toEqual([{ id: 'community', concurrency: 7 }]);
  });
});

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
    open('users', { house: house() });
    await terminal.until('Grace Hopper');
    await terminal.press('down', 'enter');
    await terminal.until('This person holds nothing.');
    await terminal.press('a', 'enter');
    await terminal.until('Where is grace member');
    await terminal.press('enter', 'enter');
    await terminal.until('grace is member on ws:community.');
    await terminal.clock.advance(1_000);
    await terminal.until('member on ws:community, given by');
    await terminal.press('x');
    await terminal.until('Take away from grace');
    await terminal.press('y');
    await terminal.until('grace no longer has it.');
    expect(asked('grant.rm')).toEqual([{ id: 'grnt_0009' }]);
  });

  test('leaving is confirmed twice, the second time by the name', async () => {
    open('users', { house: house() });
    await terminal.until('Grace Hopper');
    await terminal.press('down', 'enter');
    await terminal.until('This person holds nothing.');
    await terminal.press('o', 'y');
    await terminal.type('ada');
    await terminal.press('enter');
    await terminal.until('Nothing was taken');
    expect(asked('user.offboard')).toEqual([]);
    await terminal.press('o', 'y');
    await terminal.type('grace');
    await terminal.press('enter');
    await terminal.until('grace has left.');
  });

  test('who can do something, by which scope', async () => {
    open('users', { house: house() });
    await terminal.until('Grace Hopper');
    await terminal.press('w');
    await terminal.until('who has a role on *');
    await terminal.until('overlord');
  });
});

describe('secrets', SCREEN_TEST, () => {
  test('a value is dots on the screen and whole on the way', async () => {
    open('secrets');
    await terminal.until('No secrets are kept.');
    await terminal.press('s');
    await terminal.type('LLM_API_KEY');
    await terminal.press('enter');
    await terminal.until('Value of LLM_API_KEY');
    expect(terminal.text()).not.toContain('•');
    await terminal.type('hunter2');
    await terminal.until('•••••••');
    await terminal.press('enter');
    await terminal.until('LLM_API_KEY is kept.');
    expect(asked('secret.set')).toEqual([{ name: 'LLM_API_KEY', value: 'hunter2' }]);
    expect(terminal.raw()).not.toContain('hunter2');
    await terminal.clock.advance(1_000);
    await terminal.until('vault');
    await terminal.press('x', 'y');
    await terminal.until('LLM_API_KEY is forgotten.');
  });
});

describe('audit', SCREEN_TEST, () => {
  const house = () => ({
    audit: [auditFixture(12), auditFixture(11, { action: 'task.create', subject: 'task_0001' })],
    approvals: [approvalFixture(12)],
  });

  test('records are searched at the server, opened, and explained', async () => {
    open('audit', { house: house() });
    await terminal.until('task.create');
    await expectScreen(terminal, 'audit-80x24');
    await terminal.press('s');
    await terminal.type('task_0001');
    await terminal.press('enter');
    await terminal.until('Audit  task_0001');
    expect(asked('audit.tail').at(-1)).toMatchObject({ subject: 'task_0001' });
    await terminal.press('enter');
    await terminal.until('record 11');
    await terminal.press('y');
    await terminal.until('a message to an open channel is asked for');
  });

  test('a log that was changed is told loudly', async () => {
    open('audit', {
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
    await terminal.until('task.create');
    await terminal.press('v');
    await terminal.until('THE LOG WAS CHANGED: 1 problems in 412 records');
    expect(terminal.text()).toContain('hash at 9');
  });
});

describe('panic', SCREEN_TEST, () => {
  test('on after one question, off by a signature, and the frame shows it everywhere', async () => {
    open('panic');
    await terminal.until('Panic is off.');
    await terminal.press('p', 'n');
    expect(asked('panic.on')).toEqual([]);
    await terminal.press('p', 'y');
    await terminal.until('Panic is on. Nothing starts');
    await terminal.clock.advance(1_000);
    await terminal.until('P A N I C   I S   O N');
    await expectScreen(terminal, 'panic-80x24');
    await terminal.press('1');
    await terminal.until('PANIC IS ON');
    await terminal.press('0');
    await terminal.until('P A N I C');
    await terminal.press('o', 'y');
    await terminal.until('Panic is off. Look at uncertain effects');
  });

  test('a gate that is closed is opened here', async () => {
    open('panic', {
      house: { status: statusFixture({ gate: { closed: true, reason: 'after a restore' } }) },
    });
    await terminal.until('T H E   G A T E');
    await terminal.press('t', 'y');
    await terminal.until('The gate is open.');
  });
});
