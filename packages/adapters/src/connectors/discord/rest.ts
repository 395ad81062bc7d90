import { AsyncLocalStorage } from 'node:async_hooks';
import { AppError, type Clock } from '@agent-runtime/domain';
import {
  DefaultRestOptions,
  DiscordAPIError,
  HTTPError,
  RateLimitError,
  REST,
  type RESTOptions,
  type ResponseLike,
} from 'discord.js';
import type { DeliveryFault } from '../errors.ts';
import { type RefusedCall, wordsOfRefusal } from './refusal.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly route: `/${string}`;
  readonly body?: unknown;
  readonly query?: URLSearchParams | undefined;
  readonly file?: { readonly name: string; readonly content: string } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Calls of Discord that say what came of them in the words of the port, and never burn a request that is bound to be refused. */
export interface Api {
  /** @throws AppError `unavailable`, `exhausted`, `rejected`, `uncertain`; `detail` of a refusal is a `RefusedCall` */
  call(call: Call): Promise<unknown>;
  /** Discord refuses the token: nothing is asked any more until there is another one. */
  isRefused(): boolean;
  close(): void;
}

export interface ApiOptions {
  /** Read at each call. */
  readonly token: () => string;
  readonly apiRoot: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Longest wait for room in a known bucket before a call counts as `exhausted`, ms. */
  readonly patienceMs: number;
  readonly makeRequest?: RESTOptions['makeRequest'] | undefined;
}

/** Discord asked for a pause; thrown inside the library, so that it neither waits nor asks again. */
class SlowDown extends Error {
  readonly retryAfterMs: number;
  readonly isGlobal: boolean;
  constructor(retryAfterMs: number, isGlobal: boolean) {
    super('slow down');
    this.retryAfterMs = retryAfterMs;
    this.isGlobal = isGlobal;
  }
}

const GLOBAL = 'global';

/** One call on its way through the library, which makes it wait until its bucket has room. */
interface Flight {
  hasLeft: boolean;
  isGivenUp: boolean;
}

function notSent(): AppError {
  return fault('unavailable', 'Stopped before anything was sent.');
}

/** The library looks at a signal only when the wait is over. @returns never, or throws while the call has not left yet */
function givenUp(flight: Flight, signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const giveUp = (): void => {
      if (flight.hasLeft) return;
      flight.isGivenUp = true;
      reject(notSent());
    };
    signal?.addEventListener('abort', giveUp, { once: true, signal: over });
  });
}

export function discordApi(options: ApiOptions): Api {
  const { clock } = options;
  const send = options.makeRequest ?? DefaultRestOptions.makeRequest;
  const rest = new REST({
    api: options.apiRoot,
    version: '10',
    // Settle retries, with the effect's own memory of what it knows.
    retries: 0,
    timeout: options.timeoutMs,
    rejectOnRateLimit: ({ retryAfter, timeToReset }) =>
      Math.max(retryAfter, timeToReset) > options.patienceMs,
    makeRequest: async (url, init) => {
      const flight = calling.getStore();
      if (flight?.isGivenUp === true) throw notSent();
      if (flight !== undefined) flight.hasLeft = true;
      return refuseSlowDown(await send(url, init));
    },
  });
  const calling = new AsyncLocalStorage<Flight>();
  const pausedUntil = new Map<string, number>();
  let refusedToken: string | undefined;

  const pauseOf = (key: string): number => (pausedUntil.get(key) ?? 0) - clock.monotonicMs();
  const pause = (key: string, ms: number): void => {
    for (const [old, until] of pausedUntil) if (until <= clock.monotonicMs()) pausedUntil.delete(old);
    pausedUntil.set(key, clock.monotonicMs() + ms);
  };
  const check = (call: Call, key: string): void => {
    if (call.signal?.aborted === true) throw notSent();
    if (needsToken(call) && options.token() === refusedToken) throw fault('unavailable', REFUSED_TOKEN);
    const waitMs = Math.max(pauseOf(key), isCallback(call) ? 0 : pauseOf(GLOBAL));
    if (waitMs > 0) throw fault('exhausted', undefined, Math.ceil(waitMs));
  };

  return {
    isRefused: () => refusedToken !== undefined && refusedToken === options.token(),
    call: async (call) => {
      const key = bucketOf(call);
      check(call, key);
      const token = options.token();
      const flight = { hasLeft: false, isGivenUp: false };
      const over = new AbortController();
      try {
        const request = calling.run(flight, () => rest.setToken(token).request(requestOf(call)));
        return await Promise.race([request, givenUp(flight, call.signal, over.signal)]);
      } catch (error) {
        if (error instanceof SlowDown) pause(error.isGlobal ? GLOBAL : key, error.retryAfterMs);
        if (error instanceof DiscordAPIError && error.status === 401 && needsToken(call))
          refusedToken = token;
        if (call.signal?.aborted === true && !flight.hasLeft) throw notSent();
        throw translate(error);
      } finally {
        over.abort();
      }
    },
    close: () => {
      rest.clearHashSweeper();
      rest.clearHandlerSweeper();
    },
  };
}

export const REFUSED_TOKEN =
  "Discord refuses the bot's token. Make a new one in the developer portal (Bot > Reset Token) and set it.";

function requestOf(call: Call): Parameters<REST['request']>[0] {
  return {
    // safe: the library's names of the verbs are these strings
    method: call.method as Parameters<REST['request']>[0]['method'],
    fullRoute: call.route,
    auth: needsToken(call),
    body: call.body,
    ...(call.query === undefined ? {} : { query: call.query }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
    ...(call.file === undefined
      ? {}
      : {
          files: [
            {
              name: call.file.name,
              data: Buffer.from(call.file.content, 'utf8'),
              contentType: 'text/markdown; charset=utf-8',
            },
          ],
        }),
  };
}

/** Webhooks and callbacks carry their own right in the address. */
function needsToken({ route }: Call): boolean {
  return !route.startsWith('/webhooks/') && !route.startsWith('/interactions/');
}

function isCallback({ route }: Call): boolean {
  return route.startsWith('/interactions/');
}

/** Discord limits each route by itself for each channel (the first id in it); of the ids behind that it does not care. */
function bucketOf({ method, route }: Call): string {
  const [, head = '', rest = ''] = /^(\/\w+\/[^/]+)(.*)$/.exec(route) ?? [];
  return `${method}:${head}${rest.replace(/\/\d{15,20}(?=\/|$)/g, '/:id')}`;
}

/** The body names the pause exactly, in seconds with a fraction; the header rounds it, and is all there is when the body is not Discord's. */
async function refuseSlowDown(response: ResponseLike): Promise<ResponseLike> {
  if (response.status !== 429) return response;
  const said: unknown = await response.json().catch(() => undefined);
  const body = typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {}; // safe: an object, read by key
  const seconds = [body.retry_after, response.headers.get('Retry-After') ?? undefined]
    .map((one) => Number(one ?? Number.NaN))
    .find((one) => Number.isFinite(one) && one >= 0);
  // Without Discord's words it comes from whoever stands before Discord, and is about this address.
  const isForeign = typeof body.retry_after !== 'number';
  const isGlobal = isForeign || body.global === true || response.headers.has('X-RateLimit-Global');
  throw new SlowDown(Math.ceil((seconds ?? 1) * 1_000), isGlobal);
}

/** What never left this machine. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The library's errors carry the address and the body of the request, and addresses carry tokens: nothing of them goes on. */
function translate(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof SlowDown) return fault('exhausted', undefined, error.retryAfterMs);
  if (error instanceof RateLimitError)
    return fault('exhausted', undefined, Math.ceil(Math.max(error.retryAfter, error.timeToReset, 1)));
  if (error instanceof DiscordAPIError) {
    const refused: RefusedCall = { status: error.status, code: Number(error.code) };
    if (error.status === 401) return fault('unavailable', REFUSED_TOKEN, undefined, refused);
    return fault('rejected', wordsOfRefusal(refused), undefined, refused);
  }
  if (error instanceof HTTPError)
    return fault('uncertain', undefined, undefined, { status: error.status, code: 0 });
  return fault(NOT_SENT.has(codeOf(error)) ? 'unavailable' : 'uncertain');
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error) return String(error.code);
  return 'cause' in error ? codeOf(error.cause) : '';
}

const MESSAGES: Readonly<Record<DeliveryFault, string>> = {
  unavailable: 'Discord cannot be reached. Nothing was sent; it is tried again later.',
  exhausted: 'Discord asks to slow down. Nothing was sent; it is tried again later.',
  rejected: 'Discord refuses this for good.',
  uncertain: 'The line to Discord broke while sending. Nobody knows whether the message arrived.',
};

/** @param detail for the log; without addresses, which may carry tokens */
export function fault(
  kind: DeliveryFault,
  message?: string,
  retryAfterMs?: number,
  detail?: RefusedCall,
): AppError {
  return new AppError({
    code: `connectors.delivery.${kind}`,
    kind,
    message: message ?? MESSAGES[kind],
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(detail === undefined ? {} : { detail }),
  });
}
