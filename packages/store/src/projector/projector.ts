import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Approval,
  type AuditReader,
  type CrashPoints,
  type Effect,
  isSlug,
  type Logger,
  type Message,
  parseWorkspaceId,
  type RunId,
  type StoreReader,
  type TaskId,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { makePlainFolders, syncFolder, writeAtomically } from '../workspace/index.ts';
import { appendDurably, writtenIds } from './append-log.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { LABEL_LOG, labelLines } from './label-log.ts';
import { logPath, logRecord } from './log-record.ts';
import { approvalFile, taskFile } from './state-file.ts';

export interface ProjectorInput {
  readonly read: StoreReader;
  readonly audit: AuditReader;
  /** data/workspaces */
  readonly root: string;
  readonly cursorFile: string;
  readonly macKey: Uint8Array;
  readonly crash: CrashPoints;
  readonly log: Logger;
}

/** Writes Markdown records from the database. */
export interface Projector {
  /**
   * Writes everything that is committed at this moment and not yet written; one pass at a time.
   * @returns messages, tasks and approvals looked at
   * @throws AppError of the disk; what was not written is written by the next run
   */
  run(): Promise<number>;
}

const BATCH = 500;
/** Beyond this the file of labels is written anew. */
const MAX_LABEL_LOG_BYTES = 8 * 1024 * 1024;
/** Characters of message text in one batch; what a crash leaves is then always within the tail that is looked at. */
const BATCH_CHARS = 1_000_000;

/**
 * One projector per process. What it appends is on the disk before its cursor moves; on its first touch of a log it looks at the log's
 * end, so that a crash in between leaves neither a hole nor a double. Tasks and approvals are written whole, which is harmless to repeat.
 */
export function makeProjector(input: ProjectorInput): Projector {
  /** Logs whose end is known to be whole. */
  const whole = new Set<string>();
  const writes = { nonce: 0 };
  let running: Promise<number> | undefined;
  let waiting: Promise<number> | undefined;
  let cursor: Cursor | undefined;
  let look: 'end' | 'all' = 'end';

  async function pass(): Promise<number> {
    let written = 0;
    let at = await startAt();
    for (;;) {
      const found = await input.read.find(
        'context_message',
        { seq: { gt: at.messageSeq } },
        { orderBy: 'seq', limit: BATCH },
      );
      const messages = withinBatch(found);
      await appendAll(messages);
      const changes = await changedSince(input.audit, at.auditSeq);
      written += messages.length + (await writeStates(changes));
      for (const [workspace, paths] of changes.labels) await appendLabels(workspace, paths);
      const next: Cursor = { messageSeq: messages.at(-1)?.seq ?? at.messageSeq, auditSeq: changes.head };
      if (next.messageSeq !== at.messageSeq || next.auditSeq !== at.auditSeq) {
        input.crash.reach('projector.before-cursor');
        writes.nonce += 1;
        await writeCursor(input.cursorFile, next, { crash: input.crash, nonce: writes.nonce });
        at = next;
        cursor = next;
      }
      if (messages.length === found.length && found.length < BATCH) return written;
    }
  }

  /** A cursor ahead of its database belongs to another one, lost or rolled back: everything is looked at again, nothing is doubled. */
  async function startAt(): Promise<Cursor> {
    if (cursor !== undefined) return cursor;
    const stored = await readCursor(input.cursorFile);
    const [last] = await input.read.find(
      'context_message',
      {},
      { orderBy: 'seq', direction: 'desc', limit: 1 },
    );
    const { seq: head } = await input.audit.head();
    const messageSeq = stored.messageSeq > (last?.seq ?? 0) ? 0 : stored.messageSeq;
    look = messageSeq === 0 ? 'all' : 'end';
    return {
      messageSeq,
      auditSeq: stored.auditSeq > head ? 0 : stored.auditSeq,
    };
  }

  async function appendAll(messages: readonly Message[]): Promise<void> {
    const byFile = new Map<string, Batch>();
    for (const message of messages) {
      const context = await input.read.get('context', { id: message.context });
      const conversation = await input.read.get('context_conversation', { id: message.conversation });
      if (context === undefined || conversation === undefined) continue;
      const path = logPath(context, message);
      const file = join(input.root, message.workspace, path);
      const batch = byFile.get(file) ?? { workspace: message.workspace, path, records: new Map() };
      batch.records.set(message.id, logRecord(message, conversation, input.macKey));
      byFile.set(file, batch);
    }
    for (const [file, batch] of byFile) await append(file, batch);
  }

  async function append(file: string, { workspace, path, records }: Batch): Promise<void> {
    await makePlainFolders(input.root, workspace, path);
    if (!whole.has(file)) for (const id of await writtenIds(file, input.macKey, look)) records.delete(id);
    if (records.size > 0) {
      // When it fails half-way, the end is looked at again before the next try.
      whole.delete(file);
      await appendDurably(file, [...records.values()].join(''), input.crash);
    }
    whole.add(file);
  }

  async function writeStates(changes: Changes): Promise<number> {
    for (const id of changes.tasks) await writeTask(id);
    for (const id of changes.approvals) await writeApproval(id);
    return changes.tasks.size + changes.approvals.size;
  }

  async function writeTask(id: TaskId): Promise<void> {
    const task = await input.read.get('task', { id });
    const runs = await input.read.find('run', { task: id }, { orderBy: 'attempt' });
    const [first] = runs;
    if (task === undefined || first === undefined) return;
    const question = await input.read.get('context_message', { id: first.input });
    await writeState(task.workspace, `tasks/${id}.md`, taskFile({ task, runs, question }, input.macKey));
  }

  async function writeApproval(id: Approval['id']): Promise<void> {
    const approval = await input.read.get('approval', { id });
    const effect =
      approval === undefined ? undefined : await input.read.get('effect', { id: approval.effect });
    if (approval === undefined || effect === undefined) return;
    await writeState(
      approval.workspace,
      `approvals/${id}.md`,
      approvalFile({ approval, effect }, input.macKey),
    );
  }

  /** Far above its share it is written anew, without the lines that later ones have overtaken. */
  async function appendLabels(workspace: WorkspaceId, paths: ReadonlySet<string>): Promise<void> {
    await makePlainFolders(input.root, workspace, LABEL_LOG);
    const file = join(input.root, workspace, LABEL_LOG);
    const lines = await labelLines(input.read, input.macKey, { workspace, paths });
    const { size } = await stat(file).catch(() => ({ size: 0 }));
    if (size + lines.length <= MAX_LABEL_LOG_BYTES) return appendDurably(file, lines, input.crash);
    const all = await labelLines(input.read, input.macKey, { workspace, paths: 'all' });
    await writeState(workspace, LABEL_LOG, all);
  }

  /** Whole and durable; left alone when it says so already, for most events of a run change nothing that is shown. */
  async function writeState(workspace: Effect['workspace'], path: string, text: string): Promise<void> {
    await makePlainFolders(input.root, workspace, path);
    const file = join(input.root, workspace, path);
    // The name may be from a write that died before its folder was on the disk.
    if ((await presentText(file, text.length)) === text) return syncFolder(dirname(file));
    writes.nonce += 1;
    await writeAtomically(file, text, { crash: input.crash, nonce: writes.nonce });
  }

  /** Tasks, approvals and labels that the log says have changed. */
  async function changedSince(audit: AuditReader, afterSeq: number): Promise<Changes> {
    const { seq: head } = await audit.head();
    const runs = new Set<RunId>();
    const tasks = new Set<TaskId>();
    const approvals = new Set<Approval['id']>();
    const labels = new Map<WorkspaceId, Set<string>>();
    for (let before = head + 1; before > afterSeq + 1; ) {
      const page = await audit.tail(BATCH, { beforeSeq: before });
      for (const { seq, subject, action, workspace } of page) {
        if (seq <= afterSeq) break;
        if (action.startsWith('label.') && workspace !== undefined && isSlug(workspace)) {
          const id = parseWorkspaceId(workspace);
          labels.set(id, (labels.get(id) ?? new Set()).add(subject));
        }
        if (subject.startsWith('run_')) runs.add(subject as RunId); // safe: only looked up
        if (subject.startsWith('task_')) tasks.add(subject as TaskId); // safe: only looked up
        if (subject.startsWith('appr_')) approvals.add(subject as Approval['id']); // safe: only looked up
        if (subject.startsWith('efct_')) {
          const effect = await input.read.get('effect', { id: subject as Effect['id'] }); // safe: only looked up
          if (effect?.approval !== undefined) approvals.add(effect.approval);
        }
      }
      before = page.at(-1)?.seq ?? 0;
    }
    for (const id of runs) {
      const run = await input.read.get('run', { id });
      if (run !== undefined) tasks.add(run.task);
    }
    return { tasks, approvals, labels, head };
  }

  const start = (): Promise<number> => {
    running = pass().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    run: () => {
      if (running === undefined) return start();
      // The pass under way may have looked already: whoever asks now waits for one more.
      waiting ??= running
        .catch(() => 0)
        .then(() => {
          waiting = undefined;
          return start();
        });
      return waiting;
    },
  };
}

/** Undefined when it is not there, is a link, or cannot be what is asked for: it is then replaced. */
async function presentText(file: string, chars: number): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(() => undefined);
  try {
    const found = await handle?.stat();
    const isLikely = found?.isFile() === true && found.size <= chars * MAX_BYTES_PER_CHAR;
    return isLikely ? await handle?.readFile('utf8') : undefined;
  } finally {
    await handle?.close();
  }
}

/** Of UTF-8, by UTF-16 code unit. */
const MAX_BYTES_PER_CHAR = 3;

/** New records of one log, by message. */
interface Batch {
  readonly workspace: Message['workspace'];
  readonly path: string;
  readonly records: Map<string, string>;
}

function withinBatch(messages: readonly Message[]): readonly Message[] {
  let chars = 0;
  const first = messages.findIndex(({ text }) => {
    chars += text.length;
    return chars > BATCH_CHARS;
  });
  return first < 0 ? messages : messages.slice(0, Math.max(1, first));
}

interface Changes {
  readonly tasks: ReadonlySet<TaskId>;
  readonly approvals: ReadonlySet<Approval['id']>;
  /** Paths whose labels changed. */
  readonly labels: ReadonlyMap<WorkspaceId, ReadonlySet<string>>;
  readonly head: number;
}
