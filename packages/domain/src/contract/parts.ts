import { z } from 'zod';
import { AppError } from '../base/index.ts';
import { issueWords } from './issue-words.ts';

/** Longest text of one message, characters. */
export const MAX_TEXT_CHARS = 64_000;
/** Largest request body, bytes (1 MiB), on every listener. */
export const MAX_BODY_BYTES = 1_048_576;

/** An instant on the wire: ISO 8601 in UTC with milliseconds, e.g. `2026-11-21T14:03:00.000Z`. */
export const instantSchema = z.iso.datetime();

/** Epoch ms -> wire instant. */
export function toInstant(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** The same for a value that may be absent. */
export function toInstantIf(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : toInstant(atMs);
}

/** Wire instant -> epoch ms. */
export function fromInstant(text: string): number {
  return Date.parse(text);
}

/** `sha256:` and 64 hexadecimal digits. */
export const digestSchema = z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)]);

/** Any JSON object, e.g. a wire payload. */
export const jsonObjectSchema = z.record(z.string(), z.json());

/**
 * Reads a value that came over the wire.
 * @param what names the thing in the message, e.g. `body` or `answer`
 * @throws AppError contract.value.invalid with the first five places that do not fit, in our own words
 */
export function parseWire<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || what}: ${issueWords(issue, value)}`);
  throw new AppError({
    code: 'contract.value.invalid',
    kind: 'invalid',
    message: `The ${what} does not fit: ${places.join('; ')}.`,
  });
}
