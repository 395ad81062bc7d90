import type { LlmMessage, LlmRequest } from '@agent-runtime/domain';

type ToolMessage = Extract<LlmMessage, { role: 'tool' }>;

/** What the offline responder sees of a request. */
export interface Situation {
  /** The message to answer, without the time and the name that the prompt puts before it. */
  readonly question: string;
  /** What the same people asked before, newest first. */
  readonly earlier: readonly string[];
  /** Tool results of this turn, oldest first, each with the arguments it answers. */
  readonly results: readonly ToolResult[];
}

export interface ToolResult {
  readonly name: string;
  readonly argumentsJson: string;
  readonly text: string;
  readonly isError: boolean;
}

const STAMP = /^\[[^\]\n]{1,120}\]\s+/;

/** Finds question and results in a prompt. Total: a prompt without a user message is an empty question. */
export function situationOf(request: LlmRequest): Situation {
  const { messages } = request;
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const asked = messages
    .filter((message) => message.role === 'user' && !message.text.startsWith('<data'))
    .map((message) => message.text.replace(STAMP, '').trim());
  return {
    question: asked.at(-1) ?? '',
    earlier: asked.slice(0, -1).reverse(),
    results: resultsOf(messages.slice(last + 1)),
  };
}

function resultsOf(turn: readonly LlmMessage[]): readonly ToolResult[] {
  const calls = new Map(
    turn.flatMap((message) =>
      message.role === 'assistant'
        ? message.toolCalls.map((call) => [call.id, call.argumentsJson] as const)
        : [],
    ),
  );
  return turn
    .filter((message): message is ToolMessage => message.role === 'tool')
    .map(({ callId, name, text, isError }) => ({
      name,
      argumentsJson: calls.get(callId) ?? '{}',
      text,
      isError,
    }));
}

const GREETING =
  /^(?:hi|hello|hey|hallo|good (?:morning|day|evening)|ping|test|start|help|hilfe|who are you|what can you do)\b[\s!?.,]*$/i;
const THANKS = /^(?:thanks?|thank you|thx|danke|ok(?:ay)?|great|cool|perfect|got it|bye)\b[^?]{0,40}$/i;
const FOLLOW_UP = /^(?:and|or|but|also|what about|how about|und|oder|why|since when|until when|by whom)\b/i;
const POINTS_BACK = /\b(?:it|that|this|they|them|those|these|there|then|he|she|one|ones)\b/i;

const ORDER =
  /^(?:please\s+|can you\s+|could you\s+)?(?:post|send|write|create|delete|remove|change|update|edit|append|add|remember|schedule|summari[sz]e|translate|draft|rename|publish|announce)\b/i;

export type Intent = 'nothing' | 'greeting' | 'thanks' | 'order' | 'question';

/** What kind of thing was said. Everything unclear is a question: looking it up does no harm. */
export function intentOf(question: string): Intent {
  if (question.trim() === '') return 'nothing';
  if (GREETING.test(question)) return 'greeting';
  if (THANKS.test(question)) return 'thanks';
  return ORDER.test(question) ? 'order' : 'question';
}

const MAX_QUERY_CHARS = 400;
const SHORT_WORDS = 7;

/** The words to search for: of a short follow-up (`and for Relay?`) also those of the question before it. */
export function queryOf(situation: Situation): string {
  const { question, earlier } = situation;
  const before = earlier.find((text) => intentOf(text) === 'question');
  const isShort = question.split(/\s+/).length <= SHORT_WORDS;
  const isFollowUp = isShort && (FOLLOW_UP.test(question) || POINTS_BACK.test(question));
  const query = isFollowUp && before !== undefined ? `${question} ${before}` : question;
  return query.replace(/\s+/g, ' ').trim().slice(0, MAX_QUERY_CHARS);
}
