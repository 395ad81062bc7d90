import type { ServerResponse } from 'node:http';
import type { Answer } from './call.ts';
import type { Refusal } from './refusal.ts';

/** An answer with its headers, ready to go. */
export interface Sendable extends Answer {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Counts against the caller: 10,000 in ten minutes get an address banned. */
export function isInvalid({ status, headers }: Sendable): boolean {
  return status === 401 || status === 403 || (status === 429 && headers?.['x-ratelimit-scope'] !== 'shared');
}

export function sendable({ status, body }: Refusal): Sendable {
  return { status, body };
}

export function serverError(status = 500): Sendable {
  return { status, body: { message: `${status}: Internal Server Error`, code: 0 } };
}

export function send(response: ServerResponse, { status, body, headers }: Sendable): void {
  if (response.destroyed) return;
  const text = body === undefined ? undefined : JSON.stringify(body);
  response.writeHead(status, {
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...headers,
  });
  response.end(text);
}

/** 429, as the platform words it. */
export function tooMany(waitMs: number, scope: 'user' | 'global' | 'shared'): Sendable {
  const seconds = waitMs / 1000;
  return {
    status: 429,
    body: { message: 'You are being rate limited.', retry_after: seconds, global: scope === 'global' },
    headers: {
      // Whole seconds, rounded up, as HTTP has it; the body and reset-after are exact.
      'retry-after': String(Math.ceil(seconds)),
      'x-ratelimit-scope': scope,
      'x-ratelimit-reset-after': seconds.toFixed(3),
      ...(scope === 'global' ? { 'x-ratelimit-global': 'true' } : {}),
    },
  };
}
