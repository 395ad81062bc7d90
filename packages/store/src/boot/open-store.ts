import { existsSync, mkdirSync, statSync } from 'node:fs';
import type {
  AuditCheck,
  AuditReader,
  Checkpoint,
  Clock,
  CrashPoints,
  Journal,
  Logger,
  PanicSwitch,
  Redactor,
  Sealer,
  Store,
} from '@agent-runtime/domain';
import {
  type AuditKey,
  type AuditVerdict,
  type Checkpointer,
  type CheckpointFile,
  findRollback,
  makeAuditReader,
  makeAuditWriter,
  makeCheckpointer,
  openAuditKey,
  openCheckpointFile,
  type RollbackFinding,
  verifyAudit,
} from '../audit/index.ts';
import { makeStore } from '../commit/index.ts';
import { type CommitQueue, type Connection, makeCommitQueue, openConnection } from '../database/index.ts';
import { makeJournal } from '../journal/index.ts';
import { releaseReservations } from '../ledger/index.ts';
import { type FolderLock, lockFolder } from '../lock/index.ts';
import {
  assertNotNewer,
  assertSound,
  MIGRATIONS,
  migrate,
  schemaVersion,
  tryOnCopy,
} from '../migration/index.ts';
import { type OpenPanicSwitch, openPanicSwitch } from '../panic/index.ts';
import { type DataPaths, dataPaths } from '../paths/index.ts';
import {
  assertMasterKey,
  deriveKey,
  makeSealer,
  openVault,
  PRIVATE_FOLDER_MODE,
  type Vault,
  vaultFile,
} from '../vault/index.ts';
import { assertEpoch, beginEpoch } from './epoch.ts';
import { closeGate } from './gate.ts';

/** Choices that a deployment may make; times in ms. */
export interface StoreConfig {
  /** Whether message texts themselves are kept in the audit log. */
  readonly auditContent: 'metadata' | 'content';
  /** Records between signed heads, 100 unless said. */
  readonly checkpointEvery?: number;
  /** How long a commit waits for a program that holds the database, 10,000 unless said. */
  readonly busyTimeoutMs?: number;
  /** Longest time one commit's body may take, 30,000 unless said. */
  readonly bodyTimeoutMs?: number;
  /** `none` skips fsync: for tests alone. */
  readonly durability?: 'full' | 'none';
}

export interface StoreInput {
  readonly dataDir: string;
  /** 32 bytes from outside the data folder. */
  readonly masterKey: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
  readonly crash: CrashPoints;
  /** Removes secrets from what the audit keeps. */
  readonly redactor: Redactor;
  readonly config: StoreConfig;
}

/** The log for its readers, with its signed heads. */
export interface AuditLog extends AuditReader, AuditCheck {
  readonly keyId: string;
  readonly publicKeyPem: string;
  /** Signs the head; the runtime's timer calls it every 60 s. @returns undefined when the head is signed already */
  checkpoint(): Promise<Checkpoint | undefined>;
  /** Signed heads of the file, oldest first. */
  checkpoints(): Promise<readonly Checkpoint[]>;
  /** Verifies the whole log against those heads. */
  verify(): Promise<AuditVerdict>;
}

/** An open data folder. */
export interface OpenStore {
  readonly store: Store;
  readonly journal: Journal;
  readonly audit: AuditLog;
  readonly vault: Vault;
  /** Seals small values for rows. */
  readonly sealer: Sealer;
  readonly panic: PanicSwitch;
  readonly paths: DataPaths;
  /** Key for the MACs of projected records. */
  readonly projectorKey: Uint8Array;
  /** Set when the database did not fit its signed heads; the gate is closed then. */
  readonly rollback: RollbackFinding | undefined;
  /** Signs the head, ends the last transaction, frees the folder. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens a data folder, or makes one where none is.
 * @throws AppError lock.folder.conflict (another runtime) · migration.version.conflict (newer data) · migration.trial.conflict ·
 *   database.file.unavailable (damaged: restore first, rebuild second) · vault.key.denied, vault.key.invalid, audit.key.denied (master key) ·
 *   vault.file.invalid
 */
export async function openStore(input: StoreInput): Promise<OpenStore> {
  assertMasterKey(input.masterKey);
  const paths = dataPaths(input.dataDir);
  mkdirSync(paths.appliance, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  const undo: (() => void)[] = [];
  try {
    return await openLocked(input, paths, undo);
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
}

/** What is open, innermost last; each part registers its own closing, so that a failure on the way frees everything. */
async function openLocked(input: StoreInput, paths: DataPaths, undo: (() => void)[]): Promise<OpenStore> {
  const lock = lockFolder(paths);
  undo.push(() => lock.release());
  const isFresh = !existsSync(paths.database);
  const vault = openVault(vaultFile(paths.vault), input.masterKey, input.clock);
  const auditKey = openAuditKey(paths.auditKey, input.masterKey);
  const file = openCheckpointFile(paths.checkpoints);
  const writer = openDatabase(input, paths);
  undo.push(() => writer.close());
  const reader = openConnection(paths.database, { isReadOnly: true, ...connectionOptions(input.config) });
  undo.push(() => reader.close());
  const panic = openPanicSwitch(paths.panic, { isFresh, log: input.log });
  undo.push(() => panic.close());
  const rollback = findRollback({
    reader,
    ...file.read(),
    publicKeyPem: auditKey.key.publicKeyPem,
    isKeyNew: auditKey.isNew,
  });
  const kernel = makeKernel(input, {
    writer,
    reader,
    key: auditKey.key,
    file,
    isTrusted: rollback === undefined,
  });
  await recordBoot(kernel, input, file, rollback);
  return {
    store: kernel.store,
    journal: kernel.journal,
    audit: kernel.log,
    vault,
    sealer: makeSealer(input.masterKey),
    panic,
    paths,
    projectorKey: deriveKey(input.masterKey, 'projector-mac'),
    rollback,
    close: onceOnly(() => closeAll(kernel, { lock, writer, reader, panic }, input.log)),
  };
}

/** SQLite's own wait blocks the event loop, so it is short; the commit queue waits longer, asynchronously. */
const BUSY_TIMEOUT_MS = 50;

/** Checking a database reads all of it; above this size only what is read is checked. */
const MAX_CHECKED_BYTES = 128 * 1024 * 1024;

function connectionOptions(config: StoreConfig): {
  readonly busyTimeoutMs: number;
  readonly durability: 'full' | 'none';
} {
  return { busyTimeoutMs: BUSY_TIMEOUT_MS, durability: config.durability ?? 'full' };
}

function openDatabase(input: StoreInput, paths: DataPaths): Connection {
  const writer = openConnection(paths.database, connectionOptions(input.config));
  try {
    assertNotNewer(schemaVersion(writer), MIGRATIONS);
    if (statSync(paths.database).size <= MAX_CHECKED_BYTES) assertSound(writer);
    tryOnCopy(writer, paths.database, MIGRATIONS, input.clock.nowMs());
    migrate(writer, MIGRATIONS, input.clock.nowMs());
    return writer;
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** The parts that share one queue. */
export interface Kernel {
  readonly store: Store;
  readonly journal: Journal;
  readonly log: AuditLog;
  readonly queue: CommitQueue;
}

interface KernelParts {
  readonly writer: Connection;
  readonly reader: Connection;
  readonly key: AuditKey;
  readonly file: CheckpointFile;
  /** False after a rollback: then no checkpoint of the file counts as this chain's. */
  readonly isTrusted: boolean;
}

function makeKernel(input: StoreInput, parts: KernelParts): Kernel {
  const { writer, reader, key, file } = parts;
  const epoch = beginEpoch(writer);
  const audit = makeAuditWriter({
    writer,
    clock: input.clock,
    redactor: input.redactor,
    content: input.config.auditContent,
  });
  let checkpointer: Checkpointer | undefined;
  const queue = makeCommitQueue({
    writer,
    state: audit,
    assertOurs: () => assertEpoch(writer, epoch),
    clock: input.clock,
    crash: input.crash,
    log: input.log,
    busyTimeoutMs: input.config.busyTimeoutMs ?? 10_000,
    bodyTimeoutMs: input.config.bodyTimeoutMs ?? 30_000,
    onCommitted: () => checkpointer?.afterCommit(),
  });
  const signer = makeCheckpointer({
    head: () => audit.head(),
    key,
    file,
    queue,
    writer,
    clock: input.clock,
    log: input.log,
    every: input.config.checkpointEvery ?? 100,
    signedSeq: parts.isTrusted ? (file.read().checkpoints.at(-1)?.seq ?? 0) : 0,
  });
  checkpointer = signer;
  return {
    store: makeStore({ writer, reader, queue, audit, epoch }),
    journal: makeJournal({ writer, reader, queue, epoch }),
    log: makeLog(reader, key, file, signer),
    queue,
  };
}

function makeLog(reader: Connection, key: AuditKey, file: CheckpointFile, signer: Checkpointer): AuditLog {
  const log = makeAuditReader(reader);
  return {
    ...log,
    keyId: key.keyId,
    publicKeyPem: key.publicKeyPem,
    checkpoint: () => signer.checkpoint(),
    checkpoints: async () => file.read().checkpoints,
    // Heads first: one that is signed while the log is read would look like a record that is missing.
    verify: async () =>
      verifyAudit({
        checkpoints: file.read().checkpoints,
        publicKeyPem: key.publicKeyPem,
        events: log.all(),
      }),
  };
}

/** First writes of an epoch: that it began, what it found, what a dead process left. */
async function recordBoot(
  kernel: Kernel,
  input: StoreInput,
  file: CheckpointFile,
  rollback: RollbackFinding | undefined,
): Promise<void> {
  const { store, log } = kernel;
  const opened = {
    action: 'boot.open',
    actor: 'appliance',
    subject: `epoch:${store.epoch}`,
    data: { epoch: store.epoch },
  };
  if (rollback === undefined) {
    await store.commit(opened, async () => undefined);
  } else {
    input.log.error({ room: 'boot', rollback: rollback.kind }, rollback.text);
    await closeGate(store, opened, rollback, input.clock.nowMs());
    // The heads of the other history are evidence, not this chain's past.
    file.setAside(`until-epoch-${store.epoch}`);
    await log.checkpoint();
  }
  await releaseReservations(store);
}

interface Handles {
  readonly lock: FolderLock;
  readonly writer: Connection;
  readonly reader: Connection;
  readonly panic: OpenPanicSwitch;
}

async function closeAll(kernel: Kernel, handles: Handles, log: Logger): Promise<void> {
  await kernel.log.checkpoint().catch((error: unknown) => {
    log.warn({ room: 'audit', error: String(error) }, 'the last checkpoint could not be written');
  });
  await kernel.queue.close();
  handles.reader.close();
  handles.writer.close();
  handles.panic.close();
  handles.lock.release();
}

function onceOnly(act: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= act();
    return running;
  };
}
