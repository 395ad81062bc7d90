import {
  AppError,
  type Clock,
  ERROR_KINDS,
  errorEnvelope,
  type Ids,
  type Logger,
  toAppError,
  toPublicError,
} from '@agent-runtime/domain';
import type { Context } from 'hono';
import { isTooLarge } from './body.ts';

/** What answering with an error needs. */
export interface ErrorDeps {
  readonly ids: Ids;
  readonly log: Logger;
  readonly clock: Clock;
}

/** The answer for anything thrown. What broke inside goes to the log under a reference; the caller gets the reference. */
export function errorAnswer(
  deps: Pick<ErrorDeps, 'ids' | 'log'>,
  context: Context,
  thrown: unknown,
): Response {
  const error = toAppError(thrown, deps.ids.make('event'));
  if (error.kind === 'bug') deps.log.error({ room: 'public', error }, 'a public request broke');
  const headers: Record<string, string> = {};
  if (error.retryAfterMs !== undefined) headers['Retry-After'] = String(Math.ceil(error.retryAfterMs / 1000));
  if (error.kind === 'unauthenticated') headers['WWW-Authenticate'] = 'Bearer';
  // What is left of a body that was too large is not worth reading.
  if (isTooLarge(error)) headers.Connection = 'close';
  return jsonError(context, error, isTooLarge(error) ? 413 : ERROR_KINDS[error.kind].http, headers);
}

/** 404 of a path that nobody serves. */
export function unknownPath(context: Context): Response {
  const error = new AppError({
    code: 'public.path.missing',
    kind: 'missing',
    message: 'There is nothing at this address.',
  });
  return jsonError(context, error, 404);
}

/** 405: the path exists, the method does not. */
export function wrongMethod(context: Context, allowed: string): Response {
  const error = new AppError({
    code: 'public.method.invalid',
    kind: 'invalid',
    message: `This address answers ${allowed} only.`,
  });
  return jsonError(context, error, 405, { Allow: allowed });
}

function jsonError(
  context: Context,
  error: AppError,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  for (const [name, value] of Object.entries(headers)) context.header(name, value);
  return context.json(errorEnvelope(toPublicError(error)), status as 400); // safe: hono types statuses as literals; the table holds valid ones
}
