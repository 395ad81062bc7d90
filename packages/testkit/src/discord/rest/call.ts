import type { IncomingHttpHeaders } from 'node:http';
import type { NewFile } from '../world/draft.ts';
import type { Fields } from '../world/wire.ts';
import type { Problem } from './refusal.ts';

/** One request to the REST API, kept for the test. */
export interface DiscordCall {
  readonly index: number;
  readonly method: string;
  /** Behind the version: `/channels/1/messages`. */
  readonly path: string;
  /** The template of the platform's documentation: `/channels/{channel_id}/messages`; the path when none fits. */
  readonly route: string;
  readonly params: Fields;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The JSON, or `payload_json` of a form. */
  readonly body: unknown;
  readonly files: readonly NewFile[];
  readonly atMs: number;
  /** Set when the answer is known, also when it never reaches the caller. */
  status?: number;
  answer?: unknown;
}

/** What a handler gives back. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** Which calls are meant; what is left out fits every call. */
export interface CallMatcher {
  readonly method?: string;
  /** A template (`/channels/{channel_id}/messages`) or the beginning of a path. */
  readonly route?: string;
  readonly when?: (call: DiscordCall) => boolean;
}

export function isMatch(matcher: CallMatcher, call: DiscordCall): boolean {
  if (matcher.method !== undefined && matcher.method !== call.method) return false;
  if (matcher.route !== undefined && matcher.route !== call.route && !call.path.startsWith(matcher.route))
    return false;
  return matcher.when?.(call) ?? true;
}

/** A call that the platform's rules forbid: a path it does not have, or a body it would not take. */
export interface Violation {
  readonly call: DiscordCall;
  readonly problems: readonly Problem[];
}
