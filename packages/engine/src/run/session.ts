import {
  type Context,
  type Conversation,
  capModel,
  type EffectiveSettings,
  join,
  type Label,
  type Message,
  NOTHING_READ,
  type Run,
  type RunTurn,
  type Task,
} from '@agent-runtime/domain';
import type { LlmStepValue, ToolStepValue } from './step-value.ts';

/** What stays the same while a run runs. */
export interface RunPlace {
  readonly run: Run;
  readonly task: Task;
  readonly context: Context;
  readonly conversation: Conversation;
  readonly settings: EffectiveSettings;
  readonly input: Message;
}

/** What a run has done so far; rebuilt from its steps after a restart, so it holds nothing that is not in them. */
export interface RunProgress {
  readonly turns: readonly RunTurn[];
  /** Join of all that entered a prompt or came out of a tool. */
  readonly label: Label;
  readonly sources: ReadonlyMap<string, number>;
  readonly approvals: readonly NonNullable<ToolStepValue['approval']>[];
  /** Links that may stay links in the answer: typed by the requester, or written by staff. */
  readonly trustedUrls: ReadonlySet<string>;
}

export const NO_PROGRESS: RunProgress = {
  turns: [],
  label: NOTHING_READ,
  sources: new Map(),
  approvals: [],
  trustedUrls: new Set(),
};

/** Adds one move: the model's message with all its results. */
export function withTurn(
  progress: RunProgress,
  llm: LlmStepValue,
  tools: readonly ToolStepValue[],
): RunProgress {
  const label = join(progress.label, llm.label, ...tools.map((tool) => tool.label));
  const sources = new Map(progress.sources);
  for (const tool of tools) {
    for (const { path, line } of tool.sources) sources.set(path, Math.max(line, sources.get(path) ?? 0));
  }
  const turn: RunTurn = {
    label: join(capModel(llm.label), ...tools.map((tool) => tool.label)),
    messages: [
      { role: 'assistant', text: llm.text, toolCalls: llm.toolCalls },
      ...tools.map((tool) => ({
        role: 'tool' as const,
        callId: tool.callId,
        name: tool.name,
        text: tool.text,
        isError: tool.outcome === 'failed' || tool.outcome === 'denied',
      })),
    ],
  };
  return {
    turns: [...progress.turns, turn],
    label,
    sources,
    trustedUrls: new Set([...progress.trustedUrls, ...llm.urls, ...tools.flatMap((tool) => tool.urls)]),
    approvals: [
      ...progress.approvals,
      ...tools.flatMap((tool) => (tool.approval === undefined ? [] : [tool.approval])),
    ],
  };
}
