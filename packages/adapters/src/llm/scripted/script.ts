import type { ErrorKind, Json, LlmEvent, LlmRequest } from '@agent-runtime/domain';
import { failed } from '../stream.ts';

/** One move of a script: an event of the port, or a way to keep the listener waiting. */
export type ScriptedMove =
  | LlmEvent
  /** Waits on the provider's clock. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Waits for something that the test resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Says nothing more; only an abort ends it. */
  | { readonly kind: 'hang' };

export interface ScriptedCall {
  readonly request: LlmRequest;
  /** Calls before this one, from 0. */
  readonly index: number;
  readonly signal: AbortSignal;
}

/**
 * What the provider does with a request. A script that ends without `done` or `failed` gets a fitting `done`; what it throws ends
 * the call as `failed`.
 */
export type Script = (call: ScriptedCall) => Iterable<ScriptedMove> | AsyncIterable<ScriptedMove>;

/** Text as a model would stream it: one delta per word. */
export function say(text: string): readonly ScriptedMove[] {
  return (text.match(/\s*\S+|\s+$/g) ?? []).map((delta) => ({ kind: 'text', delta }));
}

/** One whole tool call. @param id unique within the call; by default the tool's name */
export function callTool(name: string, args: Json, id = `call_${name}`): readonly ScriptedMove[] {
  return [{ kind: 'tool_call', call: { id, name, argumentsJson: JSON.stringify(args) } }];
}

/** A call that comes to nothing. */
export function fail(
  kind: ErrorKind,
  message = `scripted: ${kind}`,
  retryAfterMs?: number,
): readonly ScriptedMove[] {
  return [failed(kind, message, { retryAfterMs })];
}

/** The n-th call gets the n-th list; a call too many fails as `bug`, so that a test notices it. */
export function inOrder(...replies: readonly (readonly ScriptedMove[])[]): Script {
  return ({ index }) => replies[index] ?? fail('bug', `The script has no reply number ${index + 1}.`);
}
