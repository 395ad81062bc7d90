// Owns: tasks, runs, the run machine, the no-progress rule.
// Never: runs anything; knows a queue.
// Callers: policy's users, prompt, the engine.
// Invariants: a run ends in exactly one of aborted, succeeded, failed and never moves again.

export * from './intent.ts';
export * from './progress.ts';
export * from './task.ts';
