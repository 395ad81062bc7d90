import {
  type Accept,
  AppError,
  type Clock,
  type InboundEvent,
  type Logger,
  type Taken,
} from '@agent-runtime/domain';

/** Work of one channel, one after the other; channels do not wait for each other. */
export interface Lanes {
  /** @param work never rejects, or what it throws is logged and lost */
  push(lane: string, work: () => Promise<void>): void;
  /** Begins at once, in no lane: for what must not wait behind anything. */
  atOnce(work: () => Promise<void>): void;
  /** So much waits in this lane that what comes now must be brought another way. */
  isFull(lane: string): boolean;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
}

/** What waits is held in memory: one stuck channel must not fill it. */
const MAX_WAITING = 500;

interface Lane {
  tail: Promise<void>;
  waiting: number;
}

/** @param maxWaiting in one lane */
export function lanesOf(log: Logger, maxWaiting = MAX_WAITING): Lanes {
  const lanes = new Map<string, Lane>();
  const aside = new Set<Promise<void>>();
  const guarded = (work: () => Promise<void>): Promise<void> =>
    work().catch((error: unknown) => {
      log.error({ room: 'discord', error: nameOf(error) }, 'Something of Discord could not be worked on.');
    });
  return {
    push: (name, work) => {
      const lane = lanes.get(name) ?? { tail: Promise.resolve(), waiting: 0 };
      lanes.set(name, lane);
      lane.waiting += 1;
      lane.tail = lane.tail
        .then(() => guarded(work))
        .then(() => {
          lane.waiting -= 1;
          if (lane.waiting === 0) lanes.delete(name);
        });
    },
    atOnce: (work) => {
      const done = guarded(work).then(() => void aside.delete(done));
      aside.add(done);
    },
    isFull: (name) => (lanes.get(name)?.waiting ?? 0) >= maxWaiting,
    idle: async () => {
      while (lanes.size + aside.size > 0) {
        await Promise.all([...aside, ...[...lanes.values()].map(({ tail }) => tail)]);
      }
    },
  };
}

/** Stopping everything waits for nothing: neither for its channel nor for what else a platform wants first. */
export function isUrgent({ kind, text }: Pick<InboundEvent, 'kind' | 'text'>): boolean {
  return (kind === 'command' || kind === 'message') && /^\/panic(?:@\w{1,64})?(?:\s|$)/i.test(text.trim());
}

export type Offered =
  | { readonly kind: 'taken'; readonly taken: Taken | undefined }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'stopped' };

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/**
 * Offers an event until the engine took it or refused it for good; trouble that passes is waited for. A bug may pass too: whoever accepts
 * ends an event that meets one again and again.
 */
export async function offer(
  event: InboundEvent,
  accept: Accept,
  deps: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<Offered> {
  for (let waitMs = FIRST_WAIT_MS; !deps.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return { kind: 'taken', taken: await accept(event) };
    } catch (error) {
      if (isLasting(error)) return refused(error, event, deps.log);
      const askedMs = error instanceof AppError ? error.retryAfterMs : undefined;
      await deps.clock.sleep(askedMs ?? waitMs, deps.signal);
    }
  }
  return { kind: 'stopped' };
}

const PASSING: ReadonlySet<string> = new Set(['unavailable', 'exhausted', 'bug']);

function isLasting(error: unknown): error is AppError {
  return error instanceof AppError && !PASSING.has(error.kind);
}

function refused(error: AppError, event: InboundEvent, log: Logger): Offered {
  log.warn(
    { room: 'discord', event: event.externalId, error: nameOf(error) },
    'An event from Discord was refused for good.',
  );
  return { kind: 'refused', message: error.message };
}

/** What may stand in a log of an error that came from anywhere: no message, which may quote an address with a token in it. */
export function nameOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
