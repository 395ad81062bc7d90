import type { LlmEvent, Usage } from '@agent-runtime/domain';
import { failed, NO_USAGE } from '../stream.ts';
import { TooLong } from './transport.ts';

type Failed = Extract<LlmEvent, { kind: 'failed' }>;

/** What is known of a call that came to nothing. Texts of the server only decide between kinds; no message repeats them. */
export interface Failure {
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What the server said. */
  readonly serverText: string;
  readonly cause: unknown;
  /** The server had begun to answer: tokens were spent. */
  readonly isInAnswer: boolean;
}

/** Reads a thrown thing of the SDK, of undici or of the stream, without knowing their classes. */
export function failureOf(thrown: unknown, isInAnswer: boolean): Failure {
  const { statusCode, responseHeaders, responseBody } = asRecord(thrown);
  return {
    // A broken body comes with the 200 of its headers; that number says nothing about the failure.
    status: typeof statusCode === 'number' && statusCode >= 300 ? statusCode : undefined,
    headers: asHeaders(responseHeaders),
    serverText: typeof responseBody === 'string' ? responseBody : '',
    cause: thrown,
    isInAnswer,
  };
}

/** An `error` object inside the stream of a server that had already said 200. */
export function failureInStream(error: unknown): Failure {
  const { code, status, message } = asRecord(error);
  const number = Number(typeof status === 'number' ? status : code);
  return {
    status: Number.isInteger(number) && number >= 400 && number < 600 ? number : undefined,
    serverText: typeof message === 'string' ? message : '',
    cause: error,
    isInAnswer: true,
  };
}

/**
 * The kind of a failure, with what a person can do about it.
 * @param spent what the call has cost so far; a call that was refused, or never reached the server, cost nothing
 */
export function failedBy(failure: Failure, spent: Usage): Failed {
  const usage = failure.isInAnswer ? spent : costOfRefusal(failure, spent);
  const tooLong = causes(failure.cause).find((cause) => cause instanceof TooLong);
  if (tooLong !== undefined) {
    const message = `The model did not stop: its answer had more than ${tooLong.maxBytes} bytes. Ask for less at once.`;
    // What it has cost nobody can say: without a count the whole reservation is booked.
    return failed('rejected', message);
  }
  const { status } = failure;
  if (status === undefined) return failed('unavailable', networkMessage(failure.cause), { usage });
  const { kind, message } = byStatus(status, failure.serverText);
  const canReturn = kind === 'exhausted' || kind === 'unavailable';
  return failed(kind, message, {
    usage,
    retryAfterMs: canReturn ? retryAfterOf(failure.headers) : undefined,
  });
}

function costOfRefusal(failure: Failure, spent: Usage): Usage {
  return failure.status !== undefined || wasUnreachable(failure.cause) ? NO_USAGE : spent;
}

function byStatus(
  status: number,
  serverText: string,
): { readonly kind: 'rejected' | 'missing' | 'exhausted' | 'unavailable'; readonly message: string } {
  switch (true) {
    case status === 401 || status === 403:
      return {
        kind: 'rejected',
        message: 'The model provider refuses the key. Check LLM_API_KEY and what it may use.',
      };
    case status === 402:
      return {
        kind: 'rejected',
        message: 'The model provider wants to be paid first. Check the account of the key.',
      };
    case status === 404:
      return {
        kind: 'missing',
        message: 'The model provider knows no such model or address. Check LLM_MODEL and LLM_BASE_URL.',
      };
    case status === 429:
      return {
        kind: 'exhausted',
        message: 'The model provider is busy or the limit of the key is spent. Try again later.',
      };
    case status >= 300 && status < 400:
      return {
        kind: 'rejected',
        message: 'The model provider redirects elsewhere. Set LLM_BASE_URL to the final address.',
      };
    case status === 408 || status === 409 || status === 425 || status >= 500:
      return {
        kind: 'unavailable',
        message: `The model provider has trouble (status ${status}). Try again in a while.`,
      };
    case status === 413 || isTooLong(serverText):
      return {
        kind: 'rejected',
        message: 'The prompt is too long for this model. Ask something shorter, or begin afresh with /new.',
      };
    case isModelUnknown(serverText):
      return { kind: 'missing', message: 'The model provider knows no such model. Check LLM_MODEL.' };
    default:
      return {
        kind: 'rejected',
        message: `The model provider refuses the request (status ${status}). The log has its words.`,
      };
  }
}

function isTooLong(text: string): boolean {
  return /context[_ ](?:length|window)|maximum context|too many tokens|prompt is too long/i.test(text);
}

function isModelUnknown(text: string): boolean {
  return /model[_ ]not[_ ]found|unknown model|model .{0,80}(?:does not exist|not found)/i.test(text);
}

/** True when a server may have refused only the way in which JSON was asked for. */
export function mayBeSchemaRefusal(failure: Failure): boolean {
  return failure.status === 400 || failure.status === 422 || failure.status === 501;
}

const MAX_RETRY_AFTER_MS = 24 * 60 * 60_000;

/**
 * `retry-after-ms`, else `retry-after` in seconds or as a date, which is read against the server's own `date`: no clock of ours.
 * @returns whole milliseconds, at most a day; undefined when nothing usable was said
 */
export function retryAfterOf(headers: Readonly<Record<string, string>> | undefined): number | undefined {
  const ms = Number(headers?.['retry-after-ms'] ?? Number.NaN);
  const text = headers?.['retry-after'] ?? '';
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  const until = Date.parse(text) - Date.parse(headers?.date ?? '');
  const wanted = [ms, seconds * 1000, until].find((value) => Number.isFinite(value) && value >= 0);
  return wanted === undefined ? undefined : Math.min(Math.ceil(wanted), MAX_RETRY_AFTER_MS);
}

const UNREACHABLE = ['UND_ERR_CONNECT_TIMEOUT', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'];

function wasUnreachable(thrown: unknown): boolean {
  return codesOf(thrown).some((code) => UNREACHABLE.includes(code));
}

function networkMessage(thrown: unknown): string {
  const codes = codesOf(thrown);
  if (wasUnreachable(thrown))
    return 'The model provider cannot be reached. Check LLM_BASE_URL and the network.';
  if (codes.includes('UND_ERR_HEADERS_TIMEOUT'))
    return 'The model provider did not answer in time. Try again in a while.';
  if (codes.includes('UND_ERR_BODY_TIMEOUT'))
    return 'The model provider fell silent in the middle of its answer. Try again in a while.';
  return 'The answer of the model provider broke off or cannot be read. Try again; if it stays so, check LLM_BASE_URL.';
}

function codesOf(thrown: unknown): readonly string[] {
  return causes(thrown).map((cause) => String(asRecord(cause).code));
}

/** A thrown thing and what caused it, outermost first. */
function causes(thrown: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let at = thrown; at !== undefined && at !== null && chain.length < 8; at = asRecord(at).cause)
    chain.push(at);
  return chain;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}; // safe: any object
}

function asHeaders(value: unknown): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(asRecord(value)).map(([name, text]) => [name.toLowerCase(), String(text)]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
