import {
  AppError,
  type Clock,
  type HttpToken,
  type Ids,
  type Logger,
  type Metrics,
  type StoreReader,
  type TokenId,
} from '@agent-runtime/domain';
import type { Engine } from '@agent-runtime/engine';
import { type Context, Hono } from 'hono';
import type { Enrolment } from '../admin/index.ts';
import type { TelegramHook } from '../assembly/connectors.ts';
import { lastEventId } from '../stream/last-event-id.ts';
import { type RunStreamDeps, runStream } from '../stream/run-stream.ts';
import { readJson } from './body.ts';
import { errorAnswer, unknownPath, wrongMethod } from './error-answer.ts';
import { postEvent } from './event-post.ts';
import { readHealth, readReadiness } from './health-read.ts';
import { rateLimit } from './rate-limit.ts';
import { ownRun, readRun } from './run-read.ts';
import { streamAnswer } from './run-stream.ts';
import { streamGuard, whileGood } from './stream-guard.ts';
import { takeUpdate } from './telegram-webhook.ts';
import { authenticate } from './token-auth.ts';

/** What the public door joins. It decides nothing: tokens and limits here, everything else in the engine. */
export interface PublicDeps extends RunStreamDeps {
  readonly engine: Pick<Engine, 'accept' | 'health'>;
  readonly read: StoreReader;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Messages per minute and token. Reading may be ten times as frequent. */
  readonly perMinute: number;
  /** Reasons beside the engine's why it is not ready. */
  readonly reasons: () => readonly string[];
  /** Silence after which a stream sends a heartbeat, ms. */
  readonly heartbeatMs: number;
  readonly enrolment: Enrolment;
  /** Absent: this appliance asks Telegram itself, or not at all, and the path does not exist. */
  readonly telegramHook?: TelegramHook | undefined;
}

export interface PublicApp {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Ends all streams; part of draining. */
  closeStreams(): void;
}

const READS_PER_MESSAGE = 10;
/** A certificate request with its proof is far below. */
const MAX_ENROL_BYTES = 16 * 1024;
/** Refused requests of everybody together, per minute: no address of a caller is trusted, so there is one bucket. */
export const ANONYMOUS_PER_MINUTE = 600;

/** The public HTTP listener: health, events in, runs out. */
export function makePublicApp(deps: PublicDeps): PublicApp {
  const guard = streamGuard(deps.clock);
  const door = tokenDoor(deps);
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    setSecurityHeaders(context.res.headers);
    deps.metrics.count('http_requests_total', { status: String(context.res.status) });
  });
  app.onError((error, context) => errorAnswer(deps, context, error));
  app.notFound((context) => unknownPath(context));

  app.get('/healthz', readHealth).all((context) => wrongMethod(context, 'GET'));
  app.get('/readyz', (context) => readReadiness(deps, context)).all((context) => wrongMethod(context, 'GET'));
  app.post('/enrol', async (context) => {
    if (!(await deps.enrolment.isOpen())) return unknownPath(context);
    const announced = context.req.header('content-length') ?? '';
    // What is no number compares with nothing, and would be read up to the limit of other bodies.
    if (!/^\d{1,9}$/.test(announced) || Number(announced) > MAX_ENROL_BYTES) throw tooMuch();
    try {
      return context.json(await deps.enrolment.enrol(await readJson(context.req.raw)));
    } catch (refusal) {
      // Only refusals count: the proof is cheap to check, and strangers must not keep the invited person out.
      door.takeAnonymous();
      throw refusal;
    }
  });
  const { telegramHook } = deps;
  if (telegramHook !== undefined)
    app
      .post('/telegram/webhook', (context) => takeUpdate(telegramHook, context, door.takeAnonymous))
      .all((context) => wrongMethod(context, 'POST'));
  app
    .post('/v1/events', async (context) => {
      const token = await door.enter(context, 'message');
      return context.json(await postEvent(deps, token, context.req.raw), 202);
    })
    .all((context) => wrongMethod(context, 'POST'));
  app
    .get('/v1/runs/:id', async (context) => {
      const token = await door.enter(context, 'read');
      return context.json(await readRun(deps.read, token, context.req.param('id')));
    })
    .all((context) => wrongMethod(context, 'GET'));
  app
    .get('/v1/runs/:id/events', async (context) => {
      // HEAD would open a stream that nobody reads.
      if (context.req.method !== 'GET') return wrongMethod(context, 'GET');
      const token = await door.enter(context, 'read');
      const run = await ownRun(deps.read, token, context.req.param('id'));
      const isGood = (): Promise<boolean> => door.isGood(context);
      const held = guard.open(token.id, isGood);
      const frames = runStream(deps, run.id, {
        after: lastEventId(context.req.header('Last-Event-ID')),
        heartbeatMs: deps.heartbeatMs,
        signal: held.signal,
      });
      return streamAnswer(whileGood(frames, isGood), held.signal, held.release);
    })
    .all((context) => wrongMethod(context, 'GET'));
  return { fetch: (request) => app.fetch(request), closeStreams: guard.close };
}

function tooMuch(): AppError {
  return new AppError({
    code: 'public.size.invalid',
    kind: 'invalid',
    message: `An enrolment says how long it is (content-length), and is at most ${MAX_ENROL_BYTES} bytes.`,
  });
}

interface TokenDoor {
  /** @throws AppError public.token.unauthenticated, public.rate.exhausted */
  enter(context: Context, what: 'message' | 'read'): Promise<HttpToken>;
  isGood(context: Context): Promise<boolean>;
  /** @throws AppError public.rate.exhausted */
  takeAnonymous(): void;
}

function tokenDoor(deps: PublicDeps): TokenDoor {
  const anonymous = rateLimit(ANONYMOUS_PER_MINUTE);
  const limits = {
    message: rateLimit(deps.perMinute),
    read: rateLimit(deps.perMinute * READS_PER_MESSAGE),
  };
  const authenticated = (context: Context): Promise<HttpToken> =>
    authenticate(context.req.header('Authorization'), deps.read, deps.clock);
  return {
    async enter(context, what) {
      const token = await authenticated(context).catch((refusal: unknown) => {
        anonymous.take('everybody', deps.clock.monotonicMs());
        throw refusal;
      });
      const key: TokenId = token.id;
      limits[what].take(key, deps.clock.monotonicMs());
      return token;
    },
    takeAnonymous: () => anonymous.take('everybody', deps.clock.monotonicMs()),
    isGood: (context) =>
      authenticated(context).then(
        () => true,
        () => false,
      ),
  };
}

/** Answers are data: never run, framed, cached or guessed at by a browser. */
function setSecurityHeaders(headers: Headers): void {
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('Cache-Control', 'no-store');
  headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  headers.set('X-Frame-Options', 'DENY');
  headers.set('Referrer-Policy', 'no-referrer');
}
