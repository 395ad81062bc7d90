import { existsSync, mkdirSync, statSync } from 'node:fs';
import {
  AppError,
  type ConnectorMemory,
  type Journal,
  type Logger,
  type PanicSwitch,
  type Sealer,
  type Store,
} from '@agent-runtime/domain';
import {
  type CheckpointFile,
  findRollback,
  openAuditKey,
  openCheckpointFile,
  type RollbackFinding,
  withWitness,
} from '../audit/index.ts';
import { makeConnectorMemory } from '../connectors/index.ts';
import { type Connection, openConnection } from '../database/index.ts';
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
import { readCursor } from '../projector/index.ts';
import { damagedFile } from '../tables/index.ts';
import {
  assertMasterKey,
  createPrivateFile,
  deriveKey,
  makeSealer,
  openVault,
  PRIVATE_FOLDER_MODE,
  type Vault,
  vaultFile,
} from '../vault/index.ts';
import { type AuditLog, type Kernel, makeKernel } from './kernel.ts';
import { recordBoot } from './record-boot.ts';
import type { StoreConfig, StoreInput } from './store-input.ts';

/** An open data folder. */
export interface OpenStore {
  readonly store: Store;
  readonly journal: Journal;
  readonly audit: AuditLog;
  readonly vault: Vault;
  /** Seals small values for rows. */
  readonly sealer: Sealer;
  /** What a connector's account keeps across restarts. @param source `<connector>:<account>` */
  readonly connectorMemory: (source: string) => ConnectorMemory;
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
 *   audit.file.unavailable (key or heads cannot be read) · vault.file.invalid
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
  createPrivateFile(paths.lock);
  const lock = lockFolder(paths);
  undo.push(() => lock.release());
  const isFresh = !existsSync(paths.database);
  // Before the database: a kill between the two must not look like a lost panic file.
  const panic = openPanicSwitch(paths.panic, { isFresh, log: input.log });
  undo.push(() => panic.close());
  createPrivateFile(paths.database);
  const vault = openVault(vaultFile(paths.vault), input.masterKey, input.clock);
  const key = usable(paths.auditKey, () => openAuditKey(paths.auditKey, input.masterKey));
  const file = usable(paths.checkpoints, () => checkpointFileOf(input, paths, key.keyId));
  const writer = openDatabase(input, paths);
  undo.push(() => writer.close());
  const reader = openConnection(paths.database, { isReadOnly: true, ...connectionOptions(input.config) });
  undo.push(() => reader.close());
  const projected = await readCursor(paths.projectorCursor);
  const rollback = findRollback({
    reader,
    projectedSeq: projected.auditSeq,
    ...file.read(),
    publicKeyPem: key.publicKeyPem,
  });
  const kernel = makeKernel(input, {
    writer,
    reader,
    key,
    file,
    isTrusted: rollback === undefined,
  });
  await recordBoot(kernel, input, { file, cursorFile: paths.projectorCursor }, rollback);
  const sealer = makeSealer(input.masterKey);
  return {
    store: kernel.store,
    journal: kernel.journal,
    audit: kernel.log,
    vault,
    sealer,
    connectorMemory: (source) =>
      makeConnectorMemory({ writer, reader, queue: kernel.queue, sealer, clock: input.clock }, source),
    panic,
    paths,
    projectorKey: deriveKey(input.masterKey, 'projector-mac'),
    rollback,
    close: onceOnly(() => closeAll(kernel, { lock, writer, reader, panic }, input.log)),
  };
}

/** Without its signer or its heads the log proves nothing, so nothing starts. @throws AppError audit.file.unavailable naming the file */
function usable<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof AppError || !(cause instanceof Error && 'code' in cause)) throw cause;
    throw new AppError({
      code: 'audit.file.unavailable',
      kind: 'unavailable',
      message: `${path} cannot be used (${String(cause.code)}). Nothing starts without it: put it back from a backup, then start again.`,
      cause,
    });
  }
}

function checkpointFileOf(input: StoreInput, paths: DataPaths, keyId: string): CheckpointFile {
  const file = openCheckpointFile(paths.checkpoints);
  const { witnessFile, log } = input;
  return witnessFile === undefined ? file : withWitness(file, { path: witnessFile, keyId, log });
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
  try {
    return openSound(input, paths);
  } catch (error) {
    throw whileOpening(error);
  }
}

function openSound(input: StoreInput, paths: DataPaths): Connection {
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

/** A statement that works on every sound database fails only where a schema was changed on the disk. */
function whileOpening(error: unknown): unknown {
  const isBug = error instanceof AppError && error.code === 'database.statement.bug';
  return isBug ? damagedFile(error.detail, error) : error;
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
