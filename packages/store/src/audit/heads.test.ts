import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Checkpoint, checkpointBytes, sha256 } from '@agent-runtime/domain';
import { recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../bench/fixtures.ts';
import type { Connection } from '../database/index.ts';
import { makeAuditKey, openAuditKey, verifyCheckpoint } from './audit-key.ts';
import { openCheckpointFile } from './checkpoint-file.ts';
import { type CheckpointerDeps, makeCheckpointer } from './checkpointer.ts';
import { findRollback } from './rollback.ts';
import { withWitness } from './witness.ts';

const { key } = makeAuditKey(new Uint8Array(32).fill(1));
const HASH = sha256('5');
const head = (seq: number): Checkpoint => key.sign({ seq, hash: HASH, at: 1 });

describe('the file of heads', () => {
  const fresh = () => join(temporaryFolder(), 'audit', 'checkpoints.jsonl');
  const line = (change: object = {}) => `${JSON.stringify({ ...head(5), ...change })}\n`;

  test('is empty where it is absent, and gives what was appended', () => {
    const path = fresh();
    const file = openCheckpointFile(path);
    expect(file.read()).toEqual({ checkpoints: [], isDamaged: false });
    file.append(head(1));
    file.append(head(2));
    expect(openCheckpointFile(path).read()).toEqual({ checkpoints: [head(1), head(2)], isDamaged: false });
  });

  test.each(['at the opening', 'before an append'])('loses half a line %s, and no whole one', (when) => {
    const path = fresh();
    const file = openCheckpointFile(path);
    file.append(head(1));
    appendFileSync(path, '{"seq":2');
    const next = when === 'at the opening' ? openCheckpointFile(path) : file;
    if (when === 'at the opening') expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
    next.append(head(3));
    expect(next.read()).toEqual({ checkpoints: [head(1), head(3)], isDamaged: false });
  });

  test('that is empty stays empty', () => {
    const path = fresh();
    openCheckpointFile(path);
    writeFileSync(path, '');
    const file = openCheckpointFile(path);
    file.append(head(1));
    expect(file.read().checkpoints).toEqual([head(1)]);
  });

  test.each<readonly [string, string]>([
    ['no JSON', '{\n'],
    ['nothing', 'null\n'],
    ['a number that is a text', line({ seq: '5' })],
    ['no time', line({ at: undefined })],
    ['no hash', line({ hash: 5 })],
    ['a hash of another kind', line({ hash: 'md5:x' })],
    ['no key', line({ keyId: 5 })],
    ['no signature', line({ signature: undefined })],
  ])('with %s is damaged; its whole heads still count', (_name, text) => {
    const path = fresh();
    openCheckpointFile(path).append(head(1));
    appendFileSync(path, text);
    expect(openCheckpointFile(path).read()).toEqual({ checkpoints: [head(1)], isDamaged: true });
  });

  test.skipIf(!existsSync('/proc/self/fd'))('is closed after each use (needs /proc)', () => {
    const file = openCheckpointFile(fresh());
    file.append(head(1));
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let seq = 2; seq < 6; seq += 1) file.append(head(seq));
    expect(open()).toBe(before);
  });
});

describe('the signing key', () => {
  const MASTER = new Uint8Array(32).fill(1);
  const opening = (text: string, masterKey = MASTER) => {
    const path = join(temporaryFolder(), 'audit.key');
    writeFileSync(path, text);
    return () => openAuditKey(path, masterKey);
  };
  const { file } = makeAuditKey(MASTER);

  test('opens with its master key', () => {
    expect(opening(JSON.stringify(file))().keyId).toBe(file.keyId);
  });

  test.each([
    ['no JSON', '{'],
    ['nothing', 'null'],
    ['no id', JSON.stringify({ ...file, keyId: 5 })],
    ['another id', JSON.stringify({ ...file, keyId: 'x' })],
    ['no public part', JSON.stringify({ ...file, publicKeyPem: undefined })],
    ['no private part', JSON.stringify({ ...file, sealedPrivateKey: 5 })],
  ])('with %s is refused', (_name, text) => {
    expect(opening(text)).toThrow(expect.objectContaining({ code: 'audit.key.denied' }));
  });

  test('is refused under another master key', () => {
    const other = new Uint8Array(32).fill(2);
    expect(opening(JSON.stringify(file), other)).toThrow(
      expect.objectContaining({ code: 'audit.key.denied' }),
    );
  });

  test('vouches for its own heads, and what is no key for none', () => {
    expect(verifyCheckpoint(key.publicKeyPem, head(5), checkpointBytes(head(5)))).toBe(true);
    expect(verifyCheckpoint('no key', head(5), checkpointBytes(head(5)))).toBe(false);
  });
});

test('a head that is signed already is not signed again, and an empty log has none', async () => {
  const appended: number[] = [];
  const log = recordingLogger();
  let seq = 0;
  let isFull = false;
  const append = (one: Checkpoint): void => {
    if (isFull) throw new Error('no space left');
    appended.push(one.seq);
  };
  const deps = {
    head: () => ({ seq, hash: HASH }),
    key,
    file: { append },
    queue: { submit: async (_name: string, body: () => unknown) => body() },
    writer: { run: () => 1 },
    clock: { nowMs: () => 1 },
    log,
    every: 100,
    signedSeq: 0,
  };
  const checkpointer = makeCheckpointer(deps as unknown as CheckpointerDeps); // safe: no more of it is used
  checkpointer.signHead();
  expect(() => checkpointer.newest()).toThrow(expect.objectContaining({ code: 'audit.head.unavailable' }));
  seq = 5;
  checkpointer.signHead();
  checkpointer.signHead();
  expect(await checkpointer.checkpoint()).toBeUndefined();
  expect(appended).toEqual([5]);
  // A disk that takes no new head leaves the older one.
  isFull = true;
  seq = 6;
  expect(() => checkpointer.signHead()).toThrow(expect.objectContaining({ code: 'audit.head.unavailable' }));
  expect(checkpointer.newest()).toMatchObject({ seq: 5, hash: HASH });
  expect(log.dump()).not.toContain('could not be written');
});

describe('a rollback', () => {
  const find = (change: {
    readonly checkpoints?: readonly Checkpoint[];
    readonly isDamaged?: boolean;
    readonly projectedSeq?: number;
    readonly foundSeq?: number;
    readonly hash?: string | undefined;
    readonly wasSigned?: boolean;
  }) => {
    const { foundSeq = 9, hash = HASH, wasSigned = false, ...rest } = change;
    const get = (sql: string) => {
      if (sql.includes('audit_checkpoint')) return wasSigned ? { 1: 1 } : undefined;
      if (sql.includes('where seq')) return 'hash' in change && hash === 'gone' ? undefined : { hash };
      return { seq: foundSeq, hash: HASH };
    };
    return findRollback({
      reader: { get } as unknown as Connection, // safe: no more of it is used
      checkpoints: [head(5)],
      isDamaged: false,
      publicKeyPem: key.publicKeyPem,
      projectedSeq: 9,
      ...rest,
    });
  };

  test('is none where database, heads and cursor agree', () => {
    expect(find({})).toBeUndefined();
    expect(find({ checkpoints: [] })).toBeUndefined();
    expect(find({ projectedSeq: 0 })).toBeUndefined();
  });

  test.each<readonly [string, Parameters<typeof find>[0], string, number]>([
    ['projected further than the database', { projectedSeq: 10 }, 'behind', 10],
    ['a damaged file', { isDamaged: true }, 'damaged', 5],
    ['a damaged file without a head', { isDamaged: true, checkpoints: [] }, 'damaged', 0],
    ['heads that are gone', { checkpoints: [], wasSigned: true }, 'missing', 0],
    ['a signed record that is gone', { hash: 'gone' }, 'behind', 5],
    ['another record under its number', { hash: sha256('x') }, 'different', 5],
    ['another hand', { checkpoints: [{ ...head(5), seq: 6 }] }, 'unsigned', 6],
  ])('is %s', (_name, change, kind, expectedSeq) => {
    expect(find(change)).toMatchObject({ kind, expectedSeq, foundSeq: 9 });
  });
});

describe('the witness outside', () => {
  function scene(inside: readonly Checkpoint[]) {
    const folder = temporaryFolder();
    const path = join(folder, 'witness');
    const file = openCheckpointFile(join(folder, 'checkpoints.jsonl'));
    for (const one of inside) file.append(one);
    return { path, file: withWitness(file, { path, keyId: key.keyId, log: recordingLogger() }) };
  }

  test.each<readonly [string, readonly number[], number, readonly number[]]>([
    ['is ahead', [1], 2, [1, 2]],
    ['is as far', [2], 2, [2]],
    ['is behind', [3], 2, [3]],
    ['is the only one', [], 2, [2]],
  ])('that %s', (_name, inside, witness, expected) => {
    const { path, file } = scene(inside.map(head));
    writeFileSync(path, `${JSON.stringify(head(witness))}\n`);
    expect(file.read().checkpoints.map(({ seq }) => seq)).toEqual(expected);
  });

  test('of another folder says nothing, and stays where it is', () => {
    const { path, file } = scene([head(1)]);
    writeFileSync(path, `${JSON.stringify({ ...head(9), keyId: 'other' })}\n`);
    expect(file.read().checkpoints).toEqual([head(1)]);
    file.setAside('old');
    expect([existsSync(path), existsSync(`${path}.old`)]).toEqual([true, false]);
  });

  test('is set aside with the heads, where there is one', () => {
    const { path, file } = scene([]);
    file.append(head(1));
    expect(existsSync(path)).toBe(true);
    expect(file.setAside('old')).toBeDefined();
    expect([existsSync(path), existsSync(`${path}.old`)]).toEqual([false, true]);
    expect(file.setAside('older')).toBeUndefined();
    expect(existsSync(`${path}.older`)).toBe(false);
  });
});
