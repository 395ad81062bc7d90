import {
  type Approval,
  type ApprovalId,
  type Effect,
  type Run,
  type Task,
  type TaskId,
} from '@agent-runtime/domain';
export declare const TASK: TaskId;
export declare const APPROVAL: ApprovalId;
export declare function taskRow(more?: Partial<Task>): Task;
export declare function runRow(name: string, more?: Partial<Run>): Run;
export declare function effectRow(more?: Partial<Effect>): Effect;
export declare function approvalRow(more?: Partial<Approval>): Approval;
