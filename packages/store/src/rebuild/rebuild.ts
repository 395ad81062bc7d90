import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  type Conversation,
  type GateState,
  isFinalRun,
  isSlug,
  type Logger,
  type Message,
  type Run,
  type Store,
  type StoreTx,
  type Task,
} from '@agent-runtime/domain';
import { type FileRecord, isRecordPath, labelOfHead, parseRecordFile } from '../projector/index.ts';

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
  /** Record files with lines that are not ours, or changed: `path: lines`. They were left out. */
  readonly flagged: readonly string[];
}

/** Rows of one transaction. */
const BATCH = 200;

/**
 * Brings back from Markdown what Markdown holds: messages, conversations, tasks and runs. Users, grants, tokens, keys, approvals, the
 * outbox, the audit log and the marks of what was taken in are authority and do not come back; the gate is closed afterwards, and what
 * was unfinished is failed.
 * @throws AppError database.* ; run it again on an empty database
 */
export async function rebuild(input: RebuildInput): Promise<RebuildResult> {
  const found = await collect(input);
  const messages = [...found.messages.values()].sort((a, b) => a.seq - b.seq);
  const conversations = conversationsOf(messages, found.keys);
  await write(input, 'rebuild.conversations', conversations, (tx, row) =>
    tx.insert('context_conversation', row),
  );
  await write(input, 'rebuild.messages', messages, (tx, row) => tx.insert('context_message', row));
  await write(input, 'rebuild.tasks', [...found.tasks.values()], (tx, row) => tx.insert('task', row));
  await write(input, 'rebuild.runs', [...found.runs.values()].map(ended), (tx, row) => tx.insert('run', row));
  await finish(input, messages.at(-1)?.seq ?? 0);
  return {
    messages: messages.length,
    conversations: conversations.length,
    tasks: found.tasks.size,
    runs: found.runs.size,
    flagged: found.flagged,
  };
}

interface Found {
  readonly messages: Map<string, Message>;
  /** Conversation -> the door's own key. */
  readonly keys: Map<string, string>;
  readonly tasks: Map<string, Task>;
  readonly runs: Map<string, Run>;
  readonly flagged: string[];
}

async function collect(input: RebuildInput): Promise<Found> {
  const found: Found = {
    messages: new Map(),
    keys: new Map(),
    tasks: new Map(),
    runs: new Map(),
    flagged: [],
  };
  for (const workspace of await readdir(input.root, { withFileTypes: true })) {
    if (!workspace.isDirectory() || !isSlug(workspace.name)) continue;
    const folder = join(input.root, workspace.name);
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(folder.length + 1);
      if (!entry.isFile() || !isRecordPath(path) || path.startsWith('approvals/')) continue;
      const { records, foreignLines } = parseRecordFile(await readFile(full, 'utf8'), input.macKey);
      if (foreignLines > 0) found.flagged.push(`${workspace.name}/${path}: ${foreignLines}`);
      for (const record of records) take(found, record, workspace.name);
    }
  }
  return found;
}

/** A record moved into another workspace's folder is not taken. */
function take(found: Found, { head, text }: FileRecord, workspace: string): void {
  if (head.kind === 'message' && head.workspace === workspace) {
    const { kind: _kind, key, ...row } = head;
    // safe: the MAC says that the projector wrote this row
    const message = { ...row, text, label: labelOfHead(head.label) } as unknown as Message;
    found.messages.set(message.id, message);
    found.keys.set(message.conversation, String(key));
  }
  const row =
    typeof head.row === 'object' && head.row !== null && !Array.isArray(head.row) ? head.row : undefined;
  if (row === undefined || !('workspace' in row) || row.workspace !== workspace) return;
  // safe: the MAC says that the projector wrote these rows
  if (head.kind === 'task') found.tasks.set(String(row.id), row as unknown as Task);
  // safe: as above
  if (head.kind === 'run')
    found.runs.set(String(row.id), { ...row, ...(text === '' ? {} : { output: text }) } as unknown as Run);
}

/** One row per conversation; the newest of each key is open, so that talk goes on where it stopped. */
function conversationsOf(
  messages: readonly Message[],
  keys: ReadonlyMap<string, string>,
): readonly Conversation[] {
  const rows = new Map<string, Conversation>();
  for (const message of messages) {
    const known = rows.get(message.conversation);
    rows.set(message.conversation, {
      id: message.conversation,
      workspace: message.workspace,
      context: message.context,
      key: keys.get(message.conversation) ?? message.conversation,
      isOpen: false,
      createdAt: known?.createdAt ?? message.at,
      lastAt: Math.max(known?.lastAt ?? 0, message.at),
    });
  }
  const newest = new Map<string, Conversation>();
  for (const row of rows.values()) {
    const place = `${row.context}\n${row.key}`;
    if ((newest.get(place)?.lastAt ?? -1) <= row.lastAt) newest.set(place, row);
  }
  return [...rows.values()].map((row) => ({
    ...row,
    isOpen: newest.get(`${row.context}\n${row.key}`)?.id === row.id,
  }));
}

/** Questions to humans do not come back, and what was running when the database was lost has failed. */
function ended(run: Run): Run {
  if (isFinalRun(run.state)) return { ...run, pendingApprovals: [] };
  const error = {
    code: 'rebuild.run.cancelled',
    kind: 'cancelled',
    message: 'It was unfinished when the database was lost. Retry it.',
  } as const;
  return { ...run, state: 'failed', pendingApprovals: [], error };
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

async function finish(input: RebuildInput, lastSeq: number): Promise<void> {
  const gate: GateState = {
    id: 'gate',
    isClosed: true,
    reason:
      'The database was rebuilt from Markdown. Look through users, tokens and keys, then open the gate.',
    at: input.clock.nowMs(),
  };
  await input.store.commit(
    { action: 'gate.close', actor: 'rebuild', subject: 'gate', data: { reason: gate.reason } },
    async (tx) => {
      if ((await tx.update('gate_state', { id: 'gate' }, gate)) === 0) await tx.insert('gate_state', gate);
      // New messages come after the old ones.
      for (let seq = 0; seq < lastSeq; ) seq = await tx.next('message');
    },
  );
}
