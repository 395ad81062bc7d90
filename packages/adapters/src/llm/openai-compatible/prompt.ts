import type { LlmMessage, LlmRequest } from '@agent-runtime/domain';
import type { LanguageModelV4CallOptions, LanguageModelV4Prompt } from '@ai-sdk/provider';
import type { StructuredOutput } from './options.ts';

type Schema = NonNullable<
  NonNullable<LanguageModelV4CallOptions['tools']>[number] & { type: 'function' }
>['inputSchema'];

/** A request of the port as the SDK wants it. @param mode how to ask for structured output, if it is wanted */
export function callOptions(
  request: LlmRequest,
  mode: StructuredOutput,
  signal: AbortSignal,
): LanguageModelV4CallOptions {
  const { output } = request;
  const messages =
    output === undefined || mode === 'schema' ? request.messages : withWords(request.messages, output);
  return {
    prompt: toPrompt(messages),
    maxOutputTokens: request.maxOutputTokens,
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(request.tools.length === 0
      ? {}
      : {
          tools: request.tools.map(({ name, description, schema }) => ({
            type: 'function' as const,
            name,
            description,
            inputSchema: schema as Schema, // safe: JSON Schema made by zod
          })),
          toolChoice: { type: 'auto' as const },
        }),
    ...responseFormat(output, mode),
    headers: {
      'idempotency-key': mode === 'schema' ? request.idempotencyKey : `${request.idempotencyKey}.${mode}`,
    },
    abortSignal: signal,
  };
}

function responseFormat(
  output: LlmRequest['output'],
  mode: StructuredOutput,
): Pick<LanguageModelV4CallOptions, 'responseFormat'> {
  if (output === undefined || mode === 'words') return {};
  if (mode === 'json') return { responseFormat: { type: 'json' } };
  // safe: JSON Schema made by zod
  return { responseFormat: { type: 'json', name: output.name, schema: output.schema as Schema } };
}

/** Says in the system message what a server cannot be told by schema. Our own constant words, no outside text. */
function withWords(
  messages: readonly LlmMessage[],
  output: NonNullable<LlmRequest['output']>,
): readonly LlmMessage[] {
  const words = `Answer with one JSON object and nothing else. It must fit this JSON Schema:\n${JSON.stringify(output.schema)}`;
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', text: words }, ...messages];
  return [{ role: 'system', text: `${first.text}\n\n${words}` }, ...rest];
}

function toPrompt(messages: readonly LlmMessage[]): LanguageModelV4Prompt {
  return messages.map((message): LanguageModelV4Prompt[number] => {
    switch (message.role) {
      case 'system':
        return { role: 'system', content: message.text };
      case 'user':
        return { role: 'user', content: [{ type: 'text', text: message.text }] };
      case 'assistant':
        return {
          role: 'assistant',
          content: [
            ...(message.text === '' ? [] : [{ type: 'text' as const, text: message.text }]),
            ...message.toolCalls.map((call) => ({
              type: 'tool-call' as const,
              toolCallId: call.id,
              toolName: call.name,
              input: parsedArguments(call.argumentsJson),
            })),
          ],
        };
      case 'tool':
        return {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: message.callId,
              toolName: message.name,
              output: { type: message.isError ? 'error-text' : 'text', value: message.text },
            },
          ],
        };
      default:
        return message satisfies never;
    }
  });
}

/** Servers parse the arguments of earlier calls and refuse broken ones; the tool's result says already that they were. */
function parsedArguments(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
