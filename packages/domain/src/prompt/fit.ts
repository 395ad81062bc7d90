import type { Label } from '../label/index.ts';
import { estimateTokens, type LlmMessage } from '../model/index.ts';

/** One move of a run as the model sees it: an assistant message with its calls, and the result of every one of them. Never split. */
export interface RunTurn {
  readonly messages: readonly LlmMessage[];
  readonly label: Label;
}

/**
 * Keeps the newest turns that fit, whole: a tool call is never split from its result. The newest turn always stays, with its tool
 * results shortened when even that is too long.
 * @param budgetTokens >= 0
 */
export function fitTurns(
  turns: readonly RunTurn[],
  budgetTokens: number,
): { readonly turns: readonly RunTurn[]; readonly dropped: number } {
  let tokens = 0;
  let from = turns.length;
  for (let i = turns.length - 1; i >= 0; i -= 1) {
    const turn = turns[i];
    if (turn === undefined) break;
    const cost = turnTokens(turn);
    if (tokens + cost > budgetTokens) break;
    tokens += cost;
    from = i;
  }
  const last = turns.at(-1);
  if (from === turns.length && last !== undefined)
    return { turns: [shorten(last, budgetTokens)], dropped: turns.length - 1 };
  return { turns: turns.slice(from), dropped: from };
}

function turnTokens(turn: RunTurn): number {
  return turn.messages.reduce((sum, message) => {
    const calls =
      message.role === 'assistant'
        ? message.toolCalls.reduce((all, call) => all + estimateTokens(call.name + call.argumentsJson) + 8, 0)
        : 0;
    return sum + estimateTokens(message.text) + calls + 4;
  }, 0);
}

const MIN_RESULT_CHARS = 400;

function shorten(turn: RunTurn, budgetTokens: number): RunTurn {
  const results = turn.messages.filter((message) => message.role === 'tool').length;
  const fixed = turnTokens({ ...turn, messages: turn.messages.filter((message) => message.role !== 'tool') });
  const chars = Math.max(MIN_RESULT_CHARS, Math.floor(((budgetTokens - fixed) * 3) / Math.max(1, results)));
  const messages = turn.messages.map((message) =>
    message.role === 'tool' && message.text.length > chars
      ? { ...message, text: `${message.text.slice(0, chars)}\n[cut: ask for a smaller part]` }
      : message,
  );
  return { ...turn, messages };
}
