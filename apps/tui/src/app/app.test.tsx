import { afterEach, describe, expect, test } from 'vitest';
import { SCREENS } from '../screens/registry.ts';
import { fakeClient } from './fake-client.fixture.ts';
import {
  approvalFixture,
  auditFixture,
  contextFixture,
  pairingFixture,
  statusFixture,
  taskFixture,
  userFixture,
  workspaceFixture,
} from './fake-data.fixture.ts';
import type { FakeHouse } from './fake-house.fixture.ts';
import { MINUTES, RECENT_EVENTS } from './session.ts';
import {
  expectInside,
  expectScreen,
  type OpenOptions,
  openTerminal,
  SCREEN_TEST,
  type Terminal,
} from './terminal.fixture.tsx';

let terminal: Terminal;
const open = (options: OpenOptions = {}): Terminal => {
  terminal = openTerminal(options);
  return terminal;
};
afterEach(() => terminal.close());

const filled = (): Partial<FakeHouse> => ({
  approvals: [approvalFixture(1), approvalFixture(2, { tier: 'high', kind: 'mail.send' })],
  tasks: [taskFixture(1), taskFixture(2, { status: 'failed' })],
  contexts: [
    contextFixture(),
    contextFixture({ id: 'ops', title: 'Operations', openness: 'closed', kind: 'group' }),
  ],
  workspaces: [workspaceFixture()],
  audit: [auditFixture(12), auditFixture(11, { action: 'task.create' })],
  secrets: new Map([['LLM_API_KEY', { name: 'LLM_API_KEY', source: 'vault' as const }]]),
  pairings: new Map([['123456', pairingFixture()]]),
  status: statusFixture({ effects_uncertain: 1 }),
});

/** What somebody outside may call themselves. */
const HOSTILE =
  '\u001b]0;PWNED\u0007\u001b[2J\u009b31m\u202eevil\u200b\r\nsecond\tline 界界界界界界界界界界界界界界界界界界界界界界界界界界界界';

const hostile = (): Partial<FakeHouse> => ({
  approvals: [
    approvalFixture(1, {
      summary: HOSTILE,
      requester: HOSTILE,
      kind: HOSTILE,
      context: HOSTILE,
      label: HOSTILE,
      reasons: [HOSTILE],
      bytes: {
        sink: { connector: HOSTILE, account: HOSTILE, address: HOSTILE },
        recipients: [HOSTILE],
        payloads: [{ text: HOSTILE, [HOSTILE]: [HOSTILE] }],
        visible: '',
        has_hidden: true,
      },
      diff: { added: 1, removed: 1, text: `+${HOSTILE}\n-${HOSTILE}`, is_cut: false },
    }),
  ],
  tasks: [taskFixture(1, { title: HOSTILE, requester: HOSTILE })],
  contexts: [contextFixture({ title: HOSTILE, channel: HOSTILE })],
  workspaces: [workspaceFixture({ title: HOSTILE, owner: HOSTILE })],
  users: [userFixture({ name: HOSTILE, display_name: HOSTILE })],
  audit: [
    auditFixture(1, { subject: HOSTILE, actor: HOSTILE, action: HOSTILE, data: { [HOSTILE]: HOSTILE } }),
  ],
  pairings: new Map([
    ['1', pairingFixture({ display_name: HOSTILE, external_id: HOSTILE, connector: HOSTILE })],
  ]),
  status: statusFixture({
    models: [HOSTILE],
    panic: { on: true, by: HOSTILE },
    gate: { closed: true, reason: HOSTILE },
  }),
});

describe('overview', SCREEN_TEST, () => {
  test('says how it is, and what needs a person first', async () => {
    open({ house: filled() });
    await terminal.until('2 questions wait');
    await terminal.until('● online');
    expect(terminal.text()).toContain('48,213 tokens');
    expectInside(terminal, 80, 24);
    await expectScreen(terminal, 'overview-80x24');
  });

  test('a wide terminal has the names of the screens at the left', async () => {
    open({ house: filled(), columns: 120, rows: 40 });
    await terminal.until('2 questions wait');
    expectInside(terminal, 120, 40);
    await expectScreen(terminal, 'overview-120x40');
  });

  test('its keys lead to what waits', async () => {
    open({ house: filled() });
    await terminal.until('2 questions wait');
    await terminal.press('a');
    await terminal.until('2 waiting');
  });
});

describe('the frame', SCREEN_TEST, () => {
  test.each([
    [60, 16],
    [80, 24],
    [200, 60],
  ] as const)('every screen fits into %s columns, whatever its texts are', async (columns, rows) => {
    open({ house: hostile(), columns, rows });
    await terminal.until('online');
    for (const screen of SCREENS) {
      await terminal.press(screen.key);
      await terminal.until(screen.title);
      expectInside(terminal, columns, rows);
      await terminal.press('enter');
      expectInside(terminal, columns, rows);
      await terminal.press('escape', 'escape');
    }
  });

  test('a terminal that is too small says so, and works when it has grown', async () => {
    open({ house: filled(), columns: 50, rows: 12 });
    await terminal.until('This terminal is too small.');
    expect(terminal.text()).toContain('It has 50 x 12');
    terminal.resize(80, 24);
    await terminal.until('2 questions wait');
    terminal.resize(200, 60);
    await terminal.until('0 Panic');
    expectInside(terminal, 200, 60);
  });

  test('every key leads to one screen, and tab goes through them', async () => {
    expect(new Set(SCREENS.map((screen) => screen.key)).size).toBe(SCREENS.length);
    open({ house: filled() });
    await terminal.until('online');
    await terminal.press('tab', 'tab');
    await terminal.until('[3 Tasks]');
    await terminal.press('escape');
    await terminal.until('[1 Overview]');
  });

  test('help says what this screen is for and what its keys do', async () => {
    open({ house: filled(), start: 'approvals' });
    await terminal.until('2 waiting');
    await terminal.press('?');
    await terminal.until('Only there is something approved'.slice(5));
    await terminal.press('G');
    await terminal.until('Everything here is also a command');
    await terminal.press('escape');
    await terminal.until('2 waiting');
  });

  test('the palette finds screens and actions by their words', async () => {
    open({ house: filled(), start: 'audit' });
    await terminal.until('approval.grant');
    await terminal.press(':');
    await terminal.type('verify');
    await terminal.until('check every link');
    await terminal.press('enter');
    await terminal.until('The log is whole: 412 records');
    await terminal.press(':');
    await terminal.type('isolated');
    await terminal.press('enter');
    await terminal.until('The Community');
    await terminal.press(':');
    await terminal.type('no such thing');
    await terminal.until('Nothing has that name.');
    await terminal.press('escape');
  });

  test('a list is filtered by words, and the filter goes away', async () => {
    open({ house: filled(), start: 'contexts' });
    await terminal.until('Operations');
    await terminal.press('/');
    await terminal.type('closed');
    await terminal.until('1 of 2');
    expect(terminal.text()).not.toContain('News of the garden');
    await terminal.press('enter', 'escape');
    await terminal.until('News of the garden');
  });

  test('a screen reader gets words instead of drawings', async () => {
    open({ house: filled(), start: 'approvals', theme: { isReader: true } });
    await terminal.until('selected, high');
    expect(terminal.text()).not.toMatch(/[─●›▁█]/);
  });
});

describe('hostile text', SCREEN_TEST, () => {
  test('its control characters never reach the terminal', async () => {
    open({ house: hostile(), columns: 120, rows: 50, isRaw: true });
    await terminal.untilWritten('PWNED', 0);
    // Every screen whose list or body holds words of others, and what opens from it.
    for (const id of [
      'approvals',
      'tasks',
      'pairings',
      'contexts',
      'workspaces',
      'users',
      'audit',
      'panic',
    ]) {
      const from = terminal.raw().length;
      await terminal.press(SCREENS.find((screen) => screen.id === id)?.key ?? '');
      await terminal.untilWritten('PWNED', from);
      await terminal.press('enter', '?', 'escape', 'escape', 'escape');
    }
    const raw = terminal.raw();
    expect(raw).toContain('⟨U+001B⟩');
    expect(raw).toContain('⟨U+202E⟩');
    expect(raw).not.toContain('\u001b]');
    expect(raw).not.toContain('\u0007');
    expect(raw).not.toContain('\u009b');
    expect(raw).not.toContain('\u202e');
    expect(raw).not.toContain('\u200b');
    expect(raw).not.toContain('\u001b[2J');
  });
});

describe('the line to the runtime', SCREEN_TEST, () => {
  test('a runtime that is not there yet is waited for', async () => {
    const client = fakeClient(filled());
    client.setUp(false);
    open({ client });
    await terminal.until('OFFLINE');
    expect(terminal.text()).toContain('npm start');
    client.setUp(true);
    await terminal.clock.advance(11_000);
    await terminal.until('2 questions wait');
    expect(terminal.text()).not.toContain('OFFLINE');
  });

  test('after a cut it tries again by itself, and reads what it missed', async () => {
    open({ house: filled(), start: 'approvals' });
    await terminal.until('2 waiting');
    terminal.client.setUp(false);
    await terminal.until('OFFLINE');
    terminal.client.house.approvals.push(approvalFixture(3, { summary: 'came while we were away' }));
    terminal.client.setUp(true);
    await terminal.clock.advance(11_000);
    await terminal.until('came while we were away');
    expect(terminal.text()).not.toContain('OFFLINE');
  });

  test('a line that is cut without a word is noticed', async () => {
    open({ house: filled() });
    await terminal.until('online');
    terminal.client.setUp(false, 'silent');
    await terminal.clock.advance(11_000);
    await terminal.until('OFFLINE');
    terminal.client.setUp(true);
    await terminal.clock.advance(11_000);
    await terminal.until('● online');
  });

  test('events change lists, and are counted', async () => {
    open({ house: filled(), start: 'approvals' });
    await terminal.until('2 waiting');
    terminal.client.house.approvals.push(approvalFixture(3, { summary: 'a new question' }));
    terminal.client.emit({ topic: 'approvals', kind: 'approval.pending', data: { id: 'appr_0003' } });
    await terminal.clock.advance(1_000);
    await terminal.until('a new question');
    await terminal.press('1');
    await terminal.until('1 this minute');
    expect(terminal.text()).toContain('approval.pending');
  });

  test('answers from a chat are told in a sentence: who, what and where', async () => {
    open({ house: filled(), start: 'overview' });
    await terminal.until('online');
    const tell = (more: object): void =>
      terminal.client.emit({
        topic: 'approvals',
        kind: 'approval.chat',
        data: {
          id: 'appr_0001',
          decision: 'grant',
          by: 'user_1',
          name: 'Boss',
          workspace: 'kitchen',
          context: 'ops',
          ...more,
        },
      });
    tell({});
    tell({ decision: 'edit', name: 'Mia\u001b[31m' });
    await terminal.clock.advance(1_000);
    await terminal.until('Boss approved appr_0001 in chat, kitchen/ops');
    expect(terminal.text()).toMatch(/Mia\S* put other words into appr_0001/);
  });

  test('what the line wants known stands at the top, and takes a line from the screen below', async () => {
    const notice = "certificate refused: over this machine's socket; agent-runtime enrol --force";
    open({ client: { ...fakeClient(filled()), notice } });
    await terminal.until(notice);
    await terminal.until('● online');
    const lines = terminal.text().split('\n');
    expect([lines.length, Math.max(...lines.map((line) => line.length))]).toEqual([24, 80]);
  });

  test('an hour of events costs no more memory than a minute', async () => {
    const { makeSession } = await import('./session.ts');
    const { manualClock } = await import('@agent-runtime/testkit');
    open();
    const clock = manualClock();
    const client = fakeClient();
    const session = makeSession({ connect: async () => client, clock, wire: () => import('./wire.ts') });
    const stop = new AbortController();
    const running = session.run(stop.signal);
    for (let n = 0; n < 20 && session.state().link !== 'online'; n += 1) await clock.advance(0);
    for (let minute = 0; minute < 70; minute += 1) {
      for (let n = 0; n < 10; n += 1)
        client.emit({ topic: 'effects', kind: 'effect.done', data: { id: `efct_${n}` } });
      await clock.advance(60_000);
    }
    const { recent, perMinute, versions } = session.state();
    expect([recent.length, perMinute.length]).toEqual([RECENT_EVENTS, MINUTES]);
    expect(versions.effects).toBe(700);
    stop.abort();
    await running;
  });
});
