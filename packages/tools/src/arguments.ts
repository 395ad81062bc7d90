import type { JsonObject } from '@agent-runtime/domain';
import { z } from 'zod';

/** Longest path that a tool takes, characters; the same bound as the path check of the domain. */
export const MAX_PATH_CHARS = 300;

/**
 * A text argument: bounded, not empty unless allowed, and free of halves of characters, which have no canonical bytes.
 * Only the upper bound enters the schema that every prompt carries; the rest is checked all the same.
 */
export function text(maxChars: number, canBeEmpty: 'can-be-empty' | 'not-empty' = 'not-empty'): z.ZodString {
  return z
    .string()
    .max(maxChars)
    .refine((value) => canBeEmpty === 'can-be-empty' || value.trim() !== '', 'is empty')
    .refine((value) => value.isWellFormed(), 'holds half a character');
}

/** A whole number within bounds. */
export function whole(min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max);
}

/** A member as text; empty when it is absent or something else. For `target`, which must never throw. */
export function textOf(args: JsonObject, name: string): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}
