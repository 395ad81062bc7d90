import { type CallMatcher, type DiscordCall, isMatch } from './call.ts';

/** What goes wrong with a call. */
export type FaultKind =
  /** 429 with `retry_after`; nothing is processed. */
  | {
      readonly kind: 'too-many';
      readonly retryAfterS?: number;
      readonly scope?: 'user' | 'global' | 'shared';
    }
  /** 5xx; `isProcessed`: the call had its effect all the same. */
  | { readonly kind: 'server-error'; readonly status?: number; readonly isProcessed?: boolean }
  /** Any refusal, e.g. 403 with code 50013. */
  | { readonly kind: 'refusal'; readonly status: number; readonly code: number; readonly message?: string }
  /** No answer until the server closes; `isProcessed`: the call had its effect. */
  | { readonly kind: 'hang'; readonly isProcessed?: boolean }
  /** The line ends before anything is processed. */
  | { readonly kind: 'drop-before' }
  /** The call has its effect, then the line ends without an answer. */
  | { readonly kind: 'drop-after' }
  /** The line is reset as soon as the request is known; nothing is processed. */
  | { readonly kind: 'refuse' }
  /** Processed so much later, ms of the emulator's clock. */
  | { readonly kind: 'slow'; readonly delayMs: number };

export type Fault = FaultKind &
  CallMatcher & {
    /** How many calls it meets; default 1. */
    readonly times?: number;
  };

/** Faults that wait for calls. */
export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  /** Faults that have not met all their calls. */
  readonly waiting: number;
  /** The fault for a call, if one waits: the oldest that fits. */
  take(call: DiscordCall): FaultKind | undefined;
}

export function faultList(): Faults {
  const waiting: { readonly fault: Fault; left: number }[] = [];
  return {
    add: (fault) => void waiting.push({ fault, left: fault.times ?? 1 }),
    clear: () => void waiting.splice(0),
    get waiting() {
      return waiting.length;
    },
    take: (call) => {
      const index = waiting.findIndex(({ fault }) => isMatch(fault, call));
      const found = waiting[index];
      if (found === undefined) return undefined;
      found.left -= 1;
      if (found.left <= 0) waiting.splice(index, 1);
      return found.fault;
    },
  };
}
