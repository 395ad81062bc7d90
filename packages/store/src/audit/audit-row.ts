import { AppError, type AuditEvent, canonicalJson, type Digest } from '@agent-runtime/domain';
import type { SqlRow, SqlValue } from '../tables/index.ts';

export const INSERT_AUDIT =
  'insert into audit_event (seq, at, action, actor, subject, workspace, context, data, previous_hash, hash) values (?,?,?,?,?,?,?,?,?,?)';

/** Column values in the order of `INSERT_AUDIT`. */
export function encodeAudit(event: AuditEvent): readonly SqlValue[] {
  return [
    event.seq,
    event.at,
    event.action,
    event.actor,
    event.subject,
    event.workspace ?? null,
    event.context ?? null,
    canonicalJson(event.data),
    event.previousHash,
    event.hash,
  ];
}

/**
 * A row as an event. Nothing is checked here: a changed record must reach the verifier, which says what is wrong with it.
 * @throws AppError audit.record.invalid when its data is not even JSON
 */
export function decodeAudit(row: SqlRow): AuditEvent {
  return {
    seq: Number(row.seq),
    at: Number(row.at),
    action: String(row.action),
    actor: String(row.actor),
    subject: String(row.subject),
    workspace: optionalText(row.workspace),
    context: optionalText(row.context),
    data: parseData(row),
    previousHash: String(row.previous_hash) as Digest, // safe: only compared, and hashed as text
    hash: String(row.hash) as Digest, // safe: only compared with a computed digest
  };
}

function optionalText(value: SqlValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

function parseData(row: SqlRow): AuditEvent['data'] {
  try {
    return JSON.parse(String(row.data));
  } catch (cause) {
    throw new AppError({
      code: 'audit.record.invalid',
      kind: 'invalid',
      message: `Audit record ${String(row.seq)} is damaged: its data cannot be read.`,
      cause,
    });
  }
}
