import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRedactor } from '@agent-runtime/domain';
import { crashPoints, manualClock, recordingLogger } from '@agent-runtime/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OpenStore, openStore } from '../boot/index.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'witness-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const data = () => join(folder, 'data');
const witness = () => join(folder, 'head.json');

function open(log = recordingLogger(), witnessFile = witness()): Promise<OpenStore> {
  return openStore({
    dataDir: data(),
    masterKey: new Uint8Array(32).fill(3),
    witnessFile,
    clock: manualClock(),
    log,
    crash: crashPoints.none(),
    redactor: makeRedactor(() => []),
    config: { auditContent: 'metadata', durability: 'none' },
  });
}

const note = (store: OpenStore) =>
  store.store.commit({ action: 'test.note', actor: 'test', subject: 'x' }, async () => undefined);

describe('the head outside the data folder', () => {
  test('tells of a whole older folder that was put back, and is satisfied afterwards', async () => {
    await (await open()).close();
    cpSync(data(), join(folder, 'older'), { recursive: true });
    const newer = await open();
    await note(newer);
    await newer.close();
    rmSync(data(), { recursive: true });
    cpSync(join(folder, 'older'), data(), { recursive: true });

    const back = await open();
    expect(back.rollback).toMatchObject({ kind: 'behind' });
    expect(await back.store.read.get('gate_state', { id: 'gate' })).toMatchObject({ isClosed: true });
    await back.close();
    const again = await open();
    expect(again.rollback).toBeUndefined();
    await again.close();
  });

  test('a log of any length is signed anew after the alarm, so that a kill right afterwards raises no second one', async () => {
    const older = await open();
    for (let n = 0; n < 120; n += 1) await note(older);
    await older.close();
    cpSync(data(), join(folder, 'older'), { recursive: true });
    const newer = await open();
    await note(newer);
    await newer.close();
    rmSync(data(), { recursive: true });
    cpSync(join(folder, 'older'), data(), { recursive: true });
    const back = await open();
    expect(back.rollback).toMatchObject({ kind: 'behind' });
    // What a kill leaves: nothing is signed at the end.
    rmSync(join(folder, 'older'), { recursive: true });
    cpSync(data(), join(folder, 'older'), { recursive: true });
    cpSync(witness(), join(folder, 'head-of-the-killed.json'));
    await back.close();
    rmSync(data(), { recursive: true });
    cpSync(join(folder, 'older'), data(), { recursive: true });
    cpSync(join(folder, 'head-of-the-killed.json'), witness());

    const again = await open();
    expect(again.rollback).toBeUndefined();
    await again.close();
  });

  test('without it the same folder looks whole', async () => {
    await (await open()).close();
    cpSync(data(), join(folder, 'older'), { recursive: true });
    await (await open()).close();
    rmSync(data(), { recursive: true });
    cpSync(join(folder, 'older'), data(), { recursive: true });
    rmSync(witness());
    const back = await open();
    expect(back.rollback).toBeUndefined();
    await back.close();
  });

  test('of another data folder says nothing about this one', async () => {
    await (await open()).close();
    rmSync(data(), { recursive: true });
    const other = await open();
    expect(other.rollback).toBeUndefined();
    await other.close();
  });

  test('that is no head says nothing, and one that cannot be written is told to the log', async () => {
    await (await open()).close();
    writeFileSync(witness(), 'nothing of the kind\n');
    await (await open()).close();
    expect(existsSync(witness())).toBe(true);
    const log = recordingLogger();
    await (await open(log, join(witness(), 'below-a-file', 'head.json'))).close();
    expect(log.dump()).toContain('could not be kept outside');
  });
});
