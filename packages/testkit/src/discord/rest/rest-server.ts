import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnswererOptions, answerer, findRoute, type Recorded } from './answerer.ts';
import { type CallMatcher, type DiscordCall, isMatch, type Violation } from './call.ts';
import { type FaultKind, type Faults, faultList } from './faults.ts';
import { type RateLimits, rateLimits } from './rate-limits.ts';
import { bytesOf, type ReadBody, readBody } from './read-body.ts';
import { Refusal } from './refusal.ts';
import { isInvalid, type Sendable, send, serverError, tooMany } from './sending.ts';

const PREFIX = '/api/v10';

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

export interface RestOptions extends AnswererOptions {
  /** Something happened that a test may wait for. */
  readonly changed: () => void;
}

/** The REST API: what comes in is recorded, spoilt by faults, limited, answered; the test looks in before the answer goes. */
export function restServer(options: RestOptions): RestServer {
  const { clock } = options.context.world;
  const { violations, badAnswers, answerOf } = answerer(options);
  const calls: DiscordCall[] = [];
  const faults = faultList();
  const limits = rateLimits(clock);
  const hooks = new Set<{ readonly matcher: CallMatcher; readonly hook: CallHook }>();
  let invalidRequests = 0;

  const limited = (call: DiscordCall, waitMs: number, scope: 'user' | 'global' | 'shared'): Sendable => {
    limits.noteWait(call, waitMs, scope === 'global');
    return tooMany(waitMs, scope);
  };

  const processed = async (record: Recorded): Promise<Sendable> => {
    const { call } = record;
    const verdict = limits.admit(call);
    if (verdict.refusedForMs !== undefined) {
      const refused = limited(call, verdict.refusedForMs, verdict.isGlobal === true ? 'global' : 'user');
      return { ...refused, headers: { ...verdict.headers, ...refused.headers } };
    }
    const answer = answerOf(record);
    call.status = answer.status;
    call.answer = answer.body;
    for (const { matcher, hook } of hooks) if (isMatch(matcher, call)) await hook(call);
    return { ...answer, headers: verdict.headers };
  };

  /** @returns the answer; undefined: none ever comes */
  const settle = async (record: Recorded, fault: FaultKind | undefined): Promise<Sendable | undefined> => {
    switch (fault?.kind) {
      case 'too-many':
        limits.admit(record.call);
        return limited(record.call, (fault.retryAfterS ?? 1) * 1000, fault.scope ?? 'user');
      case 'refusal': {
        const { status, body } = new Refusal(fault.status, fault.code, fault.message ?? 'Refused');
        return { status, body };
      }
      case 'server-error':
        if (fault.isProcessed === true) await processed(record);
        return serverError(fault.status);
      case 'hang':
        if (fault.isProcessed === true) await processed(record);
        return undefined;
      case 'slow':
        await clock.sleep(fault.delayMs);
        return processed(record);
      default:
        return processed(record);
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const record = await recorded(request);
    const { call } = record;
    const fault = faults.take(call);
    options.changed();
    if (fault?.kind === 'refuse') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'drop-before') return void request.socket.destroy();
    const out = await settle(record, fault);
    if (fault?.kind === 'drop-after') request.socket.destroy();
    else if (out !== undefined) {
      call.status = out.status;
      if (isInvalid(out)) invalidRequests += 1;
      send(response, out);
    }
    options.changed();
  };

  const recorded = async (request: IncomingMessage): Promise<Recorded> => {
    const url = new URL(request.url ?? '/', 'http://emulator.invalid');
    const method = request.method ?? 'GET';
    const isHere = url.pathname.startsWith(`${PREFIX}/`);
    const path = isHere ? url.pathname.slice(PREFIX.length) : url.pathname;
    const found = isHere ? findRoute(method, path) : undefined;
    const read = await readBody(request.headers['content-type'], await bytesOf(request));
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
