import type { Clock, Logger } from '@agent-runtime/domain';

/** Something that is done again and again until it is stopped. */
export interface Loop {
  /** Ends after the round that is running; the last round is awaited. */
  stop(): Promise<void>;
}

/**
 * Repeats `act` with a pause in between. A round that fails is logged and tried again at the next one.
 * @param everyMs pause between rounds
 */
export function repeat(
  deps: { readonly clock: Clock; readonly log: Logger },
  name: string,
  everyMs: number,
  act: () => Promise<unknown>,
): Loop {
  const stopping = new AbortController();
  const rounds = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await deps.clock.sleep(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await act();
      } catch (thrown) {
        deps.log.error({ room: 'runtime', error: thrown }, `${name} failed and is tried again`);
      }
    }
  };
  const running = rounds();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
