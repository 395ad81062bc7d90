import { AppError } from '@agent-runtime/domain';

/** Token buckets by key: `perMinute` on average, that many at once; memory is bounded by forgetting full buckets. */
export interface RateLimit {
  /** @throws AppError public.rate.exhausted with retryAfterMs */
  take(key: string, nowMs: number): void;
}

const MAX_KEYS = 10_000;

export function rateLimit(perMinute: number): RateLimit {
  const buckets = new Map<string, { level: number; at: number }>();
  const refilled = (bucket: { level: number; at: number }, nowMs: number): number =>
    Math.min(perMinute, bucket.level + (Math.max(0, nowMs - bucket.at) * perMinute) / 60_000);
  return {
    take(key, nowMs) {
      const bucket = buckets.get(key) ?? { level: perMinute, at: nowMs };
      const level = refilled(bucket, nowMs);
      if (level < 1) {
        const retryAfterMs = Math.ceil(((1 - level) * 60_000) / Math.max(1, perMinute));
        throw new AppError({
          code: 'public.rate.exhausted',
          kind: 'exhausted',
          message: `Too many requests. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
          retryAfterMs,
        });
      }
      if (buckets.size >= MAX_KEYS) {
        for (const [old, state] of buckets) if (refilled(state, nowMs) >= perMinute) buckets.delete(old);
        const oldest = buckets.keys().next();
        if (buckets.size >= MAX_KEYS && oldest.value !== undefined) buckets.delete(oldest.value);
      }
      buckets.delete(key);
      buckets.set(key, { level: level - 1, at: nowMs });
    },
  };
}
