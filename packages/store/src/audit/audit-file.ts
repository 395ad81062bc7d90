import { existsSync } from 'node:fs';
import { AppError, type AuditReader, type Checkpoint, type Digest } from '@agent-runtime/domain';
import { openConnection } from '../database/index.ts';
import { makeAuditReader } from './audit-reader.ts';

/** A log in a copied database, readable without a runtime. */
export interface AuditFile extends AuditReader {
  /** Those that the database itself keeps; heads kept elsewhere are better witnesses. */
  readonly checkpoints: readonly Checkpoint[];
  close(): void;
}

/**
 * Opens a copy of meta.sqlite for `audit verify --file`: read-only, no lock, no migration. Never point it at the database of a
 * running instance from inside that process.
 * @throws AppError audit.file.missing · audit.file.invalid (not a database of this kind)
 */
export function readAuditFile(path: string): AuditFile {
  if (!existsSync(path)) {
    throw new AppError({ code: 'audit.file.missing', kind: 'missing', message: `There is no file ${path}.` });
  }
  try {
    const connection = openConnection(path, { isReadOnly: true, busyTimeoutMs: 0, durability: 'full' });
    const rows = connection.all('select seq, hash, at, key_id, signature from audit_checkpoint order by seq');
    connection.get('select seq from audit_event limit 1');
    return {
      ...makeAuditReader(connection),
      checkpoints: rows.map((row) => ({
        seq: Number(row.seq),
        hash: String(row.hash) as Digest, // safe: only compared
        at: Number(row.at),
        keyId: String(row.key_id),
        signature: String(row.signature),
      })),
      close: () => connection.close(),
    };
  } catch (cause) {
    throw new AppError({
      code: 'audit.file.invalid',
      kind: 'invalid',
      message: `${path} is not a database of agent-runtime, or it is damaged.`,
      cause,
    });
  }
}
