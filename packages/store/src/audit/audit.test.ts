import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type AuditEvent, makeRedactor, sha256 } from '@agent-runtime/domain';
import type Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import {
  behindItsBack,
  codeOf,
  draft,
  type Fixture,
  openFixture,
  temporaryFolder,
} from '../../bench/fixtures.ts';
import { readAuditFile } from './audit-file.ts';
import { verifyAudit } from './verify.ts';

const say = (open: Fixture, subject: string, more = {}) =>
  open.store.commit(draft('message.add', { subject, ...more }), async () => undefined);
const sayMany = async (open: Fixture, count: number) => {
  for (let at = 0; at < count; at += 1) await say(open, `m${at}`);
};
const newest = async (open: Fixture): Promise<AuditEvent> => {
  const [event] = await open.audit.tail(1);
  if (event === undefined) throw new Error('the log is empty');
  return event;
};

describe('what is kept', () => {
  test('metadata: a text leaves only its digest and size', async () => {
    const open = await openFixture();
    await say(open, 'm1', { content: 'hällo', data: { count: 2 }, workspace: 'w', context: 'c' });
    const event = await newest(open);
    expect(event).toMatchObject({ action: 'message.add', actor: 'appliance', workspace: 'w', context: 'c' });
    expect(event.data).toEqual({ count: 2, content: { digest: sha256('hällo'), sizeBytes: 6 } });
  });

  test('content: the text as well', async () => {
    const open = await openFixture({ config: { auditContent: 'content' } });
    await say(open, 'm1', { content: 'hällo' });
    expect((await newest(open)).data).toEqual({
      content: { digest: sha256('hällo'), sizeBytes: 6, text: 'hällo' },
    });
  });

  test('never a secret, neither in data nor in content', async () => {
    const redactor = makeRedactor(() => ['canary-4711']);
    const open = await openFixture({ redactor, config: { auditContent: 'content' } });
    await say(open, 'm1', { content: 'it is canary-4711', data: { note: ['canary-4711'], token: 'abcdef' } });
    await open.close();
    expect(readFileSync(open.paths.database).includes('canary-4711')).toBe(false);
    expect(readFileSync(open.paths.database).includes('abcdef')).toBe(false);
  });

  test('half a surrogate pair cannot stop the log', async () => {
    const open = await openFixture({ config: { auditContent: 'content' } });
    await say(open, 'm\ud800', { content: 'a\udfffb', data: { 'k\ud800': ['\ud800', null], nothing: null } });
    expect((await newest(open)).data).toMatchObject({
      'k\ufffd': ['\ufffd', null],
      nothing: null,
      content: { text: 'a\ufffdb' },
    });
    expect((await open.audit.verify()).isIntact).toBe(true);
  });

  test('what cannot be written down does not happen', async () => {
    const open = await openFixture();
    expect(await codeOf(say(open, 'm1', { data: { value: Number.NaN } }))).toBe('base.json.invalid');
    behindItsBack(open.paths.database, (database) =>
      database.exec(
        "create trigger broken before insert on audit_event begin select raise(abort, 'no'); end",
      ),
    );
    const commit = open.store.commit(draft('notify.give'), async (tx) =>
      tx.insert('notify_notice', { key: 'k', at: 1 }),
    );
    expect(await codeOf(commit)).toBe('database.statement.bug');
    expect(await open.store.read.count('notify_notice', {})).toBe(0);
  });
});

describe('reading', () => {
  test('tail is newest first and filters; all is oldest first, in batches', async () => {
    const open = await openFixture();
    await Promise.all(Array.from({ length: 1_200 }, (_, at) => say(open, `m${at % 3}`)));
    expect((await open.audit.tail(2)).map(({ seq }) => seq)).toEqual([1_201, 1_200]);
    expect((await open.audit.tail(2, { beforeSeq: 10 })).map(({ seq }) => seq)).toEqual([9, 8]);
    expect((await open.audit.tail(5, { action: 'boot.open' })).map(({ seq }) => seq)).toEqual([1]);
    expect(await open.audit.tail(2_000, { subject: 'm1' })).toHaveLength(400);
    const seen: number[] = [];
    for await (const event of open.audit.all()) seen.push(event.seq);
    expect(seen).toEqual(Array.from({ length: 1_201 }, (_, at) => at + 1));
    expect(await open.audit.head()).toEqual({ seq: 1_201, hash: (await newest(open)).hash });
  });
});

describe('checkpoints', () => {
  test('one at each start, one per so many records, one at close, none twice', async () => {
    const open = await openFixture({ config: { checkpointEvery: 10 } });
    await sayMany(open, 25);
    await open.clock.settle();
    expect((await open.audit.checkpoints()).map(({ seq }) => seq)).toEqual([1, 11, 21]);
    expect((await open.audit.checkpoint())?.seq).toBe(26);
    expect(await open.audit.checkpoint()).toBeUndefined();
    await open.close();
    const lines = readFileSync(open.paths.checkpoints, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(4);
    const again = await openFixture({ dataDir: open.dataDir });
    expect(await again.audit.verify()).toMatchObject({ isIntact: true, count: 27 });
    expect(again.rollback).toBeUndefined();
  });

  test('whoever asks gets the head of now, also while an older one is being signed', async () => {
    const open = await openFixture();
    await say(open, 'm1');
    const first = open.audit.checkpoint();
    await say(open, 'm2');
    expect(await Promise.all([first, open.audit.checkpoint()])).toMatchObject([{ seq: 2 }, { seq: 3 }]);
  });

  test('one that cannot be written stops nobody; the next tries again', async () => {
    const open = await openFixture({ config: { checkpointEvery: 2 } });
    rmSync(open.paths.checkpoints);
    mkdirSync(open.paths.checkpoints);
    await sayMany(open, 3);
    await open.clock.settle();
    expect(open.log.dump()).toContain('a checkpoint could not be written');
    await expect(open.audit.checkpoint()).rejects.toThrow();
    rmSync(open.paths.checkpoints, { recursive: true });
    expect((await open.audit.checkpoint())?.seq).toBe(4);
  });

  test('a signature by another key does not count', async () => {
    const open = await openFixture();
    await open.audit.checkpoint();
    const other = await openFixture();
    const verdict = await verifyAudit({
      events: open.audit.all(),
      checkpoints: await open.audit.checkpoints(),
      publicKeyPem: other.audit.publicKeyPem,
    });
    expect(verdict.problems.map(({ kind }) => kind)).toEqual(['checkpoint']);
  });

  test('the private key is readable with the master key alone', async () => {
    const open = await openFixture();
    await open.close();
    const again = openFixture({ dataDir: open.dataDir, masterKey: new Uint8Array(32).fill(1) });
    expect(await codeOf(again)).toBe('audit.key.denied');
    expect(readFileSync(open.paths.auditKey, 'utf8')).not.toContain('PRIVATE');
  });
});

describe('what may leave', () => {
  const perform = (open: Fixture, effectClass: string | undefined) =>
    open.store.commit(draft('effect.perform', { data: { class: effectClass } }), async () => undefined);
  const lastSigned = async (open: Fixture) => (await open.audit.checkpoints()).at(-1)?.seq;

  test.each([['E1'], ['E2'], ['W2'], [undefined]])(
    'class %s: its head is in the file when the commit resolves',
    async (name) => {
      const open = await openFixture();
      await perform(open, name);
      expect(await lastSigned(open)).toBe(2);
    },
  );

  test('also when the body itself adds the record', async () => {
    const open = await openFixture();
    await open.store.commit(draft('message.add'), async (tx) => tx.audit(draft('effect.perform')));
    expect(await lastSigned(open)).toBe(3);
  });

  test('an answer does not pay for it', async () => {
    const open = await openFixture();
    await perform(open, 'E0');
    expect(await lastSigned(open)).toBe(1);
  });

  test('a head that cannot be signed is a refusal, and the next one is signed', async () => {
    const open = await openFixture();
    rmSync(open.paths.checkpoints);
    mkdirSync(open.paths.checkpoints);
    expect(await codeOf(perform(open, 'E1'))).toBe('audit.head.unavailable');
    rmSync(open.paths.checkpoints, { recursive: true });
    await perform(open, 'E1');
    expect(await lastSigned(open)).toBe((await open.audit.head()).seq);
  });

  test('the rows of those heads are in the database as well', async () => {
    const open = await openFixture();
    await perform(open, 'E1');
    await open.close();
    const file = readAuditFile(open.paths.database);
    expect(file.checkpoints.map(({ seq }) => seq)).toContain(2);
    file.close();
  });
});

describe('an editor of the log', () => {
  const unlock = 'drop trigger audit_event_keep; drop trigger audit_event_fixed;';
  const attacks: readonly (readonly [string, string])[] = [
    ['flips one field', "update audit_event set actor = 'user_other' where seq = 5"],
    ['flips the data', `update audit_event set data = '{"a":1}' where seq = 5`],
    ['changes the time', 'update audit_event set at = at + 1 where seq = 5'],
    ['deletes one', 'delete from audit_event where seq = 5'],
    [
      'deletes one and closes the gap',
      'delete from audit_event where seq = 5; update audit_event set seq = seq - 1 where seq > 5',
    ],
    [
      'swaps two',
      'update audit_event set seq = 1000 where seq = 5; update audit_event set seq = 5 where seq = 6; update audit_event set seq = 6 where seq = 1000',
    ],
    [
      'inserts one',
      'insert into audit_event select 1000, at, action, actor, subject, workspace, context, data, previous_hash, hash from audit_event where seq = 5',
    ],
    ['cuts off the end', 'delete from audit_event where seq > 8'],
  ];

  test.each(attacks)('%s: found', async (_what, sql) => {
    const open = await openFixture();
    await sayMany(open, 10);
    await open.close();
    behindItsBack(open.paths.database, (database) => database.exec(unlock + sql));
    const file = readAuditFile(open.paths.database);
    const { publicKeyPem } = open.audit;
    const verdict = await verifyAudit({ events: file.all(), checkpoints: file.checkpoints, publicKeyPem });
    file.close();
    expect(verdict.isIntact).toBe(false);
  });

  test('whoever computes all hashes anew is found by the signed head', async () => {
    const open = await openFixture();
    await sayMany(open, 10);
    await open.close();
    const checkpoints = await open.audit.checkpoints();
    const forged = await openFixture();
    await sayMany(forged, 9);
    await say(forged, 'what never was said');
    const verdict = await verifyAudit({
      events: forged.audit.all(),
      checkpoints,
      publicKeyPem: open.audit.publicKeyPem,
    });
    expect(verdict.problems.map(({ kind }) => kind)).toEqual(['checkpoint']);
  });

  test('a line in the file of heads that is no head', async () => {
    const open = await openFixture();
    await open.audit.checkpoint();
    appendFileSync(open.paths.checkpoints, 'garbage\n');
    expect((await open.audit.verify()).problems).toMatchObject([{ kind: 'checkpoint' }]);
  });

  test('the tables themselves refuse changes and deletions', async () => {
    const open = await openFixture();
    const raw = (sql: string) => () => behindItsBack(open.paths.database, (database) => database.exec(sql));
    expect(raw("update audit_event set actor = 'x'")).toThrow(/append-only/);
    expect(raw('delete from audit_event')).toThrow(/append-only/);
  });
});

describe('a copied file', () => {
  test('verifies without a runtime; what is no database of ours is refused', async () => {
    const open = await openFixture();
    await sayMany(open, 3);
    await open.close();
    const copy = `${temporaryFolder()}/copy.sqlite`;
    copyFileSync(open.paths.database, copy);
    const file = readAuditFile(copy);
    const { publicKeyPem } = open.audit;
    expect(
      await verifyAudit({ events: file.all(), checkpoints: file.checkpoints, publicKeyPem }),
    ).toMatchObject({
      isIntact: true,
      count: 4,
    });
    file.close();
    writeFileSync(copy, 'not a database');
    expect(() => readAuditFile(copy)).toThrow(/not a database of agent-runtime/);
    expect(() => readAuditFile(`${copy}.gone`)).toThrow(/There is no file/);
  });

  test('a record whose data is no JSON is named', async () => {
    const open = await openFixture();
    await open.close();
    behindItsBack(open.paths.database, (database) =>
      database.exec("drop trigger audit_event_fixed; update audit_event set data = '{' where seq = 1"),
    );
    const file = readAuditFile(open.paths.database);
    const run = verifyAudit({ events: file.all(), checkpoints: [], publicKeyPem: open.audit.publicKeyPem });
    expect(await codeOf(run)).toBe('audit.record.invalid');
    file.close();
  });
});

describe('rolled-back data', () => {
  /** Ten records and a signed head, closed; then something happens to the files. */
  const prepared = async (harm: (open: Fixture) => void): Promise<Fixture> => {
    const open = await openFixture();
    const old = `${temporaryFolder()}/old.sqlite`;
    await sayMany(open, 5);
    await open.close();
    copyFileSync(open.paths.database, old);
    const later = await openFixture({ dataDir: open.dataDir });
    await sayMany(later, 5);
    await later.close();
    harm({ ...later, dataDir: old });
    return later;
  };
  const reopened = async (open: Fixture) => openFixture({ dataDir: dirname(dirname(open.paths.database)) });

  test.each<[string, (open: Fixture) => void, string]>([
    ['an old copy of the database', (open) => copyFileSync(open.dataDir, open.paths.database), 'behind'],
    ['no database at all', (open) => rmSync(open.paths.database), 'behind'],
    ['a log that was cut off', (open) => edit(open, 'delete from audit_event where seq > 8'), 'behind'],
    [
      'another record under the signed number',
      (open) => edit(open, "update audit_event set hash = 'sha256:00' where seq = 12"),
      'different',
    ],
    ['a deleted file of heads', (open) => rmSync(open.paths.checkpoints), 'missing'],
    ['an emptied file of heads', (open) => writeFileSync(open.paths.checkpoints, ''), 'missing'],
    ['a damaged line', (open) => appendFileSync(open.paths.checkpoints, 'garbage\n'), 'damaged'],
    [
      'a forged head',
      (open) =>
        writeFileSync(
          open.paths.checkpoints,
          readFileSync(open.paths.checkpoints, 'utf8').replace(/"signature":"..../g, '"signature":"AAAA'),
        ),
      'unsigned',
    ],
    ['a signing key that is gone', (open) => rmSync(open.paths.auditKey), 'unsigned'],
  ])('%s: the gate closes, with the reason in the log', async (_what, harm, kind) => {
    const open = await reopened(await prepared(harm));
    expect(open.rollback?.kind).toBe(kind);
    expect(await open.store.read.get('gate_state', { id: 'gate' })).toMatchObject({
      isClosed: true,
      reason: open.rollback?.text,
    });
    expect((await open.audit.tail(1, { action: 'audit.rollback' }))[0]?.data).toMatchObject({ kind });
    expect(await open.audit.tail(1, { action: 'gate.close' })).toHaveLength(1);
  });

  test('the other heads are kept as evidence, and the gate stays closed at the next start', async () => {
    const open = await reopened(await prepared((files) => copyFileSync(files.dataDir, files.paths.database)));
    const kept = readdirSync(dirname(open.paths.checkpoints)).filter((name) => name.includes('until-epoch'));
    expect(kept).toHaveLength(1);
    expect((await open.audit.verify()).isIntact).toBe(true);
    await open.close();
    const next = await reopened(open);
    expect(next.rollback).toBeUndefined();
    expect((await next.store.read.get('gate_state', {}))?.isClosed).toBe(true);
  });

  test('half a line, as a kill leaves it, is no alarm, and the next head has a line of its own', async () => {
    const open = await reopened(
      await prepared((files) => appendFileSync(files.paths.checkpoints, '{"seq":99,"ha')),
    );
    expect(open.rollback).toBeUndefined();
    const before = (await open.audit.checkpoints()).length;
    // As a full disk leaves it while the runtime goes on.
    appendFileSync(open.paths.checkpoints, '{"seq":99,"ha');
    await say(open, 'more');
    await open.audit.checkpoint();
    expect(await open.audit.checkpoints()).toHaveLength(before + 1);
    expect((await open.audit.verify()).isIntact).toBe(true);
    expect(await open.store.read.get('gate_state', {})).toBeUndefined();
  });

  /** A process that dies: nothing is signed at its end. The copy was taken before `act`, and is put back after it. */
  const killedAfter = async (act: (open: Fixture) => Promise<unknown>): Promise<Fixture> => {
    const dataDir = temporaryFolder();
    const first = await openFixture({ dataDir });
    await sayMany(first, 3);
    await first.close();
    const old = `${temporaryFolder()}/old.sqlite`;
    copyFileSync(first.paths.database, old);
    const heads = readFileSync(first.paths.checkpoints);
    const later = await openFixture({ dataDir });
    await act(later);
    const signed = readFileSync(later.paths.checkpoints);
    await later.close();
    expect(signed.length).toBeGreaterThanOrEqual(heads.length);
    writeFileSync(later.paths.checkpoints, signed);
    copyFileSync(old, later.paths.database);
    return openFixture({ dataDir });
  };
  const isGateClosed = async (open: Fixture) =>
    (await open.store.read.get('gate_state', { id: 'gate' }))?.isClosed;

  test('a copy from before the last start is noticed, though nothing but the start happened', async () => {
    const open = await killedAfter(async () => undefined);
    expect(open.rollback?.kind).toBe('behind');
    expect(await isGateClosed(open)).toBe(true);
  });

  test('a copy of any moment before an approved send is noticed', async () => {
    const dataDir = temporaryFolder();
    const open = await openFixture({ dataDir });
    const copies: string[] = [];
    for (let at = 0; at < 4; at += 1) {
      await say(open, `m${at}`);
      const copy = `${temporaryFolder()}/${at}.sqlite`;
      behindItsBack(open.paths.database, (database) => database.exec(`vacuum into '${copy}'`));
      copies.push(copy);
    }
    await open.store.commit(draft('effect.perform', { data: { class: 'E1' } }), async () => undefined);
    // What a kill right here leaves; closing signs one head more.
    const signed = readFileSync(open.paths.checkpoints);
    await open.close();
    for (const copy of copies) {
      for (const name of readdirSync(dirname(open.paths.checkpoints)))
        if (name.includes('until-epoch')) rmSync(`${dirname(open.paths.checkpoints)}/${name}`);
      writeFileSync(open.paths.checkpoints, signed);
      copyFileSync(copy, open.paths.database);
      const next = await openFixture({ dataDir });
      expect(next.rollback?.kind).toBe('behind');
      expect(await isGateClosed(next)).toBe(true);
      await next.close();
    }
  });

  test('records that were projected and are gone: the gate closes once, the cursor is kept as evidence', async () => {
    const open = await openFixture();
    await open.close();
    writeFileSync(open.paths.projectorCursor, '{"messageSeq":0,"auditSeq":50}\n');
    const next = await openFixture({ dataDir: open.dataDir });
    expect(next.rollback).toMatchObject({ kind: 'behind', expectedSeq: 50, foundSeq: 1 });
    expect(await isGateClosed(next)).toBe(true);
    await next.close();
    expect(readdirSync(open.paths.appliance)).toContain('projector.until-epoch-2.json');
    expect((await openFixture({ dataDir: open.dataDir })).rollback).toBeUndefined();
  });

  test('a cursor at the head, or one that cannot be read, is no alarm', async () => {
    const open = await openFixture();
    await open.close();
    writeFileSync(open.paths.projectorCursor, '{"messageSeq":0,"auditSeq":1}\n');
    const next = await openFixture({ dataDir: open.dataDir });
    expect(next.rollback).toBeUndefined();
    await next.close();
    writeFileSync(open.paths.projectorCursor, 'garbage');
    expect((await openFixture({ dataDir: open.dataDir })).rollback).toBeUndefined();
  });

  test('records after the last signed head are no alarm: a kill loses only the signature', async () => {
    const files = await prepared(() => undefined);
    const lines = readFileSync(files.paths.checkpoints, 'utf8').trim().split('\n');
    writeFileSync(files.paths.checkpoints, `${lines.slice(0, -1).join('\n')}\n`);
    const open = await reopened(files);
    expect(open.rollback).toBeUndefined();
    expect(existsSync(open.paths.checkpoints)).toBe(true);
  });
});

function edit(open: Fixture, sql: string): void {
  behindItsBack(open.paths.database, (database: Database.Database) =>
    database.exec(`drop trigger audit_event_keep; drop trigger audit_event_fixed; ${sql}`),
  );
}
