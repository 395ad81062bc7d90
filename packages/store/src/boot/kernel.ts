import type { AuditCheck, AuditEvent, AuditReader, Checkpoint, Journal, Store } from '@agent-runtime/domain';
import {
  type AuditKey,
  type AuditVerdict,
  type Checkpointer,
  type CheckpointFile,
  makeAuditReader,
  makeAuditWriter,
  makeCheckpointer,
  verifyAudit,
} from '../audit/index.ts';
import { makeReadCache, makeStore, nextNumber, type ReadCache } from '../commit/index.ts';
import { type CommitQueue, type Connection, committedReads, makeCommitQueue } from '../database/index.ts';
import { makeJournal } from '../journal/index.ts';
import { assertEpoch, beginEpoch } from './epoch.ts';
import type { StoreInput } from './store-input.ts';

/** The log for its readers, with its signed heads. */
export interface AuditLog extends AuditReader, AuditCheck {
  readonly keyId: string;
  readonly publicKeyPem: string;
  /** Signs the head; the runtime's timer calls it every 60 s. @returns undefined when the head is signed already */
  checkpoint(): Promise<Checkpoint | undefined>;
  /** Signed heads of the file, oldest first. */
  checkpoints(): Promise<readonly Checkpoint[]>;
  /** Verifies the whole log against those heads. */
  verify(also?: (event: AuditEvent) => Promise<void>): Promise<AuditVerdict>;
}

function withDamage(verdict: AuditVerdict): AuditVerdict {
  const text = 'the file of signed heads has a line that is no head';
  return {
    ...verdict,
    isIntact: false,
    problems: [...verdict.problems, { kind: 'checkpoint', seq: verdict.count, text }],
  };
}

/** The parts that share one queue. */
export interface Kernel {
  readonly store: Store;
  readonly journal: Journal;
  readonly log: AuditLog;
  readonly queue: CommitQueue;
}

export interface KernelParts {
  readonly writer: Connection;
  readonly reader: Connection;
  readonly key: AuditKey;
  readonly file: CheckpointFile;
  /** False after a rollback: then no checkpoint of the file counts as this chain's. */
  readonly isTrusted: boolean;
}

/** Begins an epoch and joins writer, queue, audit and journal. */
export function makeKernel(input: StoreInput, parts: KernelParts): Kernel {
  const { writer, key, file } = parts;
  const reader = committedReads(writer, parts.reader);
  const epoch = beginEpoch(writer);
  const audit = makeAuditWriter({
    writer,
    clock: input.clock,
    redactor: input.redactor,
    content: input.config.auditContent,
  });
  const cache = makeReadCache();
  let checkpointer: Checkpointer | undefined;
  const queue = makeCommitQueue({
    writer,
    state: audit,
    assertOurs: () => assertOurs(writer, epoch, cache),
    clock: input.clock,
    crash: input.crash,
    log: input.log,
    busyTimeoutMs: input.config.busyTimeoutMs ?? 10_000,
    bodyTimeoutMs: input.config.bodyTimeoutMs ?? 30_000,
    onCommitted: () => checkpointer?.afterCommit(),
    onEnded: () => cache.settled(),
    // A number that grows: SQLite writes nothing where a row stays as it is.
    touch: () => nextNumber(writer, 'database.touch'),
  });
  const last = file.read().checkpoints.at(-1);
  const signer = makeCheckpointer({
    head: () => audit.head(),
    key,
    file,
    queue,
    writer,
    clock: input.clock,
    log: input.log,
    every: input.config.checkpointEvery ?? 100,
    // After a rollback nothing of this chain is signed, and nothing may be by itself before the old heads are set aside: the first head
    // would go with them, and the next start would find none.
    signedSeq: parts.isTrusted ? (last?.seq ?? 0) : audit.head().seq,
    newest: parts.isTrusted ? last : undefined,
  });
  checkpointer = signer;
  return {
    store: makeStore({
      writer,
      reader,
      queue,
      audit,
      cache,
      epoch,
      signHead: () => signer.signHead(),
      trouble: () => queue.trouble() ?? signer.trouble(),
    }),
    journal: makeJournal({ writer, reader, queue, epoch }),
    log: makeLog(reader, key, file, signer),
    queue,
  };
}

/** @throws AppError database.epoch.conflict when another process has taken over: what is known in memory is over with it */
function assertOurs(writer: Connection, epoch: number, cache: ReadCache): void {
  try {
    assertEpoch(writer, epoch);
  } catch (thrown) {
    cache.end();
    throw thrown;
  }
}

function makeLog(
  reader: Pick<Connection, 'get' | 'all'>,
  key: AuditKey,
  file: CheckpointFile,
  signer: Checkpointer,
): AuditLog {
  const log = makeAuditReader(reader);
  return {
    ...log,
    keyId: key.keyId,
    publicKeyPem: key.publicKeyPem,
    checkpoint: () => signer.checkpoint(),
    checkpoints: async () => file.read().checkpoints,
    // Heads first: one that is signed while the log is read would look like a record that is missing.
    signedHead: async () => {
      try {
        signer.signHead();
      } catch {
        // A disk that takes no new head has kept an older one, and one can go on from there. What must not leave without a head does not.
      }
      return { checkpoint: signer.newest(), publicKeyPem: key.publicKeyPem };
    },
    verify: async (also) => {
      const { checkpoints, isDamaged } = file.read();
      const { publicKeyPem } = key;
      const verdict = await verifyAudit({ checkpoints, publicKeyPem, events: log.all(), also });
      return isDamaged ? withDamage(verdict) : verdict;
    },
  };
}
