import type { Clock } from '@agent-runtime/domain';

/** Limits the real server is known for. Each is off when left out. */
export interface RateRules {
  /** Messages to one chat. The real one is about 1. */
  readonly perChatPerSecond?: number;
  /** Messages to one group. The real one is about 20. */
  readonly perGroupPerMinute?: number;
  /** Messages in all. The real one is about 30. */
  readonly perSecond?: number;
}

interface Window {
  readonly key: string;
  readonly limit: number;
  readonly spanMs: number;
}

/** Counts messages in sliding windows. */
export class Rates {
  readonly #clock: Clock;
  readonly #rules: RateRules;
  readonly #sent = new Map<string, number[]>();

  constructor(clock: Clock, rules: RateRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  /** Counts a message. @returns the seconds to wait, and where, when it is one too many; then it does not count */
  take(chatId: number): { readonly seconds: number; readonly isGlobal: boolean } | undefined {
    const now = this.#clock.monotonicMs();
    const windows = this.#windows(chatId);
    for (const window of windows) {
      const times = this.#inside(window, now);
      const oldest = times[times.length - window.limit];
      if (oldest === undefined) continue;
      return { seconds: (oldest + window.spanMs - now) / 1000, isGlobal: window.key === 'all' };
    }
    for (const { key } of windows) this.#sent.get(key)?.push(now);
    return undefined;
  }

  #windows(chatId: number): readonly Window[] {
    const { perChatPerSecond, perGroupPerMinute, perSecond } = this.#rules;
    const windows: Window[] = [];
    if (perSecond !== undefined) windows.push({ key: 'all', limit: perSecond, spanMs: 1000 });
    if (perChatPerSecond !== undefined) {
      windows.push({ key: `chat ${chatId}`, limit: perChatPerSecond, spanMs: 1000 });
    }
    if (perGroupPerMinute !== undefined && chatId < 0) {
      windows.push({ key: `group ${chatId}`, limit: perGroupPerMinute, spanMs: 60_000 });
    }
    return windows;
  }

  #inside({ key, spanMs }: Window, now: number): number[] {
    const times = (this.#sent.get(key) ?? []).filter((at) => at > now - spanMs);
    this.#sent.set(key, times);
    return times;
  }
}
