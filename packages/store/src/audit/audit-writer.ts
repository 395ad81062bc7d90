import {
  type AuditDraft,
  type AuditEvent,
  auditHash,
  type Clock,
  type Digest,
  GENESIS,
  type Json,
  type JsonObject,
  type Redactor,
  sha256,
} from '@agent-runtime/domain';
import type { Connection, GroupState } from '../database/index.ts';
import { encodeAudit, INSERT_AUDIT } from './audit-row.ts';

/** Last record of the chain; seq 0 with the genesis hash when there is none. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: Digest;
}

export interface AuditWriter extends GroupState {
  /** Adds a record to the running transaction. */
  append(draft: AuditDraft): void;
  /** Head of what is committed. */
  head(): AuditHead;
}

export interface AuditWriterDeps {
  readonly writer: Connection;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** `metadata` keeps digest and length of message texts, `content` the texts as well. */
  readonly content: 'metadata' | 'content';
}

/** The one writer of the log. The head is kept in memory and goes back with the transaction. */
export function makeAuditWriter(deps: AuditWriterDeps): AuditWriter {
  let durable = readHead(deps.writer);
  let current = durable;
  return {
    append: (draft) => {
      const event = link(deps, current, draft);
      deps.writer.run(INSERT_AUDIT, encodeAudit(event));
      current = { seq: event.seq, hash: event.hash };
    },
    head: () => durable,
    begin: () => {
      current = durable;
    },
    save: () => current,
    undo: (saved) => {
      current = saved as AuditHead; // safe: what `save` returned
    },
    committed: () => {
      durable = current;
    },
  };
}

/** Head as the table has it. */
export function readHead(connection: Pick<Connection, 'get'>): AuditHead {
  const row = connection.get('select seq, hash from audit_event order by seq desc limit 1');
  return row === undefined
    ? { seq: 0, hash: GENESIS }
    : { seq: Number(row.seq), hash: String(row.hash) as Digest }; // safe: written by this room; verification recomputes it
}

function link(deps: AuditWriterDeps, head: AuditHead, draft: AuditDraft): AuditEvent {
  const record = {
    seq: head.seq + 1,
    at: deps.clock.nowMs(),
    action: draft.action,
    actor: draft.actor.toWellFormed(),
    subject: draft.subject.toWellFormed(),
    workspace: draft.workspace,
    context: draft.context,
    data: cleanData(deps, draft),
    previousHash: head.hash,
  };
  return { ...record, hash: auditHash(record) };
}

function cleanData(deps: AuditWriterDeps, draft: AuditDraft): JsonObject {
  const data = wellFormed(deps.redactor.value(draft.data ?? {}) as JsonObject) as JsonObject; // safe: redaction and repair keep the shape
  if (draft.content === undefined) return data;
  const digest = sha256(draft.content);
  const sizeBytes = Buffer.byteLength(draft.content);
  const text = deps.content === 'content' ? deps.redactor.text(draft.content).toWellFormed() : undefined;
  return { ...data, content: { digest, sizeBytes, text } };
}

/** Lone surrogates come in with chat texts and have no canonical form: they must not be able to stop the log. */
function wellFormed(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => wellFormed(item) ?? null);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]),
  );
}
