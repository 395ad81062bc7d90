import { AppError, type Effect, type Receipt, type Reconciled } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { Performer } from './performer.ts';

type EffectError = NonNullable<Effect['error']>;

/** What is known after one try of one part. */
export type PartOutcome =
  | { readonly kind: 'accepted'; readonly receipt: Receipt }
  /** Nothing happened outside, for certain. */
  | { readonly kind: 'nothing'; readonly error: EffectError; readonly retryAfterMs?: number | undefined }
  /** A lasting no; nothing happened outside. */
  | { readonly kind: 'refused'; readonly error: EffectError }
  /** Nobody knows. */
  | { readonly kind: 'lost'; readonly error: EffectError };

/** One try: a part of an effect with the means and the limits. */
export interface Try {
  readonly effect: Effect;
  readonly part: number;
  readonly performer: Performer;
  readonly signal: AbortSignal;
}

/**
 * Delivers one part. A timeout or an abort is a lost outcome, at once: what the connector says later is not waited for.
 * @throws never
 */
export async function deliverPart(
  deps: Pick<EngineDeps, 'clock' | 'config'>,
  one: Try,
): Promise<PartOutcome> {
  const { effect, part, performer } = one;
  return limited<PartOutcome>(deps, one.signal, {
    work: async (signal) => {
      try {
        return { kind: 'accepted', receipt: await performer.deliver(effect, part, signal) };
      } catch (thrown) {
        return classify(thrown);
      }
    },
    late: (why) => ({ kind: 'lost', error: why }),
  });
}

/**
 * Asks outside what became of one part.
 * @returns `unknown` when nobody can tell, also on any error or timeout
 */
export async function reconcilePart(
  deps: Pick<EngineDeps, 'clock' | 'config'>,
  one: Try,
): Promise<Reconciled> {
  const { effect, part, performer } = one;
  return limited<Reconciled>(deps, one.signal, {
    work: async (signal) => {
      try {
        return await performer.reconcile(effect, part, signal);
      } catch {
        return { kind: 'unknown' };
      }
    },
    late: () => ({ kind: 'unknown' }),
  });
}

interface Limited<T> {
  readonly work: (signal: AbortSignal) => Promise<T>;
  readonly late: (why: EffectError) => T;
}

async function limited<T>(
  deps: Pick<EngineDeps, 'clock' | 'config'>,
  signal: AbortSignal,
  how: Limited<T>,
): Promise<T> {
  const stop = new AbortController();
  const timer = new AbortController();
  const timeout = deps.clock
    .sleep(deps.config.deliverTimeoutMs, timer.signal)
    .then(() => how.late(TIMED_OUT));
  const aborted = whenAborted(signal, timer.signal).then(() => how.late(STOPPED));
  try {
    return await Promise.race([how.work(AbortSignal.any([signal, stop.signal])), timeout, aborted]);
  } finally {
    stop.abort('over');
    timer.abort('over');
  }
}

const TIMED_OUT: EffectError = {
  code: 'settle.deliver.uncertain',
  kind: 'uncertain',
  message: 'No answer came in time.',
};
const STOPPED: EffectError = {
  code: 'settle.stop.uncertain',
  kind: 'uncertain',
  message: 'It was stopped on its way.',
};

function whenAborted(signal: AbortSignal, done: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
  });
}

/** Only the kinds that promise "nothing happened" are believed; anything else may have left. */
function classify(thrown: unknown): PartOutcome {
  if (!(thrown instanceof AppError)) {
    return {
      kind: 'lost',
      error: {
        code: 'settle.deliver.uncertain',
        kind: 'uncertain',
        message: 'The connector broke on the way.',
      },
    };
  }
  const error: EffectError = { code: thrown.code, kind: thrown.kind, message: thrown.message };
  switch (thrown.kind) {
    case 'unavailable':
    case 'exhausted':
      return { kind: 'nothing', error, retryAfterMs: thrown.retryAfterMs };
    case 'rejected':
      return { kind: 'refused', error };
    default:
      return { kind: 'lost', error };
  }
}
