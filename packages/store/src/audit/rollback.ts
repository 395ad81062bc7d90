import { type Checkpoint, checkpointBytes } from '@agent-runtime/domain';
import type { Connection } from '../database/index.ts';
import { verifyCheckpoint } from './audit-key.ts';
import { readHead } from './audit-writer.ts';

/** What the database and the signed heads outside it say of each other. */
export interface RollbackFinding {
  readonly kind: 'behind' | 'different' | 'unsigned' | 'damaged' | 'missing';
  /** For people; becomes the reason of the closed gate. */
  readonly text: string;
  /** The signed record that the database does not have, 0 when unknown. */
  readonly expectedSeq: number;
  readonly foundSeq: number;
}

export interface RollbackInput {
  readonly reader: Connection;
  readonly checkpoints: readonly Checkpoint[];
  readonly isDamaged: boolean;
  readonly publicKeyPem: string;
  /** Last audit record that the projector has seen, as its cursor beside the database says. */
  readonly projectedSeq: number;
}

/**
 * Compares the database with the last signed head of the file, and with what was projected from it: an old copy that was put back, a log
 * that was cut off or changed.
 * @returns undefined when they agree
 */
export function findRollback(input: RollbackInput): RollbackFinding | undefined {
  return againstHeads(input) ?? againstProjector(input);
}

/** The cursor is not signed, so it proves nothing; but it never runs ahead of its own database. */
function againstProjector({ reader, projectedSeq }: RollbackInput): RollbackFinding | undefined {
  const foundSeq = readHead(reader).seq;
  if (projectedSeq <= foundSeq) return undefined;
  return {
    kind: 'behind',
    text: `The database ends at audit record ${foundSeq}, but record ${projectedSeq} was projected once: an older copy was put back.`,
    expectedSeq: projectedSeq,
    foundSeq,
  };
}

function againstHeads(input: RollbackInput): RollbackFinding | undefined {
  const foundSeq = readHead(input.reader).seq;
  const last = input.checkpoints.at(-1);
  const finding = (kind: RollbackFinding['kind'], text: string): RollbackFinding => ({
    kind,
    text,
    expectedSeq: last?.seq ?? 0,
    foundSeq,
  });
  if (input.isDamaged) return finding('damaged', 'The file of signed audit heads is damaged.');
  if (last === undefined) {
    const isExpected = input.reader.get('select 1 from audit_checkpoint limit 1') !== undefined;
    return isExpected ? finding('missing', 'The file of signed audit heads is gone.') : undefined;
  }
  if (!verifyCheckpoint(input.publicKeyPem, last, checkpointBytes(last)))
    return finding('unsigned', 'The last signed audit head was not signed by the key of this data folder.');
  const row = input.reader.get('select hash from audit_event where seq = ?', [last.seq]);
  if (row === undefined)
    return finding(
      'behind',
      `The database ends at audit record ${foundSeq}, but record ${last.seq} was signed once: an older copy was put back.`,
    );
  if (row.hash !== last.hash)
    return finding(
      'different',
      `Audit record ${last.seq} is not the one that was signed: the database was changed or replaced.`,
    );
  return undefined;
}
