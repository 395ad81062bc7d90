import type { Clock } from '@agent-runtime/domain';
import { Api, type RawApi } from 'grammy/web';
import { deliveryError } from '../errors.ts';
import type { Alarms } from './alarms.ts';
import { refusalOf, TOKEN_REFUSED, toFault } from './fault.ts';
import { makePace, type Scope, type Weight } from './pace.ts';

/** One call of the Bot API. */
export interface TelegramCall {
  readonly scope: Scope;
  readonly signal: AbortSignal;
  /** What it is to people. Default: `answer`. */
  readonly weight?: Weight | undefined;
  /** Asks also with a token that was refused. Default: false. */
  readonly isProbe?: boolean | undefined;
  /** Asking for updates and the like costs no turn. Default: true. */
  readonly isCounted?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
}

type Signal = NonNullable<Parameters<RawApi['getMe']>[0]>;

export interface TelegramClient {
  /** @throws AppError as `deliver` of a connector does */
  call<T>(one: TelegramCall, use: (api: Api, signal: Signal) => Promise<T>): Promise<T>;
  /** True while the server refuses the token that is configured: nothing is asked then. */
  isRefused(): boolean;
  /** Asks again with the same token, after a restart. */
  forgive(): void;
}

export interface ClientOptions {
  readonly token: () => string;
  readonly apiRoot?: string | undefined;
  readonly perSecond: number;
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly clock: Clock;
  readonly alarms: Alarms;
}

/** The question that tells whether a token is good. */
export const OWN_NAME = 'method getMe';
const TIMEOUT_MS = 30_000;
/** Of the library, by the machine's clock: only in case that ours is broken. */
const LAST_RESORT_SECONDS = 120;

/** The Bot API behind its limits: turns, waits the server asked for, a token that it refuses. */
export function makeClient(options: ClientOptions): TelegramClient {
  const { clock, alarms } = options;
  const pace = makePace(clock, options.perSecond);
  let refusedToken: string | undefined;
  let made: { readonly token: string; readonly api: Api } | undefined;

  const apiFor = (token: string): Api => {
    if (made?.token === token) return made.api;
    // Whoever had stolen the last one has nothing any more.
    if (made !== undefined) alarms.clear('stolen');
    made = { token, api: newApi(options, token) };
    return made.api;
  };
  const isRefused = (): boolean => {
    if (refusedToken === undefined) return false;
    if (options.token() === refusedToken) return true;
    refusedToken = undefined;
    alarms.clear('token');
    return false;
  };

  return {
    isRefused,
    forgive: () => {
      refusedToken = undefined;
    },
    call: async (one, use) => {
      if (isRefused() && one.isProbe !== true) throw deliveryError('unavailable', TOKEN_REFUSED);
      if (one.isCounted !== false)
        await pace.admit(one.scope, { weight: one.weight ?? 'answer', signal: one.signal });
      const token = options.token();
      try {
        const result = await withTimeout(clock, one, (signal) => use(apiFor(token), signal as Signal)); // safe: the library's type describes the same interface
        if (refusedToken === token) refusedToken = undefined;
        alarms.clear('token');
        return result;
      } catch (thrown) {
        const fault = toFault(thrown);
        const status = refusalOf(fault)?.status;
        if (fault.kind === 'exhausted') pace.hold(one.scope, fault.retryAfterMs ?? 1_000);
        // Only this question says by a 404 that there is no such bot.
        if (status === 401 || (status === 404 && one.scope === OWN_NAME)) {
          refusedToken = token;
          alarms.raise('token', TOKEN_REFUSED);
        }
        throw fault;
      }
    },
  };
}

function newApi({ apiRoot, fetch }: ClientOptions, token: string): Api {
  return new Api(token, {
    ...(apiRoot === undefined ? {} : { apiRoot }),
    ...(fetch === undefined ? {} : { fetch: bridged(fetch) as never }), // safe: called with what both understand, an address and plain options
    timeoutSeconds: LAST_RESORT_SECONDS,
    sensitiveLogs: false,
  });
}

/** The library brings signals of its own make, which the fetch of Node refuses. */
function bridged(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => {
    const control = new AbortController();
    init?.signal?.addEventListener('abort', () => control.abort(), { once: true });
    if (init?.signal?.aborted === true) control.abort();
    return fetch(input, { ...init, signal: control.signal });
  };
}

async function withTimeout<T>(
  clock: Clock,
  one: TelegramCall,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (one.signal.aborted) throw deliveryError('unavailable', 'Stopped before anything was sent.');
  const timeout = new AbortController();
  const timer = new AbortController();
  const timed = clock.sleep(one.timeoutMs ?? TIMEOUT_MS, timer.signal).then(() => timeout.abort());
  try {
    return await use(AbortSignal.any([one.signal, timeout.signal]));
  } finally {
    timer.abort();
    await timed;
  }
}
