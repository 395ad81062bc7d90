import { AppError, type AskResult } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { type FakeOptions, fakeWorld, frame } from '../cli/cli.fixture.ts';

const RUN = 'run_00000001';
const done: AskResult = {
  run_id: RUN,
  status: 'succeeded',
  output: 'Within 30 days.',
  citations: [{ path: 'faq.md', line: 3 }],
  pending_approvals: ['appr_0001'],
};
const posted = { run_id: RUN, task_id: 'task_00000001', context: 'cli-acme' };
const end = (run: AskResult) => frame({ type: 'end', run });
const text = (offset: number, part: string) => frame({ type: 'text', run_id: RUN, offset, text: part });

function world(options: FakeOptions) {
  return fakeWorld({ ...options, answers: { 'ask.post': posted, ...options.answers } });
}

describe('ask', () => {
  test('--json prints exactly the documented shape, and nothing before it', async () => {
    const cli = world({ stream: [text(0, 'With'), end(done)] });
    expect(await cli.run('ask', 'ping', '--json')).toBe(0);
    expect(cli.out()).toBe(`${JSON.stringify(done)}\n`);
    expect(cli.err()).toBe('');
    expect(cli.calls).toEqual([['ask.post', { text: 'ping', idempotency_key: 'key-00000001' }, 'signed']]);
  });

  test('prints answer, citations and what waits', async () => {
    const cli = world({ stream: [text(0, 'With'), end(done)] });
    expect(await cli.run('ask', 'two', 'words', '--context', 'ops', '--conversation', 'trip')).toBe(0);
    expect(cli.out()).toBe(
      'Within 30 days.\n  faq.md:3\nWaits for approval: appr_0001 (agent-runtime approval show appr_0001)\n',
    );
    expect(cli.calls[0]?.[1]).toMatchObject({ text: 'two words', context: 'ops', conversation: 'trip' });
  });

  test('leaves out citations that stand in the answer as path:line', async () => {
    const output = 'Within 30 days.\n(faq.md:13)\n\nSee also:\n- notes/faq.md:3 more';
    const citations = [
      { path: 'faq.md', line: 13 },
      { path: 'faq.md', line: 1 },
      { path: 'faq.md', line: 3 },
      { path: 'notes/faq.md', line: 3 },
    ];
    const cli = world({ stream: [end({ run_id: RUN, status: 'succeeded', output, citations })] });
    expect(await cli.run('ask', 'ping')).toBe(0);
    expect(cli.out()).toBe(`${output}\n  faq.md:1\n  faq.md:3\n`);
  });

  test('says which workspace it took when there are several, beside the answer', async () => {
    const answers = { 'ask.post': { ...posted, taken: 'acme' } };
    const cli = world({ answers, stream: [end(done)] });
    await cli.run('ask', 'ping');
    expect(cli.err()).toContain('workspace acme; --workspace');
    expect(cli.out()).not.toContain('acme');
    const json = world({ answers, stream: [end(done)] });
    await json.run('ask', 'ping', '--json');
    expect(json.err()).toBe('');
  });

  test('streams to a terminal, each word once', async () => {
    const cli = world({
      isTty: true,
      stream: [
        text(0, 'With'),
        text(4, 'in 30'),
        end({ run_id: RUN, status: 'succeeded', output: 'Within 30 days.' }),
      ],
    });
    await cli.run('ask', 'ping');
    expect(cli.out()).toBe('Within 30 days.\n');
  });

  test('shows the whole answer again when words that were out had to change', async () => {
    const cli = world({
      isTty: true,
      stream: [
        text(0, 'see http://x.y'),
        text(4, 'hxxp[:]//x[.]y'),
        end({ run_id: RUN, status: 'succeeded', output: 'see hxxp[:]//x[.]y' }),
      ],
    });
    await cli.run('ask', 'ping');
    expect(cli.out()).toContain('(corrected)\nsee hxxp[:]//x[.]y\n');
  });

  test('control characters of an answer do not reach the terminal', async () => {
    const output = 'ok\u001b]0;owned\u0007';
    const cli = world({
      isTty: true,
      stream: [text(0, output), end({ run_id: RUN, status: 'succeeded', output })],
    });
    await cli.run('ask', 'ping');
    expect(cli.out()).toBe('ok⟨U+001B⟩]0;owned⟨U+0007⟩\n');
    const piped = world({ stream: [end({ run_id: RUN, status: 'succeeded', output })] });
    await piped.run('ask', 'ping');
    expect(piped.out()).toBe('ok⟨U+001B⟩]0;owned⟨U+0007⟩\n');
  });

  test.each([
    [
      'failed',
      { kind: 'unavailable', code: 'run.llm.unavailable', message: 'The model is down.' } as const,
      8,
    ],
    [
      'failed',
      { kind: 'exhausted', code: 'run.budget.exhausted', message: 'The budget is spent.' } as const,
      7,
    ],
    ['aborted', undefined, 130],
  ] as const)('a run that %s exits with its code (%j)', async (status, error, code) => {
    const cli = world({ stream: [end({ run_id: RUN, status, ...(error === undefined ? {} : { error }) })] });
    expect(await cli.run('ask', 'ping')).toBe(code);
    if (error !== undefined) expect(cli.err()).toContain(error.message);
  });

  test('--timeout: exit 75 with what there is; the run goes on', async () => {
    const hang = async function* (): AsyncGenerator<never> {
      await new Promise((resolve) => setImmediate(resolve));
      throw new AppError({ code: 'tui.request.cancelled', kind: 'cancelled', message: 'Stopped.' });
    };
    const cli = world({
      stream: hang,
      answers: { 'ask.post': posted, 'run.show': { run_id: RUN, status: 'running' } },
    });
    expect(await cli.run('ask', 'ping', '--timeout', '0', '--json')).toBe(75);
    expect(JSON.parse(cli.out())).toEqual({ run_id: RUN, status: 'running' });
    for (const wrong of ['-1', 'soon'])
      expect(await world({}).run('ask', 'ping', '--timeout', wrong)).toBe(2);
  });

  test('a stream that breaks is no failure: the run is asked for, also over a restart', async () => {
    let asked = 0;
    const cli = world({
      stream: [text(0, 'With')],
      answers: {
        'ask.post': posted,
        'run.show': () => {
          asked += 1;
          if (asked < 3)
            throw new AppError({ code: 'tui.runtime.unavailable', kind: 'unavailable', message: 'down' });
          return done;
        },
      },
    });
    expect(await cli.run('ask', 'ping')).toBe(0);
    expect(cli.out()).toContain('Within 30 days.');
    expect(asked).toBe(3);
  });

  test('a runtime that stays away is told, not waited for without end', async () => {
    const cli = world({
      answers: {
        'ask.post': posted,
        'run.show': () => {
          throw new AppError({ code: 'tui.runtime.unavailable', kind: 'unavailable', message: 'down' });
        },
      },
    });
    expect(await cli.run('ask', 'ping')).toBe(8);
  });

  test('nothing to ask is a mistake', async () => {
    expect(await world({}).run('ask', '  ')).toBe(2);
  });
});
