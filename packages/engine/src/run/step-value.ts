import type { ApprovalId, Citation, FinishReason, Json, Label, ToolCall, Usage } from '@agent-runtime/domain';

/** What is journalled of one model call. */
export interface LlmStepValue {
  readonly kind: 'llm';
  readonly name: string;
  readonly outcome: 'done';
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: FinishReason;
  /** Join of all that the prompt held. */
  readonly label: Label;
  readonly usage: Usage;
  /** Newest message that the prompt held, for steering. */
  readonly seenSeq: number;
  /** Links that stood in staff's own guidance: an answer may repeat them. */
  readonly urls: readonly string[];
  /** Set for an answer: whether it ended the run, or words were added in the meantime that it does not know. */
  readonly end?: 'over' | 'steered' | undefined;
}

/** What is journalled of one tool call. */
export interface ToolStepValue {
  readonly kind: 'tool';
  readonly name: string;
  readonly outcome: 'done' | 'failed' | 'proposed' | 'denied';
  readonly callId: string;
  readonly text: string;
  readonly label: Label;
  /** Files it showed, with their number of lines: what may be cited. */
  readonly sources: readonly Citation[];
  /** Links in what staff wrote: an answer may repeat them. */
  readonly urls: readonly string[];
  readonly approval?: ApprovalId | undefined;
}

/** Journal values are JSON; these shapes are, member by member. */
export function toJson(value: LlmStepValue | ToolStepValue): Json {
  return value as unknown as Json; // safe: only strings, numbers, booleans, arrays and plain objects
}
