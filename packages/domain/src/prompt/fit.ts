import type { Label } from '../label/index.ts';
import { cutToTokens, estimateTokens, type LlmMessage } from '../model/index.ts';

/** One move of a run as the model sees it: an assistant message with its calls, and the result of every one of them. Never split. */
export interface RunTurn {
  readonly messages: readonly LlmMessage[];
  readonly label: Label;
}

/**
 * Keeps the newest turns that fit, whole: a tool call is never split from its result. The newest turn stays even when it is too long:
 * first its results are shortened, then the arguments of its calls; only when not even its bones fit does it go.
 * @param budgetTokens >= 0
 * @returns           a suffix of `turns` of at most `budgetTokens`; `dropped` counts those left out
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
  if (from < turns.length || last === undefined) return { turns: turns.slice(from), dropped: from };
  const short = [shortenResults(last, budgetTokens), shortenResults(bonesOf(last), budgetTokens)].find(
    (turn) => turnTokens(turn) <= budgetTokens,
  );
  return short === undefined
    ? { turns: [], dropped: turns.length }
    : { turns: [short], dropped: turns.length - 1 };
}

/** What one message costs, with its envelope. */
export function tokensOf(message: LlmMessage): number {
  const calls =
    message.role === 'assistant'
      ? message.toolCalls.reduce((sum, call) => sum + estimateTokens(call.name + call.argumentsJson) + 8, 0)
      : 0;
  return estimateTokens(message.text) + calls + 4;
}

export function turnTokens(turn: RunTurn): number {
  return turn.messages.reduce((sum, message) => sum + tokensOf(message), 0);
}

const CUT = '\n[cut: ask for a smaller part]';
/** A result shorter than this says nothing; then the rest of the turn gives way. */
const MIN_RESULT_TOKENS = 40;

/** Cuts tool results so that the turn fits, each to the same length; unchanged where that would leave nothing of them. */
function shortenResults(turn: RunTurn, budgetTokens: number): RunTurn {
  const results = turn.messages.filter((message) => message.role === 'tool').length;
  const fixed = turnTokens({ ...turn, messages: turn.messages.filter((message) => message.role !== 'tool') });
  const each = Math.floor((budgetTokens - fixed) / Math.max(1, results)) - 4;
  if (each < MIN_RESULT_TOKENS) return turn;
  const messages = turn.messages.map((message) =>
    message.role === 'tool' && estimateTokens(message.text) > each
      ? { ...message, text: cutToTokens(message.text, each - estimateTokens(CUT)) + CUT }
      : message,
  );
  return { ...turn, messages };
}

/** The turn without its words and with emptied arguments: which tools were called, and what they answered. */
function bonesOf(turn: RunTurn): RunTurn {
  const messages = turn.messages.map((message) =>
    message.role === 'assistant'
      ? {
          ...message,
          text: '',
          toolCalls: message.toolCalls.map((call) => ({ ...call, argumentsJson: '{}' })),
        }
      : message,
  );
  return { ...turn, messages };
}
