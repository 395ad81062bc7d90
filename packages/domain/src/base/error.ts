/**
 * What can go wrong, as a closed table. The kind decides retry, HTTP status and exit code everywhere.
 * Source: docs/rooms/base.md.
 */
export const ERROR_KINDS = {
  invalid: { http: 400, exit: 2, retry: 'no' },
  unauthenticated: { http: 401, exit: 3, retry: 'no' },
  denied: { http: 403, exit: 4, retry: 'no' },
  missing: { http: 404, exit: 5, retry: 'no' },
  conflict: { http: 409, exit: 6, retry: 'reload' },
  exhausted: { http: 429, exit: 7, retry: 'after' },
  unavailable: { http: 503, exit: 8, retry: 'backoff' },
  rejected: { http: 502, exit: 9, retry: 'no' },
  uncertain: { http: 504, exit: 10, retry: 'never' },
  cancelled: { http: 499, exit: 130, retry: 'no' },
  bug: { http: 500, exit: 70, retry: 'no' },
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

export interface AppErrorInit {
  /** `<room>.<what>.<kind>`, e.g. `effect.digest.conflict`. */
  readonly code: string;
  readonly kind: ErrorKind;
  /** Safe to show to anyone: what happened and what to do about it. */
  readonly message: string;
  /** For the log only; never leaves the process by an API. */
  readonly detail?: unknown;
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
}

/**
 * The one error class of the project.
 * @throws never itself; adapters translate foreign errors into it once, at their own door.
 */
export class AppError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly detail: unknown;
  readonly retryAfterMs: number | undefined;

  constructor(init: AppErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'AppError';
    this.code = init.code;
    this.kind = init.kind;
    this.detail = init.detail;
    this.retryAfterMs = init.retryAfterMs;
  }
}

/** What an API shows of an error: never detail, cause or stack. */
export interface PublicError {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly message: string;
}

/**
 * Turns anything thrown into an AppError; what is not one already is an invariant that broke.
 * @param reference id under which the log holds the details, shown to the user
 */
export function toAppError(thrown: unknown, reference: string): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError({
    code: 'base.invariant.bug',
    kind: 'bug',
    message: `Something broke inside. Reference: ${reference}. The log has the details.`,
    detail: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    cause: thrown,
  });
}

/** The part of an error that anyone may see. */
export function toPublicError(error: AppError): PublicError {
  return { code: error.code, kind: error.kind, message: error.message };
}
