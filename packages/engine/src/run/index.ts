// Owns: the loop of a run: prompt, model call, tool calls, answer; budgets; what ends a run.
// Never: delivers anything; decides (policy does); believes a model about a label, a path or a right.
// Callers: the durable engine, through the workflow; orders to abort and retry.
// Invariants: rights are looked at before every step; nothing of a cut stream is acted on; every run ends in a final state.
export { endRun } from './finish.ts';
export {
  abortRun,
  endOpenRuns,
  endOrphans,
  panicEnd,
  retryTask,
  revokedEnd,
  steerRun,
} from './orders.ts';
export { loadPlace } from './place.ts';
export type { RunPlace } from './session.ts';
export type { LlmStepValue, ToolStepValue } from './step-value.ts';
export { makeRunWorkflow } from './workflow.ts';
