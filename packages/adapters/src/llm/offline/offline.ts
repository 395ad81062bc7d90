import type { JsonObject, LlmEvent, LlmProvider, LlmRequest } from '@agent-runtime/domain';
import { failed, NO_USAGE, sealed } from '../stream.ts';
import {
  answerOf,
  GREETING_TEXT,
  NO_SEARCH_TEXT,
  nothingFound,
  ORDER_TEXT,
  searchFailed,
  THANKS_TEXT,
} from './compose.ts';
import { intentOf, queryOf, type Situation, situationOf, type ToolResult } from './conversation.ts';
import { type Found, foundIn, linesIn, wholeOf } from './results.ts';

const SEARCH = 'qmd_search';
const READ = 'md_read';
const SEARCH_LIMIT = 5;
/** Lines read before and after the passage that was found: its heading above, the rest of its section below. */
const LINES_BEFORE = 8;
const LINES_READ = 40;

/** What to do next: call one tool, or answer. */
type Move =
  | { readonly kind: 'call'; readonly tool: string; readonly args: JsonObject }
  | { readonly kind: 'say'; readonly text: string };

/**
 * Answers without a model: searches the notes for the question, reads around the best passage, and quotes it with `path:line`.
 * Says in each answer that no model is configured. Costs no tokens and calls nobody.
 */
export function offlineProvider(options: { readonly id?: string | undefined } = {}): LlmProvider {
  return {
    id: options.id ?? 'offline',
    stream: (request, signal) => sealed(() => respond(request), signal),
  };
}

async function* respond(request: LlmRequest): AsyncGenerator<LlmEvent, void, undefined> {
  if (request.output !== undefined)
    return yield failed(
      'rejected',
      'No model is configured, and this task needs one. Set LLM_API_KEY and LLM_MODEL.',
    );
  const situation = situationOf(request);
  const move = nextMove(situation, new Set(request.tools.map(({ name }) => name)));
  if (move.kind === 'call') {
    const id = `offline_${situation.results.length + 1}`;
    yield { kind: 'tool_call', call: { id, name: move.tool, argumentsJson: JSON.stringify(move.args) } };
    return yield { kind: 'done', finish: 'tool_calls', usage: NO_USAGE };
  }
  for (const delta of move.text.match(/[^\n]*\n|[^\n]+$/g) ?? []) yield { kind: 'text', delta };
  yield { kind: 'done', finish: 'stop', usage: NO_USAGE };
}

/** Pure: the same prompt gives the same move, so that a replay after a crash does the same. */
function nextMove(situation: Situation, tools: ReadonlySet<string>): Move {
  const intent = intentOf(situation.question);
  if (intent === 'greeting' || intent === 'nothing') return { kind: 'say', text: GREETING_TEXT };
  if (intent === 'thanks') return { kind: 'say', text: THANKS_TEXT };
  if (intent === 'order') return { kind: 'say', text: ORDER_TEXT };
  const query = queryOf(situation);
  const searched = situation.results.findLast(({ name }) => name === SEARCH);
  if (searched === undefined) {
    if (!tools.has(SEARCH)) return { kind: 'say', text: NO_SEARCH_TEXT };
    return { kind: 'call', tool: SEARCH, args: { query, limit: SEARCH_LIMIT } };
  }
  if (searched.isError) return { kind: 'say', text: searchFailed(searched.text) };
  return fromHits(foundIn(searched.text), query, situation, tools);
}

function fromHits(
  hits: readonly Found[],
  query: string,
  situation: Situation,
  tools: ReadonlySet<string>,
): Move {
  const [best, ...others] = notesFirst(hits);
  if (best === undefined) return { kind: 'say', text: nothingFound(query) };
  const read = situation.results.findLast(({ name }) => name === READ);
  if (read === undefined && tools.has(READ)) {
    const from = Math.max(1, best.line - LINES_BEFORE);
    return { kind: 'call', tool: READ, args: { path: best.path, from_line: from, lines: LINES_READ } };
  }
  const quotation = wholeOf(best, readLines(read, best));
  return { kind: 'say', text: answerOf(situation.question, quotation, others) };
}

/** The lines that were read, if they are of the passage's own file. */
function readLines(read: ToolResult | undefined, best: Found): ReadonlyMap<number, string> {
  if (read === undefined || read.isError || !read.argumentsJson.includes(JSON.stringify(best.path)))
    return new Map();
  return linesIn(read.text);
}

const CONTROL = /^(?:(?:system|append_system|agents|soul)\.md$|skills\/|prompts\/|contexts\/)/i;

/** Rules for the assistant answer nobody's question; they come after the notes. */
function notesFirst(hits: readonly Found[]): readonly Found[] {
  return [
    ...hits.filter(({ path }) => !CONTROL.test(path)),
    ...hits.filter(({ path }) => CONTROL.test(path)),
  ];
}
