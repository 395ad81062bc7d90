import {
  type AuditDraft,
  type CrashPoints,
  type LedgerEntry,
  type Redactor,
  type User,
  type UserId,
} from '@agent-runtime/domain';
import { type ManualClock, type RecordingLogger } from '@agent-runtime/testkit';
import Database from 'better-sqlite3';
import { type OpenStore, type StoreConfig } from '../src/boot/index.ts';
/** Runs at the end of the test, last registered first. */
export declare function atEnd(clean: () => Promise<void> | void): void;
/** A folder for one test. */
export declare function temporaryFolder(): string;
export declare const MASTER_KEY: Uint8Array<ArrayBuffer>;
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
export declare function openFixture(input?: FixtureInput): Promise<Fixture>;
export declare function draft(action: string, more?: Partial<AuditDraft>): AuditDraft;
export declare function userRow(name: string, more?: Partial<User>): User;
export declare function userId(name: string): UserId;
export declare function ledgerRow(id: string, more?: Partial<LedgerEntry>): LedgerEntry;
/** Opens the file behind the store's back, as an intruder with the file system would. */
export declare function behindItsBack<T>(path: string, act: (database: Database.Database) => T): T;
/** Code of the AppError that a promise rejects with; fails the test when it resolves. */
export declare function codeOf(promise: Promise<unknown>): Promise<string>;
