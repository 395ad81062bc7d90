import type { Clock } from '@agent-runtime/domain';
import { type Refusal, type RefusalParameters, tooManyRequests } from './refusal.ts';
import { type ChatRef, chatIdOf } from './wire.ts';

/** What goes wrong with a call. */
export type Fault =
  /**
   * 429. Until `retryAfterSeconds` have passed, calls for the same chat get it too and count as too early;
   * without a chat those of the same method, when it is global all.
   */
  | { readonly kind: 'too-many'; readonly retryAfterSeconds: number; readonly isGlobal?: boolean }
  /** An error of a proxy in front: a page, no JSON. Not processed. */
  | { readonly kind: 'server-error'; readonly status?: number }
  /** Never answered. Not processed. */
  | { readonly kind: 'hang' }
  /** Processed, never answered. */
  | { readonly kind: 'hang-after' }
  /** The line breaks. Not processed. */
  | { readonly kind: 'drop-before' }
  /** Processed, then the line breaks. */
  | { readonly kind: 'drop-after' }
  /** Any refusal of the server. Not processed. */
  | {
      readonly kind: 'refuse';
      readonly status?: number;
      readonly description: string;
      readonly parameters?: RefusalParameters;
    }
  /** Processed after this time of the server's clock. */
  | { readonly kind: 'slow'; readonly ms: number };

/** A fault and the calls it is for. */
export type FaultRule = Fault & {
  /** As the spec spells it; `file` for downloads. Default: every method. */
  readonly method?: string;
  readonly chat?: ChatRef;
  /** Matching calls that go well before. Default 0. */
  readonly after?: number;
  /** How often it strikes. Default 1. */
  readonly times?: number;
};

export interface FaultedCall {
  readonly method: string;
  readonly chatId: unknown;
}

interface ActiveRule {
  readonly rule: FaultRule;
  skip: number;
  left: number;
}

/** A timer may fire this much before its time, by another measure of time than ours. */
const TIMER_SLACK_MS = 2;

/** Planned faults, and the calls that may not come before their time. */
export class Faults {
  readonly #clock: Clock;
  readonly #rules: ActiveRule[] = [];
  readonly #waits = new Map<string, number>();
  #tooEarly = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls that came although a 429 told them to wait. */
  get tooEarly(): number {
    return this.#tooEarly;
  }

  /** Rules that have not struck to their end. */
  get left(): number {
    return this.#rules.length;
  }

  /** @returns takes the fault away again */
  add(rule: FaultRule): () => void {
    const active: ActiveRule = { rule, skip: rule.after ?? 0, left: rule.times ?? 1 };
    this.#rules.push(active);
    return () => this.#drop(active);
  }

  /** Takes all faults away; times to wait stay. */
  clear(): void {
    this.#rules.length = 0;
  }

  /** The fault that strikes this call; uses it up. */
  take(call: FaultedCall): Fault | undefined {
    for (const active of this.#rules) {
      if (!matches(active.rule, call)) continue;
      if (active.skip > 0) {
        active.skip -= 1;
        continue;
      }
      active.left -= 1;
      if (active.left <= 0) this.#drop(active);
      return active.rule;
    }
    return undefined;
  }

  /** From now on calls of this scope get 429 for so long. */
  wait(scope: string, seconds: number): Refusal {
    const refusal = tooManyRequests(seconds);
    const retryAfter = refusal.parameters?.retry_after ?? 0;
    this.#waits.set(scope, this.#clock.monotonicMs() + retryAfter * 1000);
    return refusal;
  }

  /** The refusal of a call that should have waited. */
  early(call: FaultedCall): Refusal | undefined {
    if (this.#waits.size === 0) return undefined;
    const now = this.#clock.monotonicMs();
    for (const scope of scopesOf(call)) {
      const until = this.#waits.get(scope);
      if (until === undefined) continue;
      if (until - now <= TIMER_SLACK_MS) {
        this.#waits.delete(scope);
        continue;
      }
      this.#tooEarly += 1;
      return tooManyRequests((until - now) / 1000);
    }
    return undefined;
  }

  #drop(active: ActiveRule): void {
    const at = this.#rules.indexOf(active);
    if (at >= 0) this.#rules.splice(at, 1);
  }
}

/** Where a 429 holds: everywhere, or in the chat of the call, or for its method when it has no chat. */
export function scopeOf(call: FaultedCall, isGlobal: boolean): string {
  if (isGlobal) return 'all';
  return call.chatId === undefined ? `method ${call.method}` : `chat ${call.chatId}`;
}

function scopesOf(call: FaultedCall): readonly string[] {
  return ['all', scopeOf(call, false)];
}

function matches({ method, chat }: FaultRule, call: FaultedCall): boolean {
  if (method !== undefined && method !== call.method) return false;
  return chat === undefined || String(chatIdOf(chat)) === String(call.chatId);
}
