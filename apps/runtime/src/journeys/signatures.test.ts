import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditVerdict, auditHash, canonicalJson, type Digest, GENESIS } from '@agent-runtime/domain';
import { type LlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Home, Running } from './journey.fixture.ts';
import { endMachine, proposePost, startMachine, withDatabase } from './promises.fixture.ts';

const WORDS = 'The library opens at ten.';
const CONFLICT = 6;

describe('people’s signatures in the log', { timeout: 600_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  let approval: string;
  const database = (): string => join(home.dataDir, 'agent-runtime', 'meta.sqlite');
  const kept = (name: string): string => join(home.folder, name);
  const posts = (): number => home.chat.textsIn('general').filter((text) => text.includes(WORDS)).length;
  const offline = async (): Promise<AuditVerdict> =>
    (await home.cli(['audit', 'verify', '--file', database(), '--json'])).json<AuditVerdict>();

  beforeAll(async () => {
    ({ home, server, runtime } = await startMachine());
    approval = (await proposePost(home, server, WORDS)).id;
    await runtime.stop();
    cpSync(home.dataDir, kept('before'), { recursive: true });
    runtime = await home.start({}, ['up', '--json']);
    const approved = await home.cli(['approval', 'approve', approval]);
    expect({ code: approved.code, err: approved.err }).toMatchObject({ code: 0 });
    await until(() => posts() === 1, 'the post arrived', 120_000);
    await runtime.stop();
    cpSync(home.dataDir, kept('after'), { recursive: true });
  }, 600_000);
  afterAll(() => endMachine(home, server));

  /** Puts a kept data folder back, with no trace outside it that there was another. */
  function putBack(name: string): void {
    rmSync(home.dataDir, { recursive: true });
    cpSync(kept(name), home.dataDir, { recursive: true });
    rmSync(kept('secrets/audit-head.json'), { force: true });
  }

  test('are good, checked with nothing but the file', async () => {
    const verdict = await offline();
    expect(verdict).toMatchObject({ ok: true, problems: [], signatures: { unchecked: 0 } });
    expect(verdict.signatures.good).toBeGreaterThan(0);
  });

  test('are what a forger cannot make: chain and signed heads fit, and the file alone tells', async () => {
    forge(home);
    // Whoever has the data, the master key and the program has the server sign the forged history.
    rmSync(join(home.dataDir, 'audit', 'checkpoints.jsonl'));
    rmSync(kept('secrets/audit-head.json'), { force: true });
    runtime = await home.start({}, ['up', '--json']);
    expect(runtime.log()).not.toContain('the gate is closed');

    const refused = await home.cli(['audit', 'verify']);
    expect({ code: refused.code, err: refused.err }).toMatchObject({
      code: CONFLICT,
      err: expect.stringContaining('ROLLED BACK OR REWRITTEN'),
    });
    const stranger = { env: { XDG_CONFIG_HOME: kept('stranger') } };
    const seen = (await home.cli(['audit', 'verify', '--json'], stranger)).json<AuditVerdict>();
    await runtime.stop();
    for (const verdict of [seen, await offline()]) {
      expect(verdict.ok).toBe(false);
      expect(new Set(verdict.problems.map(({ kind }) => kind))).toEqual(new Set(['signature']));
      expect(verdict.problems[0]?.text).toContain('by the key of somebody else');
    }
  });

  test('are given only to a log that goes on from what this machine has seen', async () => {
    putBack('before');
    runtime = await home.start({}, ['up', '--json']);
    expect(runtime.log()).not.toContain('the gate is closed');
    // In this copy the question is still open; answered again, the post would leave twice.
    const again = await home.cli(['approval', 'approve', approval]);
    expect({ code: again.code, err: again.err }).toMatchObject({
      code: CONFLICT,
      err: expect.stringContaining('ROLLED BACK OR REWRITTEN'),
    });
    expect((await home.cli(['approval', 'show', approval, '--json'])).json()).toMatchObject({
      state: 'pending',
    });
    expect(posts()).toBe(1);

    const shown = await home.cli(['audit', 'trust']);
    expect(shown.code).toBe(CONFLICT);
    expect(shown.out).toMatch(/This machine saw: record \d+.*\nThe runtime shows: record \d+/);
    expect((await home.cli(['audit', 'tail'])).code).toBe(CONFLICT);
    expect((await home.cli(['audit', 'trust', '--yes'])).code).toBe(0);
    expect((await home.cli(['audit', 'tail'])).code).toBe(0);
    await runtime.stop();
  });
});

/** Puts another person under the approval, and makes every hash anew. */
function forge(home: Home): void {
  withDatabase(home, (database) => {
    const triggers = database.prepare("select name from sqlite_schema where type = 'trigger'").all();
    for (const { name } of triggers) database.exec(`drop trigger "${String(name)}"`);
    database.exec(
      "update audit_event set actor = 'user_00000000000000000001' where action = 'approval.grant'",
    );
    database.exec('delete from audit_checkpoint');
    const write = database.prepare(
      'update audit_event set previous_hash = ?, hash = ?, data = ? where seq = ?',
    );
    let previousHash: Digest = GENESIS;
    for (const row of database.prepare('select * from audit_event order by seq').all()) {
      const data = JSON.parse(String(row.data));
      const record = {
        seq: Number(row.seq),
        at: Number(row.at),
        action: String(row.action),
        actor: String(row.actor),
        subject: String(row.subject),
        workspace: row.workspace === null ? undefined : String(row.workspace),
        context: row.context === null ? undefined : String(row.context),
        data,
        previousHash,
      };
      const hash = auditHash(record);
      write.run(previousHash, hash, canonicalJson(data), record.seq);
      previousHash = hash;
    }
  });
}
