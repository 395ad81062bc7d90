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
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
}

export function lanesOf(log: Logger): Lanes {
  const tails = new Map<string, Promise<void>>();
  return {
    push: (lane, work) => {
      const tail = (tails.get(lane) ?? Promise.resolve()).then(work).catch((error: unknown) => {
        log.error({ room: 'discord', error: nameOf(error) }, 'Something of Discord could not be worked on.');
      });
      tails.set(lane, tail);
      void tail.then(() => {
        if (tails.get(lane) === tail) tails.delete(lane);
      });
    },
    idle: async () => {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}

export type Offered =
  | { readonly kind: 'taken'; readonly taken: Taken | undefined }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'stopped' };

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/** Offers an event until the engine took it or refused it for good; trouble that passes is waited for. */
export async function offer(
  event: InboundEvent,
  accept: Accept,
  deps: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<Offered> {
  for (let waitMs = FIRST_WAIT_MS; !deps.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return { kind: 'taken', taken: await accept(event) };
    } catch (error) {
      if (!isPassing(error)) return refused(error, event, deps.log);
      await deps.clock.sleep(error.retryAfterMs ?? waitMs, deps.signal);
    }
  }
  return { kind: 'stopped' };
}

function isPassing(error: unknown): error is AppError {
  return error instanceof AppError && (error.kind === 'unavailable' || error.kind === 'exhausted');
}

function refused(error: unknown, event: InboundEvent, log: Logger): Offered {
  log.warn(
    { room: 'discord', event: event.externalId, error: nameOf(error) },
    'An event from Discord was refused for good.',
  );
  const message =
    error instanceof AppError ? error.message : 'Something broke inside. The log has the details.';
  return { kind: 'refused', message };
}

/** What may stand in a log of an error that came from anywhere: no message, which may quote an address with a token in it. */
export function nameOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
