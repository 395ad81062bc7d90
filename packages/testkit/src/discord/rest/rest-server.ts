import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer, CallMatcher, DiscordCall } from './call.ts';
import { isMatch } from './call.ts';
import { commandRoutes } from './command-routes.ts';
import { type FaultKind, type Faults, faultList } from './faults.ts';
import { interactionRoutes } from './interaction-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { channelRoutes, peopleRoutes } from './people-routes.ts';
import { type RateLimits, rateLimits } from './rate-limits.ts';
import { bytesOf, type ReadBody, readBody } from './read-body.ts';
import { type Problem, Refusal, refusals } from './refusal.ts';
import { type RestContext, type RouteMatch, type Routes, router } from './router.ts';
import type { Spec } from './spec.ts';
import { webhookRoutes } from './webhook-routes.ts';

const ROUTES: Routes = {
  ...peopleRoutes,
  ...channelRoutes,
  ...messageRoutes,
  ...commandRoutes,
  ...interactionRoutes,
  ...webhookRoutes,
};
const PREFIX = '/api/v10';

/** A call that the platform's rules forbid: a path it does not have, or a body it would not take. */
export interface Violation {
  readonly call: DiscordCall;
  readonly problems: readonly Problem[];
}

/** Called when a call has had its effect and before it is answered. */
export type CallHook = (call: DiscordCall) => void | Promise<void>;

export interface RestServer {
  readonly calls: readonly DiscordCall[];
  readonly violations: readonly Violation[];
  /** Answers of the emulator that its own specification would not have. */
  readonly badAnswers: readonly Violation[];
  readonly faults: Faults;
  readonly limits: RateLimits;
  /** 401, 403 and 429 (not of scope shared): the platform bans who makes 10,000 in ten minutes. */
  readonly invalidRequests: number;
  /** @returns takes the hook away again */
  onCall(matcher: CallMatcher, hook: CallHook): () => void;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface RestOptions {
  readonly context: RestContext;
  readonly token: () => string;
  readonly spec: Spec | undefined;
  /** Also checks the emulator's answers: for tests of the emulator, too dear for benchmarks. */
  readonly checksAnswers: boolean;
  /** Something happened that a test may wait for. */
  readonly changed: () => void;
}

/** The REST API: what goes in is recorded, checked, limited and refused in the order of the real one. */
export function restServer(options: RestOptions): RestServer {
  const { context, spec } = options;
  const { clock } = context.world;
  const match = router(ROUTES);
  const calls: DiscordCall[] = [];
  const violations: Violation[] = [];
  const badAnswers: Violation[] = [];
  const faults = faultList();
  const limits = rateLimits(clock);
  const hooks = new Set<{ readonly matcher: CallMatcher; readonly hook: CallHook }>();
  let invalidRequests = 0;

  const violate = (call: DiscordCall, problems: readonly Problem[]): never => {
    violations.push({ call, problems });
    throw refusals.badBody(problems);
  };

  const process = (call: DiscordCall, found: RouteMatch | undefined): Answer => {
    if (!isOpen(call) && call.headers.authorization !== `Bot ${options.token()}`)
      throw refusals.unauthorized();
    if (found === undefined) {
      const isReal = spec === undefined ? '' : ' (see the specification for what exists)';
      return violate(call, [
        { at: [], code: 'PATH', message: `The emulator does not know ${call.method} ${call.path}${isReal}` },
      ]);
    }
    const problems = spec?.checkBody(call.method, call.route, call.body) ?? [];
    if (problems.length > 0) violate(call, problems);
    try {
      return found.handler(call, context);
    } catch (error) {
      if (error instanceof Refusal && error.body.errors !== undefined) {
        violations.push({
          call,
          problems: [{ at: [], code: 'LIMIT', message: JSON.stringify(error.body.errors) }],
        });
      }
      throw error;
    }
  };

  const answerOf = ({ call, found, unreadable }: Recorded): Answer => {
    try {
      if (unreadable !== undefined) violate(call, [{ at: [], code: 'JSON', message: unreadable.message }]);
      const answer = process(call, found);
      const problems = options.checksAnswers
        ? (spec?.checkAnswer(call.method, call.route, answer.body) ?? [])
        : [];
      if (problems.length > 0) badAnswers.push({ call, problems });
      return answer;
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, body: error.body };
      throw error;
    }
  };

  const tooMany = (call: DiscordCall, waitMs: number, scope: string): Sendable => {
    limits.noteWait(call, waitMs, scope === 'global');
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
  };

  const settle = async (record: Recorded, fault: FaultKind | undefined): Promise<Sendable | undefined> => {
    const { call } = record;
    if (fault?.kind === 'too-many') {
      limits.admit(call);
      return tooMany(call, (fault.retryAfterS ?? 1) * 1000, fault.scope ?? 'user');
    }
    if (fault?.kind === 'refusal')
      return sendable(new Refusal(fault.status, fault.code, fault.message ?? 'Refused'));
    if (fault?.kind === 'server-error' && fault.isProcessed !== true) return serverError(fault.status);
    if (fault?.kind === 'hang' && fault.isProcessed !== true) return undefined;
    if (fault?.kind === 'slow') await clock.sleep(fault.delayMs);
    const verdict = limits.admit(call);
    if (verdict.refusedForMs !== undefined) {
      const refused = tooMany(call, verdict.refusedForMs, verdict.isGlobal === true ? 'global' : 'user');
      return { ...refused, headers: { ...verdict.headers, ...refused.headers } };
    }
    const answer = answerOf(record);
    call.status = answer.status;
    call.answer = answer.body;
    for (const { matcher, hook } of hooks) if (isMatch(matcher, call)) await hook(call);
    if (fault?.kind === 'server-error') return serverError(fault.status);
    if (fault?.kind === 'hang') return undefined;
    return { ...answer, headers: verdict.headers };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = await bytesOf(request);
    const record = await recorded(request, bytes);
    const { call } = record;
    const fault = faults.take(call);
    if (fault?.kind === 'refuse') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'drop-before') return void request.socket.destroy();
    const out = await settle(record, fault);
    if (out !== undefined) {
      call.status = out.status;
      if (isInvalid(out)) invalidRequests += 1;
    }
    if (fault?.kind === 'drop-after') request.socket.destroy();
    else if (out !== undefined) send(response, out);
    options.changed();
  };

  const recorded = async (request: IncomingMessage, bytes: Buffer): Promise<Recorded> => {
    const url = new URL(request.url ?? '/', 'http://emulator.invalid');
    const method = request.method ?? 'GET';
    const path = url.pathname.startsWith(`${PREFIX}/`) ? url.pathname.slice(PREFIX.length) : url.pathname;
    const found = path === url.pathname ? undefined : match(method, path);
    const read = await readBody(request.headers['content-type'], bytes).catch((error: unknown) => {
      if (error instanceof Refusal) return error;
      throw error;
    });
    const { body, files } = read instanceof Refusal ? NOTHING : read;
    const call: DiscordCall = {
      index: calls.length,
      method,
      path,
      route: found?.template ?? path,
      params: found?.params ?? {},
      query: url.searchParams,
      headers: request.headers,
      body,
      files,
      atMs: clock.nowMs(),
    };
    calls.push(call);
    return { call, found, unreadable: read instanceof Refusal ? read : undefined };
  };

  return {
    calls,
    violations,
    badAnswers,
    faults,
    limits,
    get invalidRequests() {
      return invalidRequests;
    },
    onCall: (matcher, hook) => {
      const entry = { matcher, hook };
      hooks.add(entry);
      return () => void hooks.delete(entry);
    },
    handle,
  };
}

const NOTHING: ReadBody = { body: undefined, files: [] };

interface Recorded {
  readonly call: DiscordCall;
  readonly found: RouteMatch | undefined;
  /** The bytes were no body at all. */
  readonly unreadable: Refusal | undefined;
}

interface Sendable extends Answer {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls that carry their right in the path. */
function isOpen({ route }: DiscordCall): boolean {
  return (
    route === '/gateway' || route.startsWith('/interactions/') || route.startsWith('/webhooks/{webhook_id}/{')
  );
}

function isInvalid({ status, headers }: Sendable): boolean {
  return status === 401 || status === 403 || (status === 429 && headers?.['x-ratelimit-scope'] !== 'shared');
}

function sendable({ status, body }: Refusal): Sendable {
  return { status, body };
}

function serverError(status = 500): Sendable {
  return { status, body: { message: `${status}: Internal Server Error`, code: 0 } };
}

function send(response: ServerResponse, { status, body, headers }: Sendable): void {
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
