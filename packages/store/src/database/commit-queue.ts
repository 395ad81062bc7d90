import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError, type Clock, type CrashPoints, type Logger } from '@agent-runtime/domain';
import type { Connection } from './connection.ts';

/** State in memory that must follow the transaction back and forth: the head of the audit chain. */
export interface GroupState {
  begin(): void;
  /** @returns what `undo` needs */
  save(): unknown;
  undo(saved: unknown): void;
  committed(): void;
}

export interface CommitQueueDeps {
  readonly writer: Connection;
  readonly state: GroupState;
  /** Throws when another process has taken over; asked once in every transaction. */
  readonly assertOurs: () => void;
  readonly clock: Clock;
  readonly crash: CrashPoints;
  readonly log: Logger;
  /** How long to wait for a program that holds the database, ms. */
  readonly busyTimeoutMs: number;
  /** Longest time one body may hold everybody else, ms. */
  readonly bodyTimeoutMs: number;
  readonly onCommitted: () => void;
  /** A transaction is over, committed or taken back; nobody has been told yet. */
  readonly onEnded: () => void;
  /** Changes one number that nobody reads, in the running transaction. */
  readonly touch: () => unknown;
}

export interface CommitQueue {
  /**
   * Runs a body in its own savepoint of the next transaction.
   * @param name for crash points and the log, the first audit action
   * @returns the body's value, once COMMIT has returned
   */
  submit<T>(name: string, body: () => Promise<T> | T): Promise<T>;
  /** Why the last transaction could not be written, for people; undefined while writing works. */
  trouble(): string | undefined;
  /** Refuses new work and resolves when the last transaction is over. */
  close(): Promise<void>;
}

type Outcome =
  | { readonly isDone: true; readonly value: unknown }
  | { readonly isDone: false; readonly error: unknown };

interface Member {
  readonly name: string;
  readonly body: () => Promise<unknown> | unknown;
  readonly settle: (outcome: Outcome) => void;
}

/** Bodies in one transaction; bounds how long the first of them waits for its answer. */
const MAX_GROUP = 256;

/**
 * Group commit: whoever asks while a turn of the event loop lasts shares one transaction and one fsync. Each body has a savepoint of
 * its own, so one that fails takes back only its own writes. See docs/adr/2026-11-21-group-commit.md.
 */
export function makeCommitQueue(deps: CommitQueueDeps): CommitQueue {
  const inside = new AsyncLocalStorage<{ isActive: boolean }>();
  const waiting: Member[] = [];
  let isClosed = false;
  let pumping: Promise<void> | undefined;
  let trouble: string | undefined;
  const closing = new AbortController();

  /** Whoever sends nothing while the disk is full must still see when it works again. */
  const probe = async (): Promise<void> => {
    while (trouble !== undefined && !isClosed) {
      await deps.clock.sleep(PROBE_MS, closing.signal);
      if (!isClosed) await submit('database.probe', deps.touch).catch(() => undefined);
    }
  };
  const noted = (failure: { readonly error: unknown } | undefined): void => {
    const wasWell = trouble === undefined;
    trouble = failure === undefined ? undefined : storeTrouble(failure.error);
    if (wasWell && trouble !== undefined) void probe();
  };

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) {
      // A turn of the loop, so that all who were just answered can ask again and share the next transaction.
      await nextTurn();
      noted(await runGroup(deps, waiting, inside));
    }
    pumping = undefined;
  };

  const submit: CommitQueue['submit'] = (name, body) => {
    if (inside.getStore()?.isActive === true) return Promise.reject(nested(name));
    if (isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if (outcome.isDone)
          resolve(outcome.value as Awaited<ReturnType<typeof body>>); // safe: the value of this very body
        else reject(outcome.error);
      };
      waiting.push({ name, body, settle });
      pumping ??= pump();
    });
  };

  return {
    submit,
    trouble: () => trouble,
    close: async () => {
      isClosed = true;
      closing.abort();
      await pumping;
    },
  };
}

/** Pause between two looks whether a failing disk works again. */
const PROBE_MS = 1_000;

/** Words for health; a fault of our own is none of the disk. */
function storeTrouble(error: unknown): string | undefined {
  return error instanceof AppError && error.kind !== 'bug' ? error.message : undefined;
}

/**
 * One transaction for as many members as wait now and join while it lasts.
 * @returns why it failed as a whole
 */
async function runGroup(
  deps: CommitQueueDeps,
  waiting: Member[],
  inside: AsyncLocalStorage<{ isActive: boolean }>,
): Promise<{ readonly error: unknown } | undefined> {
  const members: Member[] = [];
  const outcomes: Outcome[] = [];
  let failure: { readonly error: unknown } | undefined;
  let isCommitting = false;
  try {
    await begin(deps);
    deps.assertOurs();
    deps.state.begin();
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      members.push(next);
      const { outcome, isSlow } = await runMember(deps, next, inside);
      outcomes.push(outcome);
      // SQLite takes back everything by itself after some I/O errors.
      if (!deps.writer.isInTransaction) throw outcome.isDone ? lost() : outcome.error;
      if (isSlow || members.length >= MAX_GROUP) break;
    }
    isCommitting = true;
    deps.writer.run('commit');
    isCommitting = false;
    deps.state.committed();
  } catch (error) {
    failure = { error };
    rollBack(deps);
    if (isCommitting) overwriteRefused(deps);
    if (members.length === 0) members.push(...waiting.splice(0));
  }
  deps.onEnded();
  if (failure === undefined) deps.onCommitted();
  for (const [at, member] of members.entries()) {
    member.settle(
      failure === undefined ? finalOutcome(deps, member, outcomes[at]) : failed(failure.error, outcomes[at]),
    );
  }
  return failure;
}

/**
 * A commit whose fsync failed was refused, but lies whole in the write-ahead log: the next start would find it and believe it. Whatever is
 * written next takes its place there, so something that says nothing is written at once, also where the disk refuses that too.
 */
function overwriteRefused(deps: CommitQueueDeps): void {
  try {
    deps.writer.exec('begin immediate');
    deps.touch();
    deps.writer.exec('commit');
  } catch {
    rollBack(deps);
  }
}

const BUSY_PAUSE_MS = 20;

/** Waits for other programs without holding up the event loop, as SQLite's own wait would. */
async function begin(deps: CommitQueueDeps): Promise<void> {
  const deadline = deps.clock.monotonicMs() + deps.busyTimeoutMs;
  for (;;) {
    try {
      deps.writer.run('begin immediate');
      return;
    } catch (error) {
      const isBusy = error instanceof AppError && error.code === 'database.busy.unavailable';
      if (!isBusy || deps.clock.monotonicMs() >= deadline) throw error;
      await deps.clock.sleep(BUSY_PAUSE_MS);
    }
  }
}

async function runMember(
  deps: CommitQueueDeps,
  member: Member,
  inside: AsyncLocalStorage<{ isActive: boolean }>,
): Promise<{ readonly outcome: Outcome; readonly isSlow: boolean }> {
  const saved = deps.state.save();
  const scope = { isActive: true };
  let isSlow = false;
  deps.writer.run('savepoint member');
  try {
    const value = await inside.run(scope, () =>
      withDeadline(deps, member, () => {
        isSlow = true;
      }),
    );
    deps.crash.reach(`commit.before:${member.name}`);
    deps.writer.run('release member');
    return { outcome: { isDone: true, value }, isSlow };
  } catch (error) {
    deps.state.undo(saved);
    if (deps.writer.isInTransaction) deps.writer.exec('rollback to member; release member');
    return { outcome: { isDone: false, error }, isSlow };
  } finally {
    scope.isActive = false;
  }
}

/** Most bodies end within the turn; one that waits for something outside is watched, for it holds everybody. */
async function withDeadline(deps: CommitQueueDeps, member: Member, onSlow: () => void): Promise<unknown> {
  const running = Promise.resolve().then(member.body);
  const pending = Symbol('pending');
  const first = await Promise.race([running, nextTurn(pending)]);
  if (first !== pending) return first;
  onSlow();
  const waited = new AbortController();
  try {
    const second = await Promise.race([
      running,
      deps.clock.sleep(deps.bodyTimeoutMs, waited.signal).then(() => pending),
    ]);
    if (second !== pending) return second;
  } finally {
    waited.abort('over');
  }
  running.catch(() => undefined);
  deps.log.error({ room: 'database', commit: member.name }, 'a commit held the store for too long');
  throw new AppError({
    code: 'database.body.bug',
    kind: 'bug',
    message: 'A write inside took too long and was taken back.',
    detail: { commit: member.name, bodyTimeoutMs: deps.bodyTimeoutMs },
  });
}

function finalOutcome(deps: CommitQueueDeps, member: Member, outcome: Outcome | undefined): Outcome {
  if (outcome === undefined) return { isDone: false, error: lost() };
  if (!outcome.isDone) return outcome;
  try {
    deps.crash.reach(`commit.after:${member.name}`);
    return outcome;
  } catch (error) {
    return { isDone: false, error };
  }
}

/** The transaction failed as a whole; a body that had failed before keeps its own reason. */
function failed(error: unknown, own: Outcome | undefined): Outcome {
  return own !== undefined && !own.isDone ? own : { isDone: false, error };
}

function rollBack(deps: CommitQueueDeps): void {
  try {
    if (deps.writer.isInTransaction) deps.writer.exec('rollback');
  } catch (error) {
    deps.log.error(
      { room: 'database', error: String(error) },
      'a rollback failed; SQLite does it at the next open',
    );
  }
}

function nested(name: string): AppError {
  return new AppError({
    code: 'database.nested.bug',
    kind: 'bug',
    message: 'A write was begun inside another one. Use the transaction that the body was given.',
    detail: name,
  });
}

function closed(): AppError {
  return new AppError({
    code: 'database.closed.unavailable',
    kind: 'unavailable',
    message: 'The runtime is shutting down and writes nothing more.',
  });
}

function lost(): AppError {
  return new AppError({
    code: 'database.disk.unavailable',
    kind: 'unavailable',
    message: 'The database took the transaction back. Nothing was changed.',
  });
}
