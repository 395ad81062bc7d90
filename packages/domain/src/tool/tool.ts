import { z } from 'zod';
import { AppError, type Json, type JsonObject } from '../base/index.ts';
import type { EffectClass } from '../effect/index.ts';
import type { Role } from '../identity/index.ts';

/** What a call touches, derived from its arguments by pure code, so that policy never guesses. */
export type ToolTarget =
  | { readonly kind: 'workspace' }
  | { readonly kind: 'file'; readonly path: string; readonly access: 'read' | 'write' }
  | { readonly kind: 'message'; readonly connector: string; readonly channel: string }
  | { readonly kind: 'url'; readonly url: string };

export interface ToolLimits {
  readonly timeoutMs: number;
  readonly maxResultBytes: number;
}

/**
 * What the model sees of a tool and what policy needs to know of it. `runs: host` tools are carried out by the engine through
 * ports, `sandbox` tools only in the toolrunner.
 */
export interface ToolSpec {
  /** snake_case, unique. */
  readonly name: string;
  readonly description: string;
  readonly class: EffectClass;
  readonly runs: 'host' | 'sandbox';
  readonly minRole: Role;
  readonly limits: ToolLimits;
  /** Strict object schema of the arguments. */
  readonly input: z.ZodType<JsonObject>;
  /** Pure; called only with arguments that passed `input`. */
  target(args: JsonObject): ToolTarget;
}

/** What the model asked for. `argumentsJson` is the raw text as it came. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly argumentsJson: string;
}

/** JSON Schema of a tool's arguments, for the provider. */
export function toolSchema(spec: ToolSpec): JsonObject {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(spec.input, { io: 'input' }) as {
    $schema?: string;
  } & Record<string, Json>; // safe: zod emits JSON
  return schema;
}

/**
 * Reads a call's arguments. Text that is no JSON is repaired only where the meaning is beyond doubt (a code fence around it, nothing
 * at all for a tool without required arguments); everything else is refused.
 * @throws AppError tool.arguments.invalid with what to change, shown to the model
 */
export function parseArguments(spec: ToolSpec, call: ToolCall): JsonObject {
  const raw = stripFence(call.argumentsJson.trim());
  let value: unknown;
  try {
    value = raw === '' ? {} : JSON.parse(raw);
  } catch (cause) {
    throw new AppError({
      code: 'tool.arguments.invalid',
      kind: 'invalid',
      message: `The arguments of ${spec.name} are not valid JSON. Send one JSON object.`,
      cause,
    });
  }
  const parsed = spec.input.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
  throw new AppError({
    code: 'tool.arguments.invalid',
    kind: 'invalid',
    message: `The arguments of ${spec.name} do not fit: ${issues.join('; ')}.`,
  });
}

function stripFence(text: string): string {
  const fenced = /^```(?:json)?\s*([\s\S]*?)\s*```$/.exec(text);
  return fenced?.[1] ?? text;
}
