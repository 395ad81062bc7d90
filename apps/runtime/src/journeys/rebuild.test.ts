import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, newToken, post, type Running } from './journey.fixture.ts';

interface Listed {
  readonly items: readonly { readonly id: string; readonly title: string; readonly status: string }[];
}

describe('a lost database', { timeout: 60_000 }, () => {
  let home: Home;
  let runtime: Running;
  let secret: string;
  let before: Listed;
  beforeAll(async () => {
    home = newHome();
    runtime = await home.start();
    await home.ask('How do I get a refund?', '--conversation', 'talk');
    await home.ask('And for Relay?', '--conversation', 'talk');
    secret = (await newToken(home, 'shop')).secret;
    before = await tasks();
    await runtime.stop();
  }, 60_000);
  afterAll(() => home.remove());

  const tasks = async (): Promise<Listed> => (await home.cli(['task', 'list', '--json'])).json<Listed>();
  const database = () => join(home.dataDir, 'agent-runtime', 'meta.sqlite');

  test('what was said and done stands in Markdown, once each', () => {
    const folder = join(home.dataDir, 'workspaces', 'community');
    const logs = readdirSync(join(folder, 'logs'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => readFileSync(join(folder, 'logs', path), 'utf8'))
      .join('\n');
    expect(logs.match(/^> How do I get a refund\?$/gm)).toHaveLength(1);
    expect(readdirSync(join(folder, 'tasks'))).toHaveLength(before.items.length);
  });

  test('a database that is there is not rebuilt over', async () => {
    const refused = await home.runtime(['rebuild', '--yes']);
    expect(refused.code).toBe(6);
    expect(refused.err).toContain('The database is there');
  });

  test('without it the runtime does not start as if nothing had been', async () => {
    rmSync(database());
    const refused = await home.runtime(['up', '--setup']);
    expect(refused.code).toBe(6);
    expect(refused.err).toContain('agent-runtime rebuild');
    expect(existsSync(database())).toBe(false);
  });

  test('rebuilding is not done by accident', async () => {
    const refused = await home.runtime(['rebuild']);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('agent-runtime rebuild --yes');
    expect(existsSync(database())).toBe(false);
  });

  test('history comes back, authority does not, and the gate is closed', async () => {
    // Somebody adds a line to a log: it is left out and named.
    const logs = join(home.dataDir, 'workspaces', 'community', 'logs');
    const [log = ''] = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.md'),
    );
    writeFileSync(join(logs, log), `${readFileSync(join(logs, log), 'utf8')}forged line\n`);

    const rebuilt = await home.runtime(['rebuild', '--yes', '--json']);
    expect({ code: rebuilt.code, err: rebuilt.err }).toMatchObject({ code: 0 });
    const result = rebuilt.json<{ tasks: number; messages: number; flagged: string[] }>();
    expect(result.tasks).toBe(before.items.length);
    expect(result.messages).toBe(2 * before.items.length);
    expect(result.flagged.join()).toContain(log);

    runtime = await home.start({}, ['up', '--json']);
    expect((await post(runtime, secret, { text: 'Am I still here?' })).status).toBe(401);
    const old = await home.cli(['task', 'list', '--json']);
    expect(old.code).toBe(3);
    expect((await home.cli(['enrol', '--force'])).code).toBe(0);
    const after = await tasks();
    const facts = ({ items }: Listed) => items.map(({ id, title, status }) => `${id} ${title} ${status}`);
    expect(facts(after)).toEqual(facts(before));

    const refused = await home.cli(['ask', 'How do I get a refund?', '--json']);
    expect(refused.code).toBe(8);
    expect((await home.cli(['gate', 'status', '--json'])).json()).toMatchObject({ closed: true });
    expect((await home.cli(['gate', 'open'])).code).toBe(0);
    const answer = await home.ask('How do I get a refund?', '--conversation', 'talk');
    expect(answer.status).toBe('succeeded');
    expect((await home.cli(['audit', 'verify', '--json'])).json()).toMatchObject({ ok: true });
  });
});
