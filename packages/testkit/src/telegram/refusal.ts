/** What the Bot API adds to an error for programs. */
export interface RefusalParameters {
  readonly retry_after?: number;
  readonly migrate_to_chat_id?: number;
}

/** An answer with `ok: false`. */
export class Refusal extends Error {
  readonly status: number;
  readonly parameters: RefusalParameters | undefined;

  constructor(status: number, description: string, parameters?: RefusalParameters) {
    super(description);
    this.status = status;
    this.parameters = parameters;
  }
}

/** @param what the part of the description after `Bad Request: ` */
export function badRequest(what: string, parameters?: RefusalParameters): Refusal {
  return new Refusal(400, `Bad Request: ${what}`, parameters);
}

/** @param seconds rounded up, at least 1 */
export function tooManyRequests(seconds: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(seconds));
  return new Refusal(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter });
}
