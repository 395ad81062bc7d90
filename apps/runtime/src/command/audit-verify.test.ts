import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { dataPaths, openMemoryStore } from '@agent-runtime/store';
import { manualClock } from '@agent-runtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { auditVerify } from './audit-verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'verify-'));
const data = join(folder, 'data');

/** A stopped data folder with a few records and a signed head. */
beforeAll(async () => {
  const open = await openMemoryStore({ dataDir: data, clock: manualClock() });
  for (let n = 0; n < 5; n += 1) {
    await open.store.commit(
      { action: 'task.create', actor: 'test', subject: `task ${n}` },
      async () => undefined,
    );
  }
  await open.close();
});

async function verify(file: string, isJson = true, dataDir = data): Promise<{ code: number; text: string }> {
  let text = '';
  const config = readConfig({ AGENT_RUNTIME_DATA_DIR: dataDir }, '/');
  const code = await auditVerify(
    {
      config,
      isJson,
      out: (part) => {
        text += part;
      },
    },
    file,
  );
  return { code, text };
}

function copyWith(name: string, sql: string): string {
  const path = join(folder, name);
  copyFileSync(dataPaths(data).database, path);
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  return path;
}

describe('audit-verify', () => {
  test('the log of a stopped folder is whole', async () => {
    const { code, text } = await verify(dataPaths(data).database);
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ ok: true, problems: [] });
    expect((await verify(dataPaths(data).database, false)).text).toContain('The log is whole');
  });

  test('an unchanged copy elsewhere is checked against the heads of the configured folder', async () => {
    expect((await verify(copyWith('same.sqlite', 'select 1'))).code).toBe(0);
  });

  test.each([
    ['changed', "update audit_event set subject = 'task X' where subject = 'task 2'"],
    ['cut out', 'delete from audit_event where seq = 3'],
    ['cut off', 'delete from audit_event where seq = (select max(seq) from audit_event)'],
  ])('a record that was %s is found, also when the copy’s own heads are gone', async (name, sql) => {
    const path = copyWith(`${name}.sqlite`, `${withoutTriggers(sql)}; delete from audit_checkpoint;`);
    const { code, text } = await verify(path);
    expect(code).toBe(6);
    expect(JSON.parse(text).ok).toBe(false);
    expect((await verify(path, false)).text).toContain('THE LOG WAS CHANGED');
  });

  test('a file that is not there, one that is no database, and a folder without a signer', async () => {
    await expect(verify(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'audit.file.missing' });
    const junk = join(folder, 'junk');
    writeFileSync(junk, 'not a database at all');
    await expect(verify(junk)).rejects.toMatchObject({ code: 'audit.file.invalid' });
    const copy = copyWith('alone.sqlite', 'select 1');
    await expect(verify(copy, true, join(folder, 'other'))).rejects.toMatchObject({
      code: 'runtime.signer.missing',
    });
    const damaged = join(folder, 'damaged');
    mkdirSync(join(damaged, 'audit'), { recursive: true });
    writeFileSync(dataPaths(damaged).auditKey, '{"publicKeyPem":""}');
    await expect(verify(copy, true, damaged)).rejects.toMatchObject({ code: 'runtime.signer.invalid' });
    rmSync(damaged, { recursive: true });
  });
});

/** The log defends itself with triggers; who edits a copy drops them first. */
function withoutTriggers(sql: string): string {
  const database = new DatabaseSync(dataPaths(data).database, { readOnly: true });
  const triggers = database.prepare("select name from sqlite_schema where type = 'trigger'").all();
  database.close();
  return [...triggers.map(({ name }) => `drop trigger "${String(name)}"`), sql].join('; ');
}
