import {
  AppError,
  type Clock,
  type GateState,
  isFinalRun,
  type Logger,
  type Run,
  type Store,
  type StoreTx,
} from '@agent-runtime/domain';
import { collect, conversationsOf, inOrder } from './collect.ts';
import { lowerLabels } from './lower-labels.ts';

export interface RebuildInput {
  /** A fresh store that setup has filled with workspaces and contexts. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** data/workspaces */
  readonly root: string;
  readonly macKey: Uint8Array;
}

/** What came back, and what was not believed. */
export interface RebuildResult {
  readonly messages: number;
  readonly conversations: number;
  readonly tasks: number;
  readonly runs: number;
  /** Notes and memories that count as text from outside until staff approves them. */
  readonly files: number;
  /** Record files with lines that are not ours, or changed: `path: lines`. They were left out. */
  readonly flagged: readonly string[];
}

/** Rows of one transaction. */
const BATCH = 200;

/**
 * Brings back from Markdown what Markdown holds: messages, conversations, tasks and runs. Users, grants, tokens, keys, approvals, the
 * outbox, the audit log, labels of files and the marks of what was taken in are authority and do not come back. The gate is closed
 * before the first row, so that a rebuild that dies leaves nothing that could act; what was unfinished is failed.
 * @throws AppError rebuild.database.conflict (it holds messages or tasks) · database.* ; run it again on an empty database
 */
export async function rebuild(input: RebuildInput): Promise<RebuildResult> {
  await assertEmpty(input.store);
  await closeGate(input);
  const files = await lowerLabels(input.store);
  const found = await collect(input);
  const messages = inOrder([...found.messages.values()]);
  const conversations = conversationsOf(messages, found.keys);
  await write(input, 'rebuild.conversations', conversations, (tx, row) =>
    tx.insert('context_conversation', row),
  );
  await write(input, 'rebuild.messages', messages, (tx, row) => tx.insert('context_message', row));
  await write(input, 'rebuild.tasks', [...found.tasks.values()], (tx, row) => tx.insert('task', row));
  const now = input.clock.nowMs();
  const runs = [...found.runs.values()].map((run) => ended(run, now));
  await write(input, 'rebuild.runs', runs, (tx, row) => tx.insert('run', row));
  await continueSeq(input.store, messages.at(-1)?.seq ?? 0);
  return {
    messages: messages.length,
    conversations: conversations.length,
    tasks: found.tasks.size,
    runs: found.runs.size,
    files,
    flagged: found.flagged,
  };
}

/** A database that knows something already would get some rows twice and lose others. */
async function assertEmpty(store: Store): Promise<void> {
  const known = (await store.read.count('context_message', {})) + (await store.read.count('task', {}));
  if (known === 0) return;
  throw new AppError({
    code: 'rebuild.database.conflict',
    kind: 'conflict',
    message: 'The database holds messages or tasks already. Rebuild only into an empty one.',
  });
}

/** Questions to humans do not come back, and what was running when the database was lost has failed. */
function ended(run: Run, nowMs: number): Run {
  if (isFinalRun(run.state)) return { ...run, pendingApprovals: [] };
  const error = {
    code: 'rebuild.run.cancelled',
    kind: 'cancelled',
    message: 'It was unfinished when the database was lost. Retry it.',
  } as const;
  return { ...run, state: 'failed', pendingApprovals: [], finishedAt: nowMs, error };
}

async function write<T>(
  input: RebuildInput,
  action: string,
  rows: readonly T[],
  insert: (tx: StoreTx, row: T) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < rows.length; from += BATCH) {
    const batch = rows.slice(from, from + BATCH);
    await input.store.commit(
      { action, actor: 'rebuild', subject: 'database', data: { rows: batch.length } },
      async (tx) => {
        for (const row of batch) await insert(tx, row);
      },
    );
  }
}

async function closeGate({ store, clock }: RebuildInput): Promise<void> {
  const gate: GateState = {
    id: 'gate',
    isClosed: true,
    reason:
      'The database was rebuilt from Markdown. Look through users, tokens and keys, then open the gate.',
    at: clock.nowMs(),
  };
  await store.commit(
    { action: 'gate.close', actor: 'rebuild', subject: 'gate', data: { reason: gate.reason } },
    async (tx) => {
      if ((await tx.update('gate_state', { id: 'gate' }, gate)) === 0) await tx.insert('gate_state', gate);
    },
  );
}

/** New messages come after the old ones. */
async function continueSeq(store: Store, lastSeq: number): Promise<void> {
  for (let seq = 0; seq < lastSeq; ) {
    const from = seq;
    seq = await store.commit(
      { action: 'rebuild.sequence', actor: 'rebuild', subject: 'database', data: { from } },
      async (tx) => {
        let at = from;
        while (at < lastSeq && at < from + NUMBERS_AT_ONCE) at = await tx.next('message');
        return at;
      },
    );
  }
}

/** Far within the time that one commit may take. */
const NUMBERS_AT_ONCE = 20_000;
