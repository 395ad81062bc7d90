// What the tests of the store share: folders that are removed, rows that are valid, an open store on a manual clock.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AppError,
  type AuditDraft,
  type CrashPoints,
  type LedgerEntry,
  makeRedactor,
  type Redactor,
  type User,
  type UserId,
  type WorkspaceId,
} from '@agent-runtime/domain';
import {
  crashPoints,
  type ManualClock,
  manualClock,
  type RecordingLogger,
  recordingLogger,
} from '@agent-runtime/testkit';
import Database from 'better-sqlite3';
import { afterEach } from 'vitest';
import { type OpenStore, openStore, type StoreConfig } from '../src/boot/index.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Runs at the end of the test, last registered first. */
export function atEnd(clean: () => Promise<void> | void): void {
  cleanups.push(clean);
}

/** A folder for one test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'store-test-'));
  atEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const MASTER_KEY = new Uint8Array(32).fill(9);

export interface Fixture extends OpenStore {
  readonly clock: ManualClock;
  readonly log: RecordingLogger;
  readonly dataDir: string;
}

export interface FixtureInput {
  readonly dataDir?: string;
  readonly masterKey?: Uint8Array;
  readonly clock?: ManualClock;
  readonly crash?: CrashPoints;
  readonly redactor?: Redactor;
  readonly config?: Partial<StoreConfig>;
}

/** An open store that is closed at the end of the test. */
export async function openFixture(input: FixtureInput = {}): Promise<Fixture> {
  const dataDir = input.dataDir ?? temporaryFolder();
  const clock = input.clock ?? manualClock();
  const log = recordingLogger();
  const open = await openStore({
    dataDir,
    masterKey: input.masterKey ?? MASTER_KEY,
    clock,
    log,
    crash: input.crash ?? crashPoints.none(),
    redactor: input.redactor ?? makeRedactor(() => []),
    config: { auditContent: 'metadata', durability: 'none', ...input.config },
  });
  atEnd(() => open.close());
  return { ...open, clock, log, dataDir };
}

export function draft(action: string, more: Partial<AuditDraft> = {}): AuditDraft {
  return { action, actor: 'appliance', subject: 'subject_1', ...more };
}

export function userRow(name: string, more: Partial<User> = {}): User {
  return { id: userId(name), name, displayName: name.toUpperCase(), isActive: true, createdAt: 1, ...more };
}

export function userId(name: string): UserId {
  return `user_${name}` as UserId; // safe: a test's own id
}

export function ledgerRow(id: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    id,
    workspace: 'w' as WorkspaceId, // safe: a slug
    sender: 'user_a',
    route: 'small',
    state: 'settled',
    tokens: 10,
    costUsdMicros: 0,
    at: 1_000,
    ...more,
  };
}

/** Opens the file behind the store's back, as an intruder with the file system would. */
export function behindItsBack<T>(path: string, act: (database: Database.Database) => T): T {
  const database = new Database(path, { timeout: 1_000 });
  try {
    return act(database);
  } finally {
    database.close();
  }
}

/** Code of the AppError that a promise rejects with; fails the test when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as AppError).code ?? String(error); // safe: read as text only
  }
  throw new Error('it was expected to be refused');
}
