import { AppError, type Clock, type TokenId } from '@agent-runtime/domain';

/** Watches over open streams: each ends soon after its token stops being good. */
export interface StreamGuard {
  /**
   * @param isGood asked again and again while the stream is open
   * @returns a signal that aborts the stream; call `release` when it is closed
   * @throws AppError public.stream.exhausted when the token has too many open
   */
  open(token: TokenId, isGood: () => Promise<boolean>): { readonly signal: AbortSignal; release(): void };
  /** Ends all streams and opens none any more. */
  close(): void;
}

/** How often each open stream is looked at, ms: revocation must show within a second. */
export const GUARD_EVERY_MS = 300;
export const MAX_STREAMS_PER_TOKEN = 50;

interface Guarded {
  readonly token: TokenId;
  readonly isGood: () => Promise<boolean>;
  readonly stop: AbortController;
}

export function streamGuard(clock: Clock): StreamGuard {
  const open = new Set<Guarded>();
  const closing = new AbortController();
  let isWatching = false;
  const watch = async (): Promise<void> => {
    while (open.size > 0 && !closing.signal.aborted) {
      await clock.sleep(GUARD_EVERY_MS, closing.signal);
      await Promise.all([...open].map(check));
    }
    isWatching = false;
  };
  const check = async (stream: Guarded): Promise<void> => {
    // Who cannot be asked about is not good: a stream that ends too early is resumed, one that ends too late has leaked.
    const isGood = await stream.isGood().catch(() => false);
    if (!isGood) stream.stop.abort();
  };
  return {
    open(token, isGood) {
      const mine = [...open].filter((stream) => stream.token === token).length;
      if (mine >= MAX_STREAMS_PER_TOKEN || closing.signal.aborted) throw exhausted();
      const stream: Guarded = { token, isGood, stop: new AbortController() };
      open.add(stream);
      if (!isWatching) {
        isWatching = true;
        void watch();
      }
      return { signal: stream.stop.signal, release: () => void open.delete(stream) };
    },
    close() {
      closing.abort();
      for (const stream of open) stream.stop.abort();
    },
  };
}

/** Ends before the first frame that is made after its token stopped being good: the end of a run may come sooner than the next look. */
export async function* whileGood<T>(
  frames: AsyncGenerator<T, void>,
  isGood: () => Promise<boolean>,
): AsyncGenerator<T, void> {
  for await (const frame of frames) {
    if (!(await isGood().catch(() => false))) return;
    yield frame;
  }
}

function exhausted(): AppError {
  return new AppError({
    code: 'public.stream.exhausted',
    kind: 'exhausted',
    message: `A token may follow ${MAX_STREAMS_PER_TOKEN} runs at once. Close one first.`,
    retryAfterMs: 1_000,
  });
}
