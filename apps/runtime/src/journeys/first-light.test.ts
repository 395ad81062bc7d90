import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorEnvelopeSchema } from '@agent-runtime/domain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, ROOT, type Running } from './journey.fixture.ts';

const LIMIT = { timeout: 60_000 };
const QUESTION = 'How do I get a refund?';

/** The text of a cited line; undefined when there is none. */
function lineAt(home: Home, path: string, line: number): string | undefined {
  const file = join(home.dataDir, 'workspaces', 'community', path);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n')[line - 1] : undefined;
}

describe('a fresh clone', LIMIT, () => {
  let home: Home;
  let runtime: Running;
  beforeAll(async () => {
    home = newHome();
    runtime = await home.start();
  }, 60_000);
  afterAll(() => home.remove());

  test('answers the first question with citations that exist', async () => {
    const answer = await home.ask(QUESTION);
    expect(answer).toMatchObject({ status: 'succeeded' });
    expect(answer.output).toContain('refund');
    expect(answer.citations?.length).toBeGreaterThan(0);
    for (const { path, line } of answer.citations ?? [])
      expect(lineAt(home, path, line), `${path}:${line}`).toBeDefined();
  });

  test('says in people’s words what it says in JSON', async () => {
    const shown = await home.cli(['ask', QUESTION]);
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('faq.md:13');
    expect((await home.cli(['ask', 'ping', '--json'])).json()).toMatchObject({ status: 'succeeded' });
  });

  test('an edit of a note counts from the next question on', async () => {
    const note = join(home.dataDir, 'workspaces', 'community', 'notes', 'zeppelin.md');
    writeFileSync(note, '# Zeppelin\n\nThe zeppelin leaves from platform nine at noon.\n');
    const answer = await home.ask('Where does the zeppelin leave from?');
    expect(answer.output).toContain('platform nine');
    expect(answer.citations).toContainEqual({ path: 'notes/zeppelin.md', line: 3 });
  });

  test('its files are for the owner alone, and the master key is not among the data', () => {
    const secrets = join(home.folder, 'secrets');
    expect(statSync(secrets).mode & 0o077).toBe(0);
    for (const name of readdirSync(secrets)) expect(statSync(join(secrets, name)).mode & 0o077).toBe(0);
    const key = readFileSync(join(secrets, 'master.key'), 'utf8').trim();
    for (const path of filesUnder(home.dataDir)) expect(readFileSync(path).includes(key), path).toBe(false);
    expect(statSync(join(home.dataDir, 'agent-runtime', 'admin.sock')).mode & 0o077).toBe(0);
  });

  test('a second runtime on the same folder refuses and says who is there', async () => {
    const second = await home.runtime(['up', '--json']);
    expect(second.code).toBe(6);
    const { error } = errorEnvelopeSchema.parse(JSON.parse(second.out));
    expect(error).toMatchObject({ code: 'lock.folder.conflict', kind: 'conflict' });
    expect(error.message).toContain(String(runtime.pid));
    expect((await home.ask('ping')).status).toBe('succeeded');
  });

  test('setting up again is refused and changes nothing', async () => {
    const again = await home.runtime(['setup', '--yes']);
    expect(again.code).toBe(6);
    expect(again.err).toContain('set up already');
  });

  test('the log of what happened is whole', async () => {
    expect((await home.cli(['audit', 'verify', '--json'])).json()).toMatchObject({ ok: true });
    expect((await home.cli(['status', '--json'])).json()).toMatchObject({ ready: true });
  });

  test('a signal stops it cleanly, and what it knew is there again', async () => {
    expect(await runtime.stop()).toBe(0);
    expect(existsSync(join(home.dataDir, 'agent-runtime', 'admin.sock'))).toBe(false);
    const down = await home.cli(['ask', 'ping', '--json']);
    expect(down.code).toBe(8);
    runtime = await home.start({}, ['up', '--json']);
    const tasks = (await home.cli(['task', 'list', '--json'])).json<{ items: { title: string }[] }>();
    expect(tasks.items.map(({ title }) => title)).toContain(QUESTION);
  });
});

describe('what does not start', LIMIT, () => {
  test.each([
    ['a blank key', ['up'], { AGENT_RUNTIME_LLM_API_KEY: '' }, 2, 'AGENT_RUNTIME_LLM_API_KEY'],
    ['no instance', ['up'], {}, 5, 'agent-runtime setup'],
    ['an unknown command', ['dance'], {}, 2, 'There is no command "dance"'],
    ['an unknown option', ['up', '--fast'], {}, 2, 'Usage'],
    ['a word too many', ['up', 'now'], {}, 2, 'one word too many'],
    [
      'a server without a model',
      ['up', '--setup'],
      { AGENT_RUNTIME_LLM_BASE_URL: 'http://127.0.0.1:9/v1' },
      2,
      'AGENT_RUNTIME_LLM_MODEL',
    ],
  ])('%s: says what to do, with the exit code of its kind', async (_name, args, env, code, hint) => {
    const home = newHome();
    const ended = await home.runtime(args, env);
    expect({ code: ended.code, err: ended.err }).toEqual({ code, err: expect.stringContaining(hint) });
    await home.remove();
  });

  test('a port that is taken, with the folder free again afterwards', async () => {
    const home = newHome();
    const first = newHome();
    const runtime = await first.start();
    const taken = { AGENT_RUNTIME_PUBLIC_LISTEN: new URL(runtime.url).host };
    const refused = await home.runtime(['up', '--setup'], taken);
    expect(refused.code).toBe(6);
    expect(refused.err).toContain('AGENT_RUNTIME_PUBLIC_LISTEN');
    const after = await home.start({}, ['up', '--json']);
    expect(await after.stop()).toBe(0);
    await Promise.all([home.remove(), first.remove()]);
  });

  test('a lost master key is not replaced by another one', async () => {
    const home = newHome();
    await (await home.start()).stop();
    rmSync(join(home.folder, 'secrets'), { recursive: true });
    const refused = await home.runtime(['up', '--setup']);
    expect(refused.code).toBe(5);
    expect(refused.err).toContain('master key');
    expect(existsSync(join(home.folder, 'secrets'))).toBe(false);
    await home.remove();
  });

  test('a key whose data are gone is not taken for a new instance', async () => {
    const home = newHome();
    mkdirSync(join(home.folder, 'secrets'), { mode: 0o700 });
    writeFileSync(join(home.folder, 'secrets', 'master.key'), 'x', { mode: 0o600 });
    const refused = await home.runtime(['up', '--setup']);
    expect(refused.code).toBe(6);
    expect(existsSync(home.dataDir)).toBe(false);
    await home.remove();
  });
});

describe('usage', LIMIT, () => {
  test('--help lists the commands', async () => {
    const home = newHome();
    const help = await home.runtime(['--help']);
    expect(help.code).toBe(0);
    for (const command of ['up', 'setup', 'rebuild', 'audit-verify']) expect(help.out).toContain(command);
    await home.remove();
  });

  test('a variable that means nothing is warned about', async () => {
    const home = newHome();
    const runtime = await home.start({ AGENT_RUNTIME_LLM_MODLE: 'x' });
    expect(runtime.log()).toContain('AGENT_RUNTIME_LLM_MODLE');
    await home.remove();
  });
});

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('the example that a new instance starts from is not changed by it', () => {
  expect(existsSync(join(ROOT, 'data.example', 'agent-runtime'))).toBe(false);
});
