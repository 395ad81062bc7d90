import type { AuditDraft } from '../audit/index.ts';
import type { AppError, Json, JsonObject } from '../base/index.ts';
import type { StoreTx } from './store.ts';
import type { Work } from './work.ts';

export type WorkState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface WorkItem extends Work {
  readonly seq: number;
  readonly state: WorkState;
  /** Starts so far; a crash while running costs one. */
  readonly attempts: number;
  readonly error?: string | undefined;
}

/** What a workflow can do. Everything else in it must be a pure function of its input and its steps. */
export interface WorkContext {
  readonly id: string;
  readonly attempt: number;
  /** Aborts on cancel, panic, drain and deadline. */
  readonly signal: AbortSignal;
  /**
   * Runs a step once: after a restart the recorded value is returned and nothing runs again. A crash between `perform` and the
   * record makes `perform` run again, so it must have no outside effect that matters (effects go through the outbox).
   * @param perform the slow part, outside the transaction
   * @param record  writes what came of it, in one transaction with the journal row and the audit events; its value is journalled
   */
  step<P, V extends Json>(
    name: string,
    perform: (signal: AbortSignal) => Promise<P>,
    record: (tx: StoreTx, performed: P) => Promise<V>,
    audit: AuditDraft | ((performed: P) => AuditDraft | readonly [AuditDraft, ...AuditDraft[]]),
  ): Promise<V>;
}

export interface Workflow {
  run(input: JsonObject, context: WorkContext): Promise<void>;
  /** The work will never run again: attempts are spent, or `run` threw. Must leave a final state behind. */
  onFailed(input: JsonObject, error: AppError): Promise<void>;
}

/** Durable work, as narrow as two engines can honour. */
export interface Durable {
  register(name: string, workflow: Workflow): void;
  /** Idempotent by id. Resolves when it is durable. */
  enqueue(work: readonly Work[]): Promise<void>;
  /** Enqueues exactly once per (name, planned instant), also across restarts. */
  schedule(name: string, atMs: number, work: Omit<Work, 'id' | 'notBefore'>): Promise<void>;
  /** Queued work never starts; running work is told by its signal. @returns false when it is already final or unknown */
  cancel(id: string, reason: string): Promise<boolean>;
  list(filter: {
    readonly state?: WorkState;
    readonly key?: string;
    readonly limit: number;
  }): Promise<readonly WorkItem[]>;
  /** Starts claiming; work left running by a dead process comes first. */
  start(): Promise<void>;
  /** Stops claiming, lets running work finish until the deadline, then aborts it (it stays resumable). */
  drain(deadlineMs: number): Promise<void>;
}

/** Rows under the embedded engine; SQL in store/journal. Bookkeeping only: it holds no fact that the audit would miss. */
export interface Journal {
  put(work: readonly Work[]): Promise<void>;
  /**
   * Takes runnable work: due, no earlier unfinished work of its key, lane below its limit. Fenced by the boot epoch.
   * @param laneLimit works of one lane that may run at once
   */
  claim(input: {
    readonly nowMs: number;
    readonly max: number;
    readonly laneLimit: (lane: string) => number;
  }): Promise<readonly WorkItem[]>;
  steps(work: string): Promise<ReadonlyMap<string, Json>>;
  /** Ends work that has no store write of its own to end with. */
  finish(work: string, state: 'done' | 'failed' | 'cancelled', error?: string): Promise<void>;
  /** Puts running work back in the queue (drain). */
  release(work: string): Promise<void>;
  /**
   * After a crash: running work of older epochs goes back to the queue, at its old place in its key, unless its attempts are spent.
   * @returns the spent ones, now `failed`
   */
  recover(maxAttempts: number): Promise<readonly WorkItem[]>;
  /** @returns the state it had, or undefined when unknown or final */
  cancel(work: string, reason: string): Promise<WorkState | undefined>;
  get(work: string): Promise<WorkItem | undefined>;
  list(filter: {
    readonly state?: WorkState;
    readonly key?: string;
    readonly limit: number;
  }): Promise<readonly WorkItem[]>;
  /** Earliest `notBefore` of queued work that is not yet due, or undefined. */
  nextDueMs(nowMs: number): Promise<number | undefined>;
}
