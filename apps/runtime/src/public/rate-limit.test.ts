import { AppError } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { rateLimit } from './rate-limit.ts';

function refusal(act: () => void): AppError | undefined {
  try {
    act();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}

describe('rate limit', () => {
  test('as many at once as per minute, then one for each part of the minute', () => {
    const limit = rateLimit(60);
    for (let n = 0; n < 60; n += 1) limit.take('a', 0);
    expect(refusal(() => limit.take('a', 0))).toMatchObject({ kind: 'exhausted', retryAfterMs: 1_000 });
    limit.take('a', 1_000);
    expect(refusal(() => limit.take('a', 1_000))).toBeDefined();
  });

  test('a full minute of rest gives no more than a minute’s worth', () => {
    const limit = rateLimit(2);
    limit.take('a', 0);
    limit.take('a', 10 * 60_000);
    limit.take('a', 10 * 60_000);
    expect(refusal(() => limit.take('a', 10 * 60_000))).toBeDefined();
  });

  test('0 lets nothing through', () => {
    expect(refusal(() => rateLimit(0).take('a', 0))?.kind).toBe('exhausted');
  });

  test('a clock that goes back gives nothing away', () => {
    const limit = rateLimit(1);
    limit.take('a', 60_000);
    expect(refusal(() => limit.take('a', 0))).toBeDefined();
  });

  test('ten thousand strangers do not make room for one who has used up its share', () => {
    const limit = rateLimit(1);
    for (let n = 0; n < 9_999; n += 1) limit.take(`full-${n}`, 0);
    limit.take('spent', 59_000);
    for (let n = 0; n < 5_000; n += 1) limit.take(`late-${n}`, 60_000);
    expect(refusal(() => limit.take('spent', 60_000))).toBeDefined();
  });
});
