import { z } from 'zod';
import { AppError, ERROR_KINDS, type ErrorKind, type PublicError } from '../base/index.ts';

/** The eleven kinds of error. */
export const errorKindSchema = z.enum(Object.keys(ERROR_KINDS) as [ErrorKind, ...ErrorKind[]]); // safe: the keys of a table that is not empty

/** `{code, kind, message}`: what anyone may see of an error. */
export const publicErrorSchema = z.strictObject({
  code: z.string(),
  kind: errorKindSchema,
  message: z.string(),
});

/** `{"error":{"code","kind","message"}}`, the body of every refusal on every listener. */
export const errorEnvelopeSchema = z.strictObject({ error: publicErrorSchema });
export type ErrorEnvelope = z.infer<typeof errorEnvelopeSchema>;

/** Wraps an error for the wire; detail, cause and stack stay behind. */
export function errorEnvelope(error: PublicError): ErrorEnvelope {
  return { error: { code: error.code, kind: error.kind, message: error.message } };
}

/**
 * The error that a body holds.
 * @returns undefined when the body is no envelope
 */
export function errorFromBody(body: unknown): AppError | undefined {
  const parsed = errorEnvelopeSchema.safeParse(body);
  return parsed.success ? new AppError(parsed.data.error) : undefined;
}
