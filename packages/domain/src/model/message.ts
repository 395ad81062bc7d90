import { cutText, type JsonObject, type PublicError } from '../base/index.ts';
import type { ToolCall } from '../tool/index.ts';

/** One turn of a prompt, as every provider understands it. */
export type LlmMessage =
  | { readonly role: 'system'; readonly text: string }
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  | {
      readonly role: 'tool';
      readonly callId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

/** Tokens as the provider counted them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
}

export type FinishReason = 'stop' | 'tool_calls' | 'length' | 'filtered' | 'other';

/**
 * What a provider streams. Always ends with exactly one `done` or `failed` and never throws. Tool calls come whole; a stream that is
 * cut in one yields none of it. Reasoning is kept apart and never shown as an answer.
 */
export type LlmEvent =
  | { readonly kind: 'text'; readonly delta: string }
  | { readonly kind: 'reasoning'; readonly delta: string }
  | { readonly kind: 'tool_call'; readonly call: ToolCall }
  | { readonly kind: 'done'; readonly finish: FinishReason; readonly usage: Usage }
  | {
      readonly kind: 'failed';
      readonly error: PublicError & { readonly retryAfterMs?: number | undefined };
      readonly usage?: Usage | undefined;
    };

export interface LlmTool {
  readonly name: string;
  readonly description: string;
  readonly schema: JsonObject;
}

export interface LlmRequest {
  readonly model: string;
  readonly messages: readonly LlmMessage[];
  readonly tools: readonly LlmTool[];
  readonly temperature?: number | undefined;
  readonly maxOutputTokens: number;
  /** Ask for one JSON object of this schema instead of prose. */
  readonly output?: { readonly name: string; readonly schema: JsonObject } | undefined;
  /** Stable per call, for providers that drop repeats. */
  readonly idempotencyKey: string;
}

/** Careful estimate of tokens without a tokenizer: UTF-8 bytes / 3.2, rounded up, plus 1; prose in most languages needs fewer. */
export function estimateTokens(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) bytes += bytesAt(text, i);
  return Math.ceil(bytes / BYTES_PER_TOKEN) + 1;
}

const BYTES_PER_TOKEN = 3.2;

function bytesAt(text: string, i: number): number {
  const code = text.charCodeAt(i);
  if (code < 0x80) return 1;
  return code < 0x800 ? 2 : 3;
}

/**
 * The longest beginning of a text whose estimate is at most `tokens`; never half a character.
 * @returns '' when not even one character fits
 */
export function cutToTokens(text: string, tokens: number): string {
  const maxBytes = (tokens - 1) * BYTES_PER_TOKEN;
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    bytes += bytesAt(text, i);
    if (bytes > maxBytes) return cutText(text, i);
  }
  return text;
}
