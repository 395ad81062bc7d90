import type { Clock, LiveFrame, LiveTalk } from '@agent-runtime/domain';

/** One sign of life as people saw it; `complete`: the answer itself took the place of its live message · `cut`: one that hung was given up. */
export type MemorySign = { readonly atMs: number } & (
  | { readonly kind: 'typing' | 'cut'; readonly address: string }
  | ({ readonly kind: 'show' } & LiveFrame)
  | { readonly kind: 'drop' | 'complete'; readonly address: string; readonly key: string }
);

/** What a platform does with the next sign: it never answers, or breaks its promise and throws. */
export type SignFault = 'hang' | 'throw';

/** A platform on which answers can be watched while they are made. */
export interface MemoryLive {
  readonly live: LiveTalk;
  /** Oldest first. */
  readonly signs: readonly MemorySign[];
  /** The next signs of this kind go wrong; each is recorded all the same. */
  breakNext(kind: 'typing' | 'show' | 'drop', fault: SignFault, times?: number): void;
  /** The answer of this key was delivered. */
  complete(address: string, key: string): void;
}

/** @param everyMs least time between two frames of one key */
export function memoryLive(clock: Pick<Clock, 'nowMs'>, everyMs: number): MemoryLive {
  const signs: MemorySign[] = [];
  const faults: { readonly kind: string; readonly fault: SignFault }[] = [];
  const happen = async (sign: MemorySign, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    signs.push(sign);
    const index = faults.findIndex(({ kind }) => kind === sign.kind);
    const [broken] = index < 0 ? [] : faults.splice(index, 1);
    if (broken?.fault === 'throw') throw new Error(`${sign.kind} broke`);
    if (broken?.fault !== 'hang') return;
    const { address } = sign;
    signal.addEventListener('abort', () => signs.push({ kind: 'cut', address, atMs: clock.nowMs() }), {
      once: true,
    });
    await new Promise<never>(() => {});
  };
  return {
    live: {
      everyMs,
      typing: (address, signal) => happen({ kind: 'typing', address, atMs: clock.nowMs() }, signal),
      show: (frame, signal) => happen({ kind: 'show', ...frame, atMs: clock.nowMs() }, signal),
      drop: (address, key, signal) => happen({ kind: 'drop', address, key, atMs: clock.nowMs() }, signal),
    },
    signs,
    breakNext: (kind, fault, times = 1) => {
      for (let time = 0; time < times; time += 1) faults.push({ kind, fault });
    },
    complete: (address, key) => void signs.push({ kind: 'complete', address, key, atMs: clock.nowMs() }),
  };
}
