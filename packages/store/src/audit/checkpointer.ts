import type { Checkpoint, Clock, Logger } from '@agent-runtime/domain';
import type { CommitQueue, Connection } from '../database/index.ts';
import type { AuditKey } from './audit-key.ts';
import type { AuditHead } from './audit-writer.ts';
import type { CheckpointFile } from './checkpoint-file.ts';

export interface Checkpointer {
  /** Signs the present head, unless it is signed already. Called every 60 s by the runtime's timer and at close. */
  checkpoint(): Promise<Checkpoint | undefined>;
  /** Called after each transaction; signs once `every` records have gathered. */
  afterCommit(): void;
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
}

/** Signs heads: first the file outside the database, then the table, so that the file is never behind. */
export function makeCheckpointer(deps: CheckpointerDeps): Checkpointer {
  let signedSeq = deps.signedSeq;
  let last: Promise<unknown> = Promise.resolve();

  const write = async (): Promise<Checkpoint | undefined> => {
    const head = deps.head();
    if (head.seq === 0 || head.seq === signedSeq) return undefined;
    const checkpoint = deps.key.sign({ seq: head.seq, hash: head.hash, at: deps.clock.nowMs() });
    deps.file.append(checkpoint);
    signedSeq = head.seq;
    await deps.queue.submit('audit.checkpoint', () => insertCheckpoint(deps.writer, checkpoint));
    return checkpoint;
  };

  const checkpoint = (): Promise<Checkpoint | undefined> => {
    // One after another, so that whoever asks gets the head of now and not the one that is being signed.
    const mine = last.then(write);
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    checkpoint,
    afterCommit: () => {
      if (deps.head().seq - signedSeq < deps.every) return;
      checkpoint().catch((error: unknown) => {
        deps.log.warn(
          { room: 'audit', error: String(error) },
          'a checkpoint could not be written; the next one tries again',
        );
      });
    },
  };
}

function insertCheckpoint(writer: Connection, checkpoint: Checkpoint): void {
  writer.run(
    'insert or replace into audit_checkpoint (seq, hash, at, key_id, signature) values (?,?,?,?,?)',
    [checkpoint.seq, checkpoint.hash, checkpoint.at, checkpoint.keyId, checkpoint.signature],
  );
}
