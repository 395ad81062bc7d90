import type { LlmEvent, LlmProvider, LlmRequest } from '@agent-runtime/domain';
import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { estimatedUsage, sealed } from '../stream.ts';
import { toEvents } from './events.ts';
import { type Failure, failedBy, failureOf, mayBeSchemaRefusal } from './failure.ts';
import type { OpenAiCompatibleOptions, StructuredOutput } from './options.ts';
import { callOptions } from './prompt.ts';
import { makeFetch } from './transport.ts';

/** Gives the SDK's model of a name; the SDK is loaded at the first call. */
type Models = (model: string) => Promise<LanguageModelV4>;

/**
 * Any server that speaks streaming chat completions of the OpenAI protocol. One call is one request: retries and fallbacks belong to
 * the engine. Source of the wire shapes: the AI SDK's provider level (`doStream`).
 */
export function openAiCompatibleProvider(options: OpenAiCompatibleOptions): LlmProvider {
  const models = loadModels(options);
  return {
    id: options.id,
    stream: (request, signal) =>
      sealed(
        (own) => call(options, models, request, own),
        signal,
        (heard) => estimatedUsage(request, heard),
      ),
  };
}

async function* call(
  options: OpenAiCompatibleOptions,
  models: Models,
  request: LlmRequest,
  signal: AbortSignal,
): AsyncGenerator<LlmEvent, void, undefined> {
  const note = (failure: Failure): void => logFailure(options, request.model, failure);
  const first = options.structuredOutput ?? 'schema';
  const modes: readonly StructuredOutput[] =
    request.output !== undefined && first === 'schema' ? ['schema', 'json'] : [first];
  for (const mode of modes) {
    try {
      const model = await models(request.model);
      const { stream } = await model.doStream(callOptions(request, mode, signal));
      return yield* toEvents(partsOf(stream), request, note);
    } catch (thrown) {
      const failure = failureOf(thrown, false);
      note(failure);
      if (mode !== modes.at(-1) && mayBeSchemaRefusal(failure)) continue;
      return yield failedBy(failure, estimatedUsage(request, ''));
    }
  }
}

/** Reads a stream and cancels it when its reader leaves, so that the line is closed. */
async function* partsOf(
  stream: ReadableStream<LanguageModelV4StreamPart>,
): AsyncGenerator<LanguageModelV4StreamPart, void, undefined> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function loadModels(options: OpenAiCompatibleOptions): Models {
  const fetch = makeFetch(options);
  const { apiKey, headers, shapeBody } = options;
  // Making a model makes its schemas, which costs as much as parsing a short answer. Another key makes another one.
  let made = { model: '', key: '', chat: undefined as LanguageModelV4 | undefined };
  return async (model) => {
    const key = apiKey?.() ?? '';
    if (made.chat !== undefined && made.model === model && made.key === key) return made.chat;
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const provider = createOpenAICompatible({
      name: 'llm',
      baseURL: options.baseUrl,
      fetch,
      includeUsage: options.asksForUsage ?? true,
      supportsStructuredOutputs: (options.structuredOutput ?? 'schema') === 'schema',
      ...(key === '' ? {} : { apiKey: key }),
      ...(headers === undefined ? {} : { headers: { ...headers } }),
      ...(shapeBody === undefined ? {} : { transformRequestBody: shapeBody }),
    });
    const chat = provider.chatModel(model);
    made = { model, key, chat };
    return chat;
  };
}

const MAX_LOGGED_CHARS = 500;

function logFailure(options: OpenAiCompatibleOptions, model: string, failure: Failure): void {
  const key = options.apiKey?.() ?? '';
  const said = key === '' ? failure.serverText : failure.serverText.replaceAll(key, '[redacted]');
  options.log?.warn(
    {
      room: 'llm',
      provider: options.id,
      model,
      status: failure.status,
      said: said.slice(0, MAX_LOGGED_CHARS),
    },
    'a call of the model failed',
  );
}
