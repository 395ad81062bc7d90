import { type AppError, toAppError } from '@agent-runtime/domain';
import { useEffect, useRef, useState } from 'react';
import type { AdminClient } from '../client/client.ts';
import { useApp, useSession } from './context.ts';

/** Topics of the live feed. */
export type Topic = 'approvals' | 'effects' | 'runs' | 'health';

/** What was read, or why it could not be. The last value stays while it is read again. */
export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: AppError | undefined;
  readonly isLoading: boolean;
  reload(): void;
}

/** After an event the list is read again, and then not at once once more. */
const CALM_MS = 500;

/**
 * Reads from the server, again after events of `topics` and after a fresh connection.
 * @param key what is read; another key forgets the last value
 * @param load undefined: nothing is read
 */
export function useLoad<T>(
  key: string,
  load: ((client: AdminClient) => Promise<T>) | undefined,
  topics: readonly Topic[] = [],
): Loaded<T> {
  const { services, clock } = useApp();
  const version = useSession((state) =>
    ['all', ...topics].reduce((sum, topic) => sum + (state.versions[topic] ?? 0), 0),
  );
  const [asked, setAsked] = useState(0);
  const [got, setGot] = useState<{ key: string; value?: T; error?: AppError } | undefined>(undefined);
  const latest = useRef(load);
  latest.current = load;
  const lastAtMs = useRef<number | undefined>(undefined);
  const [isLoading, setLoading] = useState(false);
  const isOn = load !== undefined;

  // `version` and `asked` are reasons to read again, not values that are read.
  useEffect(() => {
    if (!isOn) return undefined;
    const stop = new AbortController();
    const since = lastAtMs.current === undefined ? CALM_MS : clock.nowMs() - lastAtMs.current;
    const read = async (): Promise<void> => {
      if (since < CALM_MS) await clock.sleep(CALM_MS - since, stop.signal);
      if (stop.signal.aborted) return;
      setLoading(true);
      const result = await settle(async () => latest.current?.(await services.connect()));
      lastAtMs.current = clock.nowMs();
      if (stop.signal.aborted) return;
      setLoading(false);
      setGot((before) => ({
        key,
        ...(result.error === undefined
          ? { value: result.value as T } // safe: undefined only without load, and then we do not come here
          : {
              ...(before?.key === key && before.value !== undefined ? { value: before.value } : {}),
              error: result.error,
            }),
      }));
    };
    void read();
    return () => stop.abort();
  }, [key, version, asked, isOn]);

  const isOurs = got?.key === key;
  return {
    value: isOurs ? got.value : undefined,
    error: isOurs ? got.error : undefined,
    isLoading: isLoading || (isOn && !isOurs),
    reload: () => {
      lastAtMs.current = undefined;
      setAsked((count) => count + 1);
    },
  };
}

async function settle<T>(work: () => Promise<T>): Promise<{ readonly value?: T; readonly error?: AppError }> {
  try {
    return { value: await work() };
  } catch (thrown) {
    return { error: toAppError(thrown, 'this screen') };
  }
}
