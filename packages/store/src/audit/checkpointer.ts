import { AppError, type Checkpoint, type Clock, type Logger } from '@agent-runtime/domain';
import type { CommitQueue, Connection } from '../database/index.ts';
import type { AuditKey } from './audit-key.ts';
import type { AuditHead } from './audit-writer.ts';
import type { CheckpointFile } from './checkpoint-file.ts';

export interface Checkpointer {
  /**
   * Signs the present head into the file outside the database, unless it is signed already; on the disk when it returns.
   * @throws AppError audit.head.unavailable when the file cannot be written: what depends on it must not go on
   */
  signHead(): void;
  /** Signs the present head, unless it is signed already. Called every 60 s by the runtime's timer and at close. */
  checkpoint(): Promise<Checkpoint | undefined>;
  /** Called after each transaction; signs once `every` records have gathered. */
  afterCommit(): void;
  /** The newest head that was signed. @throws AppError audit.head.unavailable while there is none */
  newest(): Checkpoint;
  /** Why the last head could not be signed; undefined while that works. */
  trouble(): string | undefined;
}

export interface CheckpointerDeps {
  readonly head: () => AuditHead;
  readonly key: AuditKey;
  readonly file: CheckpointFile;
  readonly queue: CommitQueue;
  readonly writer: Connection;
  readonly clock: Clock;
  readonly log: Logger;
  /** Records between checkpoints. */
  readonly every: number;
  /** Number of the last signed record. */
  readonly signedSeq: number;
  /** The head signed last, where it is of this chain. */
  readonly newest?: Checkpoint | undefined;
}

/** Signs heads: first the file outside the database, then the table, so that the file is never behind. */
export function makeCheckpointer(deps: CheckpointerDeps): Checkpointer {
  let signedSeq = deps.signedSeq;
  let newest = deps.newest;
  let trouble: string | undefined;

  const sign = (): Checkpoint | undefined => {
    const head = deps.head();
    if (head.seq === 0 || head.seq === signedSeq) return undefined;
    const checkpoint = deps.key.sign({ seq: head.seq, hash: head.hash, at: deps.clock.nowMs() });
    try {
      deps.file.append(checkpoint);
    } catch (thrown) {
      trouble = UNSIGNED;
      throw thrown;
    }
    trouble = undefined;
    signedSeq = head.seq;
    newest = checkpoint;
    return checkpoint;
  };

  const store = (checkpoint: Checkpoint): Promise<void> =>
    deps.queue.submit('audit.checkpoint', () => insertCheckpoint(deps.writer, checkpoint));

  const checkpoint = async (): Promise<Checkpoint | undefined> => {
    const signed = sign();
    if (signed !== undefined) await store(signed);
    return signed;
  };

  const warn = (error: unknown): void =>
    deps.log.warn(
      { room: 'audit', error: String(error) },
      'a checkpoint could not be written; the next one tries again',
    );

  return {
    newest: () => {
      if (newest === undefined) throw unsigned();
      return newest;
    },
    trouble: () => trouble,
    signHead: () => {
      const signed = signOrRefuse(sign);
      // The file is what the next start believes; the row is for whoever verifies a copy of the database.
      if (signed !== undefined) store(signed).catch(warn);
    },
    checkpoint,
    afterCommit: () => {
      if (deps.head().seq - signedSeq >= deps.every) checkpoint().catch(warn);
    },
  };
}

const UNSIGNED = 'The head of the audit log could not be signed. Nothing may leave before it is.';

function signOrRefuse(sign: () => Checkpoint | undefined): Checkpoint | undefined {
  try {
    return sign();
  } catch (cause) {
    throw unsigned(cause);
  }
}

function unsigned(cause?: unknown): AppError {
  return new AppError({ code: 'audit.head.unavailable', kind: 'unavailable', message: UNSIGNED, cause });
}

function insertCheckpoint(writer: Connection, checkpoint: Checkpoint): void {
  writer.run(
    'insert or replace into audit_checkpoint (seq, hash, at, key_id, signature) values (?,?,?,?,?)',
    [checkpoint.seq, checkpoint.hash, checkpoint.at, checkpoint.keyId, checkpoint.signature],
  );
}
