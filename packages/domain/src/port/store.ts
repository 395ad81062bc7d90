import type { Approval, Button, StandingApproval } from '../approval/index.ts';
import type { AuditDraft, AuditEvent } from '../audit/index.ts';
import type { Digest, Json, RunId, TaskId, WorkspaceId } from '../base/index.ts';
import type { Context, Conversation, Message, SeenPlace, Workspace } from '../context/index.ts';
import type { Effect } from '../effect/index.ts';
import type { Hub } from '../hub/index.ts';
import type {
  ClientCertificate,
  ClientKey,
  Grant,
  HttpToken,
  Identity,
  Invite,
  Pairing,
  User,
} from '../identity/index.ts';
import type { Label } from '../label/index.ts';
import type { LedgerEntry } from '../model/index.ts';
import type { Intent, Run, Task } from '../task/index.ts';
import type { Work } from './work.ts';

/** One accepted inbound event; UNIQUE(source, externalId) is what makes a repeat harmless. */
export interface IngestedEvent {
  readonly source: string;
  readonly externalId: string;
  readonly task?: TaskId | undefined;
  readonly run?: RunId | undefined;
  /** `run` started, `logged` only, `command` carried out, `refused`. */
  readonly outcome: 'run' | 'logged' | 'command' | 'refused';
  /** What was answered, so that a repeat gets the same. */
  readonly reply?: string | undefined;
  /** That answer leaves by itself. */
  readonly isQueued?: boolean | undefined;
  /** Digest of what was sent, so that the same key with other words is refused. */
  readonly digest: Digest;
  readonly at: number;
}

/** Label of one version of a file. */
export interface FileLabelRow {
  readonly workspace: WorkspaceId;
  readonly path: string;
  readonly hash: Digest;
  readonly label: Label;
  /** Newest version of the path that was seen; one per path. */
  readonly isCurrent: boolean;
  /** Control files under review: the version that counts until another is approved. */
  readonly isGood: boolean;
  readonly by: string;
  readonly at: number;
}

/** Label of one entry of a memory file, by the digest of its text. */
export interface EntryLabelRow {
  readonly workspace: WorkspaceId;
  readonly path: string;
  readonly hash: Digest;
  readonly label: Label;
  readonly at: number;
}

/** One change of a memory file, so that it can be undone. */
export interface MemoryChange {
  readonly id: string;
  readonly workspace: WorkspaceId;
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly by: string;
  readonly run?: RunId | undefined;
  readonly at: number;
  readonly undoneAt?: number | undefined;
}

/** A notice that was given, so that it is not given twice. */
export interface Notice {
  readonly key: string;
  readonly at: number;
}

/** Single row `id: 'gate'`. */
export interface GateState {
  readonly id: 'gate';
  readonly isClosed: boolean;
  readonly reason: string;
  readonly at: number;
}

/** Every table that the engine uses; the key is the SQL table, the value its row. */
export interface Tables {
  readonly workspace: Workspace;
  readonly context: Context;
  readonly context_conversation: Conversation;
  readonly context_message: Message;
  readonly context_seen: SeenPlace;
  readonly identity_user: User;
  readonly identity_link: Identity;
  readonly identity_grant: Grant;
  readonly identity_token: HttpToken;
  readonly identity_key: ClientKey;
  readonly identity_certificate: ClientCertificate;
  readonly identity_invite: Invite;
  readonly identity_pairing: Pairing;
  readonly hub: Hub;
  readonly ingest_event: IngestedEvent;
  readonly task: Task;
  readonly task_intent: Intent;
  readonly run: Run;
  readonly effect: Effect;
  readonly approval: Approval;
  readonly approval_standing: StandingApproval;
  readonly approval_button: Button;
  readonly ledger_entry: LedgerEntry;
  readonly label_file: FileLabelRow;
  readonly label_entry: EntryLabelRow;
  readonly memory_change: MemoryChange;
  readonly notify_notice: Notice;
  readonly gate_state: GateState;
}
export type TableName = keyof Tables;

type Comparison<V> =
  | { readonly in: readonly V[] }
  | { readonly lt?: V; readonly lte?: V; readonly gt?: V; readonly gte?: V }
  | { readonly isNull: boolean };
type Scalar = string | number | boolean | undefined;
type ScalarKeys<Row> = { [K in keyof Row]-?: Row[K] extends Scalar ? K : never }[keyof Row];
/** Conditions joined by AND; only scalar columns can be asked for. */
export type Where<Row> = { readonly [K in ScalarKeys<Row>]?: Row[K] | Comparison<NonNullable<Row[K]>> };
export interface FindOptions<Row> {
  readonly orderBy?: ScalarKeys<Row>;
  readonly direction?: 'asc' | 'desc';
  readonly limit?: number;
}

/** What the calls over one route took. */
export interface RouteSpend {
  readonly route: string;
  readonly tokens: number;
  readonly costUsdMicros: number;
}

/** Reads see what is committed (or, inside `commit`, what the transaction wrote). */
export interface StoreReader {
  /** The first row that fits, or undefined. */
  get<T extends TableName>(table: T, where: Where<Tables[T]>): Promise<Tables[T] | undefined>;
  find<T extends TableName>(
    table: T,
    where: Where<Tables[T]>,
    options?: FindOptions<Tables[T]>,
  ): Promise<readonly Tables[T][]>;
  count<T extends TableName>(table: T, where: Where<Tables[T]>): Promise<number>;
  /** Reserved and settled tokens since an instant, by workspace and/or sender. */
  tokensSpent(filter: {
    readonly workspace?: WorkspaceId;
    readonly sender?: string;
    readonly sinceMs: number;
  }): Promise<number>;
  /** The same by route, with what it cost. */
  spentByRoute(filter: {
    readonly workspace?: WorkspaceId;
    readonly sinceMs: number;
  }): Promise<readonly RouteSpend[]>;
}

/** What a transaction can do; everything in it happens together with its audit events, or not at all. */
export interface StoreTx extends StoreReader {
  /** @throws AppError database.row.conflict when a unique key is taken */
  insert<T extends TableName>(table: T, row: Tables[T]): Promise<void>;
  /**
   * Compare-and-swap: changes exactly the rows that fit `where`.
   * @returns rows changed
   */
  update<T extends TableName>(table: T, where: Where<Tables[T]>, patch: Partial<Tables[T]>): Promise<number>;
  remove<T extends TableName>(table: T, where: Where<Tables[T]>): Promise<number>;
  /** Next number of a named sequence, starting at 1. */
  next(sequence: 'message'): Promise<number>;
  /** Queues a piece of durable work in this transaction, so that what was accepted is never without it; idempotent by its id. */
  enqueueWork(work: Work): Promise<void>;
  /** Writes the journal row of a step in this transaction; idempotent by (work, name). */
  recordStep(work: string, name: string, value: Json): Promise<void>;
  /** Ends a piece of durable work in this transaction. */
  finishWork(work: string, state: 'done' | 'failed' | 'cancelled', error?: string): Promise<void>;
  /** Adds an audit event that only the transaction's own findings make known. */
  audit(draft: AuditDraft): void;
}

export interface Store {
  readonly read: StoreReader;
  /** Grows with each start of a process on this data; a commit or claim of an older epoch is refused. */
  readonly epoch: number;
  /** Why nothing can be written or signed at present, for people and health checks; undefined while it works. */
  trouble?(): string | undefined;
  /**
   * The only way to write. The audit events are part of the transaction; if they cannot be written, nothing happens.
   * @param audit at least one event
   * @throws AppError database.epoch.conflict (another process took over) · database.disk.unavailable (full, read-only, I/O error) ·
   *   whatever `body` throws; in every case nothing was written.
   *   audit.head.unavailable: written, but the head that must be signed before something approved leaves is not; nothing may leave
   */
  commit<T>(
    audit: AuditDraft | readonly [AuditDraft, ...AuditDraft[]],
    body: (tx: StoreTx) => Promise<T>,
  ): Promise<T>;
}

/** Reading the log; verification is `audit.chainVerifier`. */
export interface AuditReader {
  head(): Promise<{ readonly seq: number; readonly hash: Digest }>;
  /** Newest first. */
  tail(
    limit: number,
    filter?: { readonly subject?: string; readonly action?: string; readonly beforeSeq?: number },
  ): Promise<readonly AuditEvent[]>;
  /** Oldest first, as a stream. */
  all(): AsyncIterable<AuditEvent>;
}
