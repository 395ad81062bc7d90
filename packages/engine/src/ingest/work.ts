import {
  type Context,
  type Conversation,
  type Door,
  type Message,
  NOTHING_READ,
  oneLine,
  type Principal,
  type Run,
  type StoreTx,
  type Task,
  type TaskKind,
  type Work,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';

/** A task with its first run, as rows. */
export interface NewWork {
  readonly task: Task;
  readonly run: Run;
}

/** Makes task and run for a message; writes nothing. */
export function makeWork(
  deps: Pick<EngineDeps, 'clock' | 'ids'>,
  input: {
    readonly message: Message;
    readonly context: Context;
    readonly conversation: Conversation;
    readonly requester: Principal;
    readonly door: Door;
    readonly kind: TaskKind;
    readonly parent?: Task['id'] | undefined;
  },
): NewWork {
  const { message, context, conversation } = input;
  const nowMs = deps.clock.nowMs();
  const task: Task = {
    id: deps.ids.make('task'),
    kind: input.kind,
    title: titleOf(message),
    workspace: context.workspace,
    context: context.id,
    conversation: conversation.id,
    requester: input.requester,
    requesterName: message.senderName,
    door: input.door,
    parent: input.parent,
    createdAt: nowMs,
  };
  return { task, run: makeRun(deps, task, message.id, 1) };
}

/** The first words; of a message without words what came with it. */
function titleOf({ text, attachments = [] }: Message): string {
  const words = oneLine(text, 80);
  return words === ''
    ? `(${attachments
        .map((one) => one.kind)
        .slice(0, 5)
        .join(', ')})`
    : words;
}

/** One more attempt at a task. */
export function makeRun(
  deps: Pick<EngineDeps, 'clock' | 'ids'>,
  task: Task,
  input: Message['id'],
  attempt: number,
): Run {
  return {
    id: deps.ids.make('run'),
    task: task.id,
    workspace: task.workspace,
    context: task.context,
    conversation: task.conversation,
    input,
    state: 'queued',
    attempt,
    label: NOTHING_READ,
    createdAt: deps.clock.nowMs(),
    pendingApprovals: [],
  };
}

/** Name of the workflow of every run. */
export const RUN_WORKFLOW = 'run';

/**
 * Writes a run and queues its durable work in the same transaction: what is accepted is carried out, and once. Works of one conversation
 * go one after the other, in the order of these commits; works of one workspace share a limit.
 */
export async function queueRun(tx: StoreTx, run: Run): Promise<void> {
  await tx.insert('run', run);
  const work: Work = {
    id: run.id,
    workflow: RUN_WORKFLOW,
    key: run.conversation,
    lane: run.workspace,
    input: { run: run.id },
    notBefore: 0,
  };
  await tx.enqueueWork(work);
}
