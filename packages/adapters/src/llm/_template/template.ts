// Copy this folder, rename, change what differs, add one line to ../index.ts. Run the tests after each step.
// The example speaks to an invented server: POST /generate answers with one JSON object per line.
import { AppError, type LlmEvent, type LlmProvider, type LlmRequest } from '@agent-runtime/domain';
import { z } from 'zod';
import { estimatedUsage, failed, NO_USAGE, sealed } from '../stream.ts';

export interface TemplateOptions {
  readonly baseUrl: string;
  /** Read at each call. */
  readonly apiKey: () => string;
  /** Handed in, so that tests need no network. */
  readonly fetch: typeof globalThis.fetch;
}

/** What comes from outside is parsed at the door. Whole tool calls only: half of one must never reach the engine. */
const line = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('thought'), text: z.string() }),
  z.strictObject({ type: z.literal('call'), id: z.string().min(1), name: z.string(), arguments: z.string() }),
  z.strictObject({ type: z.literal('end'), input: z.number(), output: z.number() }),
]);

/** `sealed` keeps the promise of the port: one end, nothing thrown, an abort counts at once. */
export function templateProvider(options: TemplateOptions): LlmProvider {
  return {
    id: 'template',
    stream: (request, signal) =>
      sealed(
        (own) => call(options, request, own),
        signal,
        (heard) => estimatedUsage(request, heard),
      ),
  };
}

async function* call(
  options: TemplateOptions,
  request: LlmRequest,
  signal: AbortSignal,
): AsyncGenerator<LlmEvent, void, undefined> {
  const response = await post(options, request, signal);
  if (!response.ok) return yield refused(response);
  const calls: LlmEvent[] = [];
  for await (const text of linesOf(response)) {
    const parsed = line.safeParse(parseJson(text));
    if (!parsed.success) return yield failed('unavailable', 'The model sent something that cannot be read.');
    const piece = parsed.data;
    switch (piece.type) {
      case 'text':
        yield { kind: 'text', delta: piece.text };
        break;
      case 'thought':
        yield { kind: 'reasoning', delta: piece.text };
        break;
      case 'call':
        // Held until the answer ended well.
        calls.push({
          kind: 'tool_call',
          call: { id: piece.id, name: piece.name, argumentsJson: piece.arguments },
        });
        break;
      case 'end': {
        yield* calls;
        const usage = { inputTokens: piece.input, outputTokens: piece.output, cachedTokens: 0 };
        return yield { kind: 'done', finish: calls.length > 0 ? 'tool_calls' : 'stop', usage };
      }
      default:
        return piece satisfies never;
    }
  }
  // No end came: `sealed` says so.
}

/** @throws AppError llm.call.unavailable when the server cannot be reached */
async function post(options: TemplateOptions, request: LlmRequest, signal: AbortSignal): Promise<Response> {
  try {
    return await options.fetch(`${options.baseUrl}/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${options.apiKey()}`, 'idempotency-key': request.idempotencyKey },
      body: JSON.stringify({ model: request.model, messages: request.messages, tools: request.tools }),
      signal,
    });
  } catch (cause) {
    throw new AppError({
      code: 'llm.call.unavailable',
      kind: 'unavailable',
      message: 'The model provider cannot be reached.',
      cause,
    });
  }
}

/** Kinds, with what to do about them. A refused call cost nothing. The server's own words are outside text: they stay out. */
function refused(response: Response): LlmEvent {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
  const more = { usage: NO_USAGE };
  switch (response.status) {
    case 401:
    case 403:
      return failed('rejected', 'The model provider refuses the key. Check LLM_API_KEY.', more);
    case 404:
      return failed('missing', 'The model provider knows no such model. Check LLM_MODEL.', more);
    case 429:
      return failed('exhausted', 'The model provider is busy.', { ...more, retryAfterMs });
    default: {
      const kind = response.status >= 500 ? 'unavailable' : 'rejected';
      return failed(kind, `The model provider answered ${response.status}.`, more);
    }
  }
}

async function* linesOf(response: Response): AsyncGenerator<string, void, undefined> {
  let held = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    held += chunk;
    const lines = held.split('\n');
    held = lines.pop() ?? '';
    yield* lines;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
