import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorEnvelopeSchema } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { type Process, runMain } from './run-main.ts';

const folder = mkdtempSync(join(tmpdir(), 'main-'));
const ROOT = new URL('../../../..', import.meta.url).pathname;

async function run(
  args: readonly string[],
  patch: Partial<Process> = {},
): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const code = await runMain({
    args,
    env: { AGENT_RUNTIME_DATA_DIR: join(folder, 'data') },
    cwd: folder,
    root: ROOT,
    time: { wallMs: () => 0, monotonicMs: () => 0 },
    random: (size) => new Uint8Array(size),
    out: (part) => {
      text.out += part;
    },
    err: (part) => {
      text.err += part;
    },
    isTty: false,
    isLogTty: false,
    runtimeDir: folder,
    onSignal: () => undefined,
    onUncaught: () => undefined,
    exit: () => {
      throw new Error('exited');
    },
    ...patch,
  });
  return { code, ...text };
}

test('help is an answer, not an error', async () => {
  const { code, out, err } = await run(['--help']);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('audit-verify');
});

test('a mistake gives its kind’s exit code and says how it is meant', async () => {
  const { code, out, err } = await run(['audit-verify']);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('--file');
});

test('with --json the same comes as an envelope on standard output, also for mistakes in the arguments', async () => {
  for (const args of [
    ['dance', '--json'],
    ['up', '--fast', '--json'],
  ]) {
    const { code, out, err } = await run(args);
    expect([code, err]).toEqual([2, '']);
    expect(errorEnvelopeSchema.parse(JSON.parse(out)).error.code).toBe('runtime.usage.invalid');
  }
});

test('a command that needs an instance says how to make one', async () => {
  for (const command of ['up', 'rebuild']) {
    const { code, err } = await run([command]);
    expect(code).toBe(5);
    expect(err).toContain('agent-runtime setup');
  }
});

test('without a terminal nobody is asked, and nothing is made', async () => {
  const { code, err } = await run(['setup']);
  expect(code).toBe(2);
  expect(err).toContain('setup --yes');
});

test('panic needs an instance to stop', async () => {
  const { code, err } = await run(['panic-on']);
  expect(code).toBe(5);
  expect(err).toContain('nothing to stop');
});

test('what breaks inside is a bug with its stack for whoever started it', async () => {
  const { code, err } = await run(['up'], { root: '/nowhere' });
  expect(code).toBe(70);
  expect(err).toContain('Reference');
});

test('an error that nobody caught is logged under a reference and ends the process', async () => {
  let uncaught: (thrown: unknown) => void = () => undefined;
  let log = '';
  const codes: number[] = [];
  await run(['up'], {
    onUncaught: (listener) => {
      uncaught = listener;
    },
    err: (part) => {
      log += part;
    },
    exit: (code) => {
      codes.push(code);
      throw new Error('exited');
    },
  });
  expect(() => uncaught(new Error('out of thin air'))).toThrow('exited');
  expect(codes).toEqual([70]);
  expect(log).toContain('out of thin air');
  expect(log).toContain('evnt_');
});

test('the way in from another machine is for a person at a terminal, also one behind a pipe; never for scripts and logs', async () => {
  const said = async (
    name: string,
    args: readonly string[],
    patch: Partial<Process> = {},
  ): Promise<boolean> => {
    const env = {
      AGENT_RUNTIME_DATA_DIR: join(folder, name, 'data'),
      AGENT_RUNTIME_ADMIN_URL: 'https://admin.example',
    };
    const time = { wallMs: () => 1_790_000_000_000, monotonicMs: () => 0 };
    let made = 0;
    const random = (size: number): Uint8Array => {
      made += 1;
      return new Uint8Array(size).fill(made);
    };
    const { code, out, err } = await run(['setup', '--yes', ...args], { env, time, random, ...patch });
    expect(code).toBe(0);
    return `${out}${err}`.includes('agent-runtime invite create');
  };
  expect(await said('terminal', [], { isLogTty: true })).toBe(true);
  expect(await said('piped', ['--terminal'])).toBe(true);
  expect(await said('log', [])).toBe(false);
  expect(await said('script', ['--json'], { isLogTty: true })).toBe(false);
}, 120_000);
