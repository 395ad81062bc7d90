import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Conversation, isSlug, type Message, type Run, type Task } from '@agent-runtime/domain';
import { type FileRecord, isRecordPath, labelOfHead, parseRecordFile } from '../projector/index.ts';

/** What the records of all workspaces say. */
export interface Found {
  readonly messages: Map<string, Message>;
  /** Conversation -> the door's own key. */
  readonly keys: Map<string, string>;
  readonly tasks: Map<string, Task>;
  readonly runs: Map<string, Run>;
  readonly flagged: string[];
}

/** Reads every record file; what is not ours is counted, never taken. */
export async function collect(input: {
  /** data/workspaces */
  readonly root: string;
  readonly macKey: Uint8Array;
}): Promise<Found> {
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
      const text = await textOf(full);
      if (text === undefined) {
        found.flagged.push(`${workspace.name}/${path}: it cannot be read`);
        continue;
      }
      const { records, foreignLines } = parseRecordFile(text, input.macKey);
      if (foreignLines > 0) found.flagged.push(`${workspace.name}/${path}: ${foreignLines}`);
      for (const record of records) take(found, record, workspace.name);
    }
  }
  return found;
}

/** More than a channel says in a month; the text of a file beyond it could not be held. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Undefined for what cannot be read: one bad file must not stop the others. */
async function textOf(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.size > MAX_BYTES) return undefined;
  return readFile(file, 'utf8').catch(() => undefined);
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

/** By number; two histories that share numbers, as after a restored backup, are told apart by time and numbered anew. */
export function inOrder(messages: readonly Message[]): readonly Message[] {
  let last = 0;
  return [...messages]
    .sort((a, b) => a.seq - b.seq || a.at - b.at || (a.id < b.id ? -1 : 1))
    .map((message) => {
      last = Math.max(message.seq, last + 1);
      return message.seq === last ? message : { ...message, seq: last };
    });
}

/** One row per conversation; the newest of each key is open, so that talk goes on where it stopped. */
export function conversationsOf(
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
