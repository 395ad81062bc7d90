import type { Clock } from '@agent-runtime/domain';

export interface TimeSource {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
}

/** The real clock over the time source that main.ts hands in. Sleeping timers keep nobody alive after a drain. */
export function systemClock(time: TimeSource): Clock {
  return {
    nowMs: () => Math.floor(time.wallMs()),
    monotonicMs: time.monotonicMs,
    sleep: (ms, signal) =>
      new Promise<void>((resolve) => {
        if (signal?.aborted === true) return resolve();
        const done = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        // Node caps a timer at 2^31-1 ms; who sleeps looks at the clock again anyway.
        const timer = setTimeout(done, Math.min(Math.max(0, ms), 2_147_483_647));
        timer.unref();
        signal?.addEventListener('abort', done, { once: true });
      }),
  };
}
