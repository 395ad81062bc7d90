import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type LlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newToken, post, type Running, whenDone } from './journey.fixture.ts';
import { endMachine, isLogWhole, proposePost, settled, startMachine, wireOf } from './promises.fixture.ts';

const COUNTED = ['ingest_event', 'context_message', 'task', 'run', 'journal_work', 'effect', 'audit_event'];

describe('another program holds the database', { timeout: 180_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  let secret: string;
  beforeAll(async () => {
    ({ home, server, runtime } = await startMachine());
    ({ secret } = await newToken(home, 'shop'));
  }, 120_000);
  afterAll(() => endMachine(home, server));

  /** As somebody with a database browser does it, who forgets to commit. */
  async function whileHeld<T>(work: (database: DatabaseSync) => Promise<T>): Promise<T> {
    const database = new DatabaseSync(join(home.dataDir, 'agent-runtime', 'meta.sqlite'), { timeout: 5_000 });
    database.exec('begin immediate');
    try {
      return await work(database);
    } finally {
      database.exec('rollback');
      database.close();
    }
  }
  const rowsIn = (database: DatabaseSync): readonly unknown[] =>
    COUNTED.map((name) => database.prepare(`select count(*) as count from ${name}`).get());
  const health = async (path: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${runtime.url}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  const askFor = (key: string): Promise<Response> =>
    post(runtime, secret, { text: 'Are you there?', conversation_key: key });
  const ended = async (answer: Response): Promise<void> => {
    expect(answer.status).toBe(202);
    const { run_id } = (await answer.json()) as { run_id: string }; // safe: the public contract
    expect(await whenDone(runtime, secret, run_id)).toMatchObject({ status: 'succeeded' });
  };

  test('for a moment: a request waits without holding up the others, and is then accepted', async () => {
    const accepted = await whileHeld(async () => {
      const asked = askFor('short');
      // Each look takes a turn of the runtime's loop while the request waits.
      for (let look = 0; look < 10; look += 1) expect((await health('/healthz')).status).toBe(200);
      return { asked };
    });
    await ended(await accepted.asked);
  });

  test('for longer: work and decisions are refused with the reason, nothing is half done, nothing leaves; then it goes on', async () => {
    const shown = await proposePost(home, server, 'The fair begins at noon.');
    await whileHeld(async (database) => {
      const before = rowsIn(database);
      const [asked, approved] = await Promise.all([
        askFor('long'),
        home.cli(['approval', 'approve', shown.id]),
      ]);
      expect({ status: asked.status, text: await asked.text() }).toMatchObject({
        status: 503,
        text: expect.stringContaining('Another program holds the database'),
      });
      expect({ code: approved.code, err: approved.err }).toMatchObject({
        code: 8,
        err: expect.stringContaining('Another program holds the database'),
      });
      expect(await health('/readyz')).toMatchObject({
        status: 503,
        text: expect.stringContaining('Another program holds the database'),
      });
      expect(rowsIn(database)).toEqual(before);
      expect(wireOf(home, shown.effect)).toEqual([]);
    });
    await until(async () => (await health('/readyz')).status === 200, 'it is ready again', 30_000);
    await ended(await askFor('long'));
    expect((await home.cli(['approval', 'approve', shown.id])).code).toBe(0);
    expect(await settled(home, shown.effect)).toBe('done');
    expect(wireOf(home, shown.effect)).toEqual(shown.bytes.payloads);
  });

  test('panic needs no database: it turns on while it is held', async () => {
    await whileHeld(async () => {
      const on = await home.cli(['panic', 'on']);
      expect({ code: on.code, err: on.err }).toMatchObject({ code: 0 });
      expect((await health('/readyz')).text).toContain('panic is on');
    });
    await until(async () => (await home.cli(['panic', 'off'])).code === 0, 'panic is off', 30_000);
    expect(await isLogWhole(home)).toBe(true);
  });
});
