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

interface Got<T> {
  readonly key: string;
  readonly value?: T;
  readonly error?: AppError;
}

/** What is being read just now, and when the last read ended. */
interface Reading {
  key: string | undefined;
  isDirty: boolean;
  /** What was read last: key, and the count of fresh beginnings. Only the same thing once more is calmed. */
  ended: { readonly atMs: number; readonly key: string; readonly fresh: number } | undefined;
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
  const fresh = useSession((state) => state.versions.all ?? 0);
  const version = useSession((state) => topics.reduce((sum, topic) => sum + (state.versions[topic] ?? 0), 0));
  const [asked, setAsked] = useState(0);
  const [got, setGot] = useState<Got<T> | undefined>(undefined);
  const latest = useRef({ key, load });
  latest.current = { key, load };
  const line = useRef<Reading>({ key: undefined, isDirty: false, ended: undefined });
  const isOn = load !== undefined;

  // `fresh`, `version` and `asked` are reasons to read again, not values that are read.
  useEffect(() => {
    if (!isOn) return undefined;
    const stop = new AbortController();
    const read = async (): Promise<void> => {
      const reading = line.current;
      // A read that is under way is never thrown away for a newer event, or a busy house would show nothing: it is read again after it.
      if (reading.key === key) {
        reading.isDirty = true;
        return;
      }
      const pauseMs = pauseOf(reading.ended, { key, fresh, nowMs: clock.nowMs() });
      if (pauseMs > 0) await clock.sleep(pauseMs, stop.signal);
      if (stop.signal.aborted) return;
      reading.key = key;
      const result = await settle(async () => latest.current.load?.(await services.connect()));
      reading.key = undefined;
      reading.ended = { atMs: clock.nowMs(), key, fresh };
      if (latest.current.key !== key) return;
      setGot((before) => gotAfter(before, key, result));
      if (!reading.isDirty) return;
      reading.isDirty = false;
      setAsked((count) => count + 1);
    };
    void read();
    return () => stop.abort();
  }, [key, fresh, version, asked, isOn]);

  const isOurs = got?.key === key;
  return {
    value: isOurs ? got.value : undefined,
    error: isOurs ? got.error : undefined,
    isLoading: isOn && !isOurs,
    reload: () => {
      line.current.ended = undefined;
      setAsked((count) => count + 1);
    },
  };
}

/** Events make us read after a pause; another key, a reconnect and a person's own deed at once. */
function pauseOf(
  ended: Reading['ended'],
  now: { readonly key: string; readonly fresh: number; readonly nowMs: number },
): number {
  if (ended === undefined || ended.key !== now.key || ended.fresh !== now.fresh) return 0;
  return CALM_MS - (now.nowMs - ended.atMs);
}

async function settle<T>(work: () => Promise<T>): Promise<{ readonly value?: T; readonly error?: AppError }> {
  try {
    return { value: await work() };
  } catch (thrown) {
    return { error: toAppError(thrown, 'this screen') };
  }
}

/** A failed read keeps the last value beside the error. */
function gotAfter<T>(
  before: Got<T> | undefined,
  key: string,
  result: { readonly value?: T | undefined; readonly error?: AppError },
): Got<T> {
  if (result.error === undefined) return { key, value: result.value as T }; // safe: undefined only without `load`, and then nothing is read
  const kept = before?.key === key && before.value !== undefined ? { value: before.value } : {};
  return { key, ...kept, error: result.error };
}
