import { createHash } from 'node:crypto';
import type { Clock } from '@agent-runtime/domain';
import { type CallMatcher, type DiscordCall, isMatch } from './call.ts';

/** A limit of some routes: so many calls per window and major id (channel, guild, webhook). */
export interface RateLimit extends Pick<CallMatcher, 'method' | 'route'> {
  readonly limit: number;
  readonly windowMs: number;
}

/** What a caller is told about its limits. */
export interface RateVerdict {
  readonly headers: Readonly<Record<string, string>>;
  /** Set: the call is refused, for so long. */
  readonly refusedForMs?: number;
  readonly isGlobal?: boolean;
}

export interface RateLimits {
  add(limit: RateLimit): void;
  /** Of all calls together, except those of interactions. */
  setGlobal(limit: number, windowMs: number): void;
  clear(): void;
  admit(call: DiscordCall): RateVerdict;
  /** Somebody was told to wait (also by a fault). */
  noteWait(call: DiscordCall, waitMs: number, isGlobal: boolean): void;
  /** Calls made although the wait that was asked for was not over. */
  readonly tooEarly: readonly DiscordCall[];
}

interface Window {
  resetAtMs: number;
  used: number;
}

export function rateLimits(clock: Clock): RateLimits {
  const limits: RateLimit[] = [];
  const windows = new Map<string, Window>();
  const waits = new Map<string, number>();
  const tooEarly: DiscordCall[] = [];
  let globally: { readonly limit: number; readonly windowMs: number } | undefined;

  const count = (key: string, limit: number, windowMs: number): Window & { readonly isOver: boolean } => {
    const now = clock.monotonicMs();
    const known = windows.get(key);
    const window =
      known === undefined || known.resetAtMs <= now ? { resetAtMs: now + windowMs, used: 0 } : known;
    windows.set(key, window);
    const isOver = window.used >= limit;
    if (!isOver) window.used += 1;
    return { ...window, isOver };
  };
  const isWaiting = (key: string): boolean => (waits.get(key) ?? 0) > clock.monotonicMs();

  return {
    tooEarly,
    add: (limit) => void limits.push(limit),
    setGlobal: (limit, windowMs) => {
      globally = { limit, windowMs };
    },
    clear: () => {
      limits.splice(0);
      globally = undefined;
      windows.clear();
    },
    noteWait: (call, waitMs, isGlobal) => {
      waits.set(isGlobal ? GLOBAL : bucketOf(call), clock.monotonicMs() + waitMs);
    },
    admit: (call) => {
      const isInteraction = call.route.startsWith('/interactions/');
      if (isWaiting(bucketOf(call)) || (isWaiting(GLOBAL) && !isInteraction)) tooEarly.push(call);
      if (globally !== undefined && !isInteraction) {
        const all = count(GLOBAL, globally.limit, globally.windowMs);
        if (all.isOver) {
          return { headers: {}, refusedForMs: all.resetAtMs - clock.monotonicMs(), isGlobal: true };
        }
      }
      const rule = limits.find((limit) => isMatch(limit, call));
      if (rule === undefined) return { headers: {} };
      const window = count(bucketOf(call), rule.limit, rule.windowMs);
      const leftMs = window.resetAtMs - clock.monotonicMs();
      const headers = {
        'x-ratelimit-bucket': bucketName(call),
        'x-ratelimit-limit': String(rule.limit),
        'x-ratelimit-remaining': String(Math.max(0, rule.limit - window.used)),
        'x-ratelimit-reset': ((clock.nowMs() + leftMs) / 1000).toFixed(3),
        'x-ratelimit-reset-after': (leftMs / 1000).toFixed(3),
      };
      return window.isOver ? { headers, refusedForMs: leftMs } : { headers };
    },
  };
}

const GLOBAL = 'global';

/** Limits count by route and by the major id in it. */
export function bucketOf(call: DiscordCall): string {
  const { channel_id, guild_id, webhook_id } = call.params;
  return `${call.method} ${call.route} ${String(channel_id ?? guild_id ?? webhook_id ?? '')}`;
}

/** An opaque name that does not tell the major id, as on the real platform. */
function bucketName(call: DiscordCall): string {
  return createHash('sha256').update(`${call.method} ${call.route}`).digest('hex').slice(0, 32);
}
