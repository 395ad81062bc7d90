import {
  AppError,
  type ApprovalId,
  type ContextId,
  type ConversationId,
  type MessageId,
  type PublicError,
  type RunId,
  type TaskId,
  type WorkspaceId,
} from '../base/index.ts';
import type { Door } from '../context/index.ts';
import type { Principal } from '../identity/index.ts';
import type { Label } from '../label/index.ts';

export const TASK_KINDS = ['chat', 'research', 'summarization', 'triage', 'drafting', 'review'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** A goal with owner and context. Its state is that of its latest run. */
export interface Task {
  readonly id: TaskId;
  readonly kind: TaskKind;
  readonly title: string;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly conversation: ConversationId;
  readonly requester: Principal;
  readonly requesterName: string;
  readonly door: Door;
  /** The task whose effect or run gave rise to it. It gives no rights and no label: a run earns its own by what it reads. */
  readonly parent?: TaskId | undefined;
  readonly createdAt: number;
}

export const RUN_STATES = ['queued', 'running', 'aborting', 'aborted', 'succeeded', 'failed'] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface Citation {
  readonly path: string;
  readonly line: number;
}

/** One attempt at a task. */
export interface Run {
  readonly id: RunId;
  readonly task: TaskId;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly conversation: ConversationId;
  /** The message it answers. */
  readonly input: MessageId;
  readonly state: RunState;
  /** 1 for the first try, then counting retries asked for by people. */
  readonly attempt: number;
  readonly label: Label;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  readonly output?: string | undefined;
  readonly citations?: readonly Citation[] | undefined;
  readonly pendingApprovals: readonly ApprovalId[];
  readonly error?: PublicError | undefined;
}

export type RunEvent = 'start' | 'abort' | 'stopped' | 'succeed' | 'fail';

const TABLE: Readonly<Record<RunState, Partial<Record<RunEvent, RunState>>>> = {
  queued: { start: 'running', abort: 'aborted', fail: 'failed' },
  running: { start: 'running', abort: 'aborting', succeed: 'succeeded', fail: 'failed' },
  aborting: { abort: 'aborting', stopped: 'aborted', fail: 'aborted', succeed: 'aborted' },
  aborted: {},
  succeeded: {},
  failed: {},
};

export function isFinalRun(state: RunState): boolean {
  return Object.keys(TABLE[state]).length === 0;
}

/** Next state, or undefined when the machine refuses. */
export function nextRunState(state: RunState, event: RunEvent): RunState | undefined {
  const row = TABLE[state];
  return Object.hasOwn(row, event) ? row[event] : undefined;
}

/** @throws AppError task.run.conflict */
export function moveRun(run: Pick<Run, 'id' | 'state'>, event: RunEvent): RunState {
  const next = nextRunState(run.state, event);
  if (next !== undefined) return next;
  throw new AppError({
    code: 'task.run.conflict',
    kind: 'conflict',
    message: `${run.id} is ${run.state}; it cannot ${event} any more.`,
  });
}
