import type { LlmProvider } from '@agent-runtime/domain';
import { type OpenAiCompatibleOptions, openAiCompatibleProvider } from '../openai-compatible/index.ts';

/** The general API; coding plans have another address. */
export const ZAI_BASE_URL = 'https://api.z.ai/api/paas/v4';

export type ZaiOptions = Omit<
  OpenAiCompatibleOptions,
  'id' | 'baseUrl' | 'asksForUsage' | 'structuredOutput' | 'shapeBody'
> & {
  /** `zai` unless said. */
  readonly id?: string | undefined;
  readonly baseUrl?: string | undefined;
};

/**
 * z.ai: the OpenAI protocol with its own habits. It counts tokens without being asked, knows JSON but no schema, and holds tool calls
 * back until they are whole unless told to stream them, which looks like a dead line.
 */
export function zaiProvider(options: ZaiOptions): LlmProvider {
  return openAiCompatibleProvider({
    ...options,
    id: options.id ?? 'zai',
    baseUrl: options.baseUrl ?? ZAI_BASE_URL,
    asksForUsage: false,
    structuredOutput: 'json',
    shapeBody: zaiBody,
  });
}

/** Source: docs.z.ai, "Stream Tool Call" and the parameters of chat completions. Temperatures above 1 are refused. */
export function zaiBody(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { tools, temperature } = body;
  return {
    ...body,
    ...(Array.isArray(tools) && tools.length > 0 ? { tool_stream: true } : {}),
    ...(typeof temperature === 'number' ? { temperature: Math.min(1, Math.max(0, temperature)) } : {}),
  };
}
