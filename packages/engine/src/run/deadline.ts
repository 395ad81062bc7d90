import { AppError, type WorkContext } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { RunPlace } from './session.ts';

/** Reason with which it aborts. */
export const DEADLINE = 'deadline';

/** The whole run, queueing not counted, has a time limit; it counts from its first start, also over restarts. */
export function startDeadline(
  deps: EngineDeps,
  work: WorkContext,
  place: RunPlace,
): { readonly signal: AbortSignal; stop(): void } {
  const limit = new AbortController();
  const timer = new AbortController();
  const endsAt = (place.run.startedAt ?? deps.clock.nowMs()) + place.settings.queue.runDeadlineMs;
  void deps.clock.sleep(Math.max(0, endsAt - deps.clock.nowMs()), timer.signal).then(() => {
    if (!timer.signal.aborted) limit.abort(DEADLINE);
  });
  return { signal: AbortSignal.any([work.signal, limit.signal]), stop: () => timer.abort('over') };
}

export function deadlineError(place: RunPlace): AppError {
  const minutes = Math.round(place.settings.queue.runDeadlineMs / 60_000);
  return new AppError({
    code: 'run.deadline.exhausted',
    kind: 'exhausted',
    message: `Stopped after ${minutes} min, the limit for one run here.`,
  });
}
