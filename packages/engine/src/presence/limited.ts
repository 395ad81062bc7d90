import type { EngineDeps } from '../api.ts';

/**
 * Gives a connector one sign of life to show, and waits for it no longer than it may take. A connector says nothing that counts here: what
 * it throws is written to the log, and what comes later is not heard.
 */
export async function limited(
  deps: Pick<EngineDeps, 'clock' | 'log'>,
  how: { readonly limitMs: number; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (how.signal.aborted) return;
  const over = new AbortController();
  const signal = AbortSignal.any([how.signal, over.signal]);
  try {
    // In the same breath as the look at the signal, or what was stopped meanwhile would still be shown.
    await Promise.race([work(signal), deps.clock.sleep(how.limitMs, signal)]);
  } catch (error) {
    deps.log.warn({ room: 'presence', error }, 'a connector could not show that an answer is being made');
  } finally {
    over.abort('over');
  }
}
