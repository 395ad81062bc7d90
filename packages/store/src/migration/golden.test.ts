import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Effect, type Message, publicLabel } from '@agent-runtime/domain';
import { manualClock } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import {
  atEnd,
  draft,
  ledgerRow,
  openFixture,
  temporaryFolder,
  userId,
  userRow,
} from '../../bench/fixtures.ts';
import { openConnection } from '../database/index.ts';
import { dataPaths } from '../paths/index.ts';
import { MIGRATIONS, migrate, schemaVersion } from './index.ts';

// Data folders as older releases left them. Make the newest anew with
//   GOLDEN=write npx vitest run packages/store/src/migration/golden.test.ts
// as long as its version is not released; after a release it never changes again.
const golden = (version: number) => fileURLToPath(new URL(`../../golden/v${version}`, import.meta.url));
const newest = MIGRATIONS.length;
const masterKey = Uint8Array.from({ length: 32 }, (_, at) => at);

const message = {
  id: 'mesg_golden',
  seq: 1,
  conversation: 'conv_golden',
  workspace: 'community',
  context: 'general',
  direction: 'in',
  sender: 'user_ann',
  senderName: 'Ann',
  text: 'How do I get a refund?',
  label: publicLabel(1),
  isPromptable: true,
  at: 1_000,
} as unknown as Message; // safe: branded ids of a test

const effect = {
  id: 'efct_golden',
  kind: 'post',
  sink: { connector: 'memory', account: 'demo', address: 'elsewhere' },
  recipients: ['memory:elsewhere'],
  payloads: [{ text: 'hello' }],
  class: 'E1',
  workspace: 'community',
  context: 'general',
  requester: { kind: 'user', user: userId('ann') },
  label: publicLabel(1),
  digest: 'sha256:00',
  state: 'proposed',
  decision: 'ask',
  summary: 'posts hello',
  createdAt: 1_000,
  notBefore: 0,
  attempts: 0,
  receipts: [],
} as unknown as Effect; // safe: branded ids of a test

async function writeGolden(): Promise<void> {
  const folder = golden(newest);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const open = await openFixture({ dataDir: folder, masterKey, clock: manualClock(1_000_000) });
  await open.store.commit(draft('user.add', { content: 'hello' }), async (tx) => {
    await tx.insert('identity_user', userRow('ann'));
    await tx.insert('context_message', { ...message, seq: await tx.next('message') });
    await tx.insert('effect', effect);
    await tx.insert('ledger_entry', ledgerRow('ldgr_golden'));
  });
  await open.journal.put([
    {
      id: 'work_golden',
      workflow: 'chat',
      key: 'conv_golden',
      lane: 'community',
      input: { a: 1 },
      notBefore: 0,
    },
  ]);
  await open.store.commit(draft('run.step'), (tx) => tx.recordStep('work_golden', 'llm:1', { text: 'hi' }));
  await open.vault.set('LLM_API_KEY', 'golden-secret');
  open.panic.turnOn('user_ann', 1_000);
  open.panic.turnOff('user_ann', 2_000);
  await open.close();
  rmSync(dataPaths(folder).lock, { force: true });
}

if (process.env.GOLDEN === 'write') await writeGolden();

function copyOf(version: number): string {
  const folder = temporaryFolder();
  cpSync(golden(version), folder, { recursive: true });
  return folder;
}

describe.each(MIGRATIONS.map(({ version }) => version))('a data folder of schema %i', (version) => {
  test('opens, is brought up to date, and holds what it held', async () => {
    const open = await openFixture({ dataDir: copyOf(version), masterKey });
    expect(open.rollback).toBeUndefined();
    expect(open.store.epoch).toBe(2);
    expect(await open.store.read.get('identity_user', { name: 'ann' })).toMatchObject({ displayName: 'ANN' });
    expect(await open.store.read.get('context_message', { seq: 1 })).toEqual(message);
    expect(await open.store.read.get('effect', { state: 'proposed' })).toEqual(effect);
    expect(await open.store.read.tokensSpent({ sinceMs: 0 })).toBe(10);
    expect(await open.journal.get('work_golden')).toMatchObject({ state: 'queued', input: { a: 1 } });
    expect(await open.journal.steps('work_golden')).toEqual(new Map([['llm:1', { text: 'hi' }]]));
    expect(open.vault.get('LLM_API_KEY')).toBe('golden-secret');
    expect(open.panic.state()).toEqual({ isOn: false, by: 'user_ann', atMs: 2_000 });
    expect(await open.audit.verify()).toMatchObject({ isIntact: true, count: 4 });
    // Those of its start and its end, and the one of this start.
    expect(await open.audit.checkpoints()).toHaveLength(3);
  });

  test('its schema is the one that its migrations make: a released version never changes', () => {
    const old = openConnection(dataPaths(copyOf(version)).database, { busyTimeoutMs: 0, durability: 'none' });
    const fresh = openConnection(join(temporaryFolder(), 'x.sqlite'), {
      busyTimeoutMs: 0,
      durability: 'none',
    });
    atEnd(() => {
      old.close();
      fresh.close();
    });
    migrate(fresh, MIGRATIONS.slice(0, version), 1);
    const schema = 'select name, sql from sqlite_schema where sql is not null order by name';
    expect(schemaVersion(old)).toBe(version);
    expect(old.all(schema)).toEqual(fresh.all(schema));
  });
});
