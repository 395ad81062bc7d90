import { AppError, makeRedactor, parseId } from '@agent-runtime/domain';
import { manualClock } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { systemIds } from './ids.ts';
import { systemLiveFeed } from './live-feed.ts';
import { systemLogger } from './logger.ts';
import { systemMetrics } from './metrics.ts';

describe('clock', () => {
  const clock = systemClock({ wallMs: () => 1_700_000_000_000.9, monotonicMs: () => 5.5 });

  test('wall time is whole milliseconds', () => {
    expect(clock.nowMs()).toBe(1_700_000_000_000);
    expect(clock.monotonicMs()).toBe(5.5);
  });

  test('a sleep ends at once when its signal aborts, before or while it sleeps', async () => {
    await clock.sleep(60_000, AbortSignal.abort());
    const stop = new AbortController();
    const slept = clock.sleep(60_000, stop.signal);
    stop.abort();
    await slept;
  });

  test('a sleep ends by itself', async () => {
    await clock.sleep(1);
  });
});

describe('ids', () => {
  const bytes = (size: number): Uint8Array => new Uint8Array(size).map((_, index) => index * 37);

  test('they are ids of the domain and sort by time', async () => {
    const clock = manualClock();
    const ids = systemIds(clock, bytes);
    const first = ids.make('run');
    await clock.advance(1);
    const second = ids.make('run');
    expect(parseId('run', first)).toBe(first);
    expect(first < second).toBe(true);
    expect(parseId('effect', ids.make('effect'))).toMatch(/^efct_/);
  });

  test('a secret has at least the bits that were asked for', () => {
    const ids = systemIds(manualClock(), bytes);
    expect(Buffer.from(ids.secret(129), 'base64url').length * 8).toBeGreaterThanOrEqual(129);
  });

  test('two ids of one millisecond differ by their random part', () => {
    let next = 0;
    const ids = systemIds(manualClock(), (size) => Uint8Array.from({ length: size }, () => next++));
    expect(ids.make('run')).not.toBe(ids.make('run'));
  });
});

describe('live feed', () => {
  test('listeners hear their topic, watchers of * hear all, and both can leave', () => {
    const feed = systemLiveFeed();
    const heard: string[] = [];
    const leave = feed.subscribe('run_a', (event) => void heard.push(`a ${event.kind}`));
    const leaveAll = feed.subscribe('*', (event) => void heard.push(`* ${event.kind}`));
    feed.publish({ topic: 'run_a', kind: 'state', data: {} });
    feed.publish({ topic: 'run_b', kind: 'text', data: {} });
    leave();
    feed.publish({ topic: 'run_a', kind: 'late', data: {} });
    leaveAll();
    feed.publish({ topic: 'run_a', kind: 'later', data: {} });
    expect(heard).toEqual(['a state', '* state', '* text', '* late']);
  });

  test('a listener that throws is dropped and hurts nobody', () => {
    const feed = systemLiveFeed();
    let calls = 0;
    const heard: string[] = [];
    feed.subscribe('t', () => {
      calls += 1;
      throw new Error('broken stream');
    });
    feed.subscribe('t', (event) => void heard.push(event.kind));
    feed.publish({ topic: 't', kind: 'one', data: {} });
    feed.publish({ topic: 't', kind: 'two', data: {} });
    expect(heard).toEqual(['one', 'two']);
    expect(calls).toBe(1);
  });
});

describe('logger', () => {
  const canary = 'canary-secret-9f2c';
  const redactor = makeRedactor(() => [canary]);
  const lines = (format: 'json' | 'pretty', level: 'debug' | 'warn' = 'debug') => {
    const out: string[] = [];
    return { out, log: systemLogger({ level, format }, redactor, { write: (line) => out.push(line) }) };
  };

  test('JSON lines carry level, time, fields of the child and the message', () => {
    const { out, log } = lines('json');
    log.child({ room: 'run', run_id: 'run_1' }).info({ step: 2 }, 'step done');
    expect(JSON.parse(out[0] ?? '')).toMatchObject({
      level: 'info',
      room: 'run',
      run_id: 'run_1',
      step: 2,
      msg: 'step done',
    });
  });

  test('no secret passes: message, field, nested field, child field, error, its detail, cause and stack', () => {
    const { out, log } = lines('json');
    const cause = new Error(`cause ${canary}`);
    const error = new AppError({
      code: 'runtime.config.invalid',
      kind: 'invalid',
      message: `message ${canary}`,
      detail: { inner: [`detail ${canary}`] },
      cause,
    });
    const child = log.child({ who: canary });
    for (const write of [child.debug, child.info, child.warn, child.error]) {
      write({ text: canary, nested: { deep: [canary] }, error, plain: new Error(canary) }, `says ${canary}`);
    }
    expect(out).toHaveLength(4);
    expect(out.join('')).not.toContain(canary);
    expect(out.join('')).toContain('runtime.config.invalid');
    expect(out.join('')).toContain('detail [redacted]');
  });

  test('people get one readable line', () => {
    const { out, log } = lines('pretty');
    log.warn({ room: 'run', count: 3 }, 'slow');
    expect(out[0]).toMatch(/^\d\d:\d\d:\d\d warn {2}slow {2}room=run count=3\n$/);
  });

  test('lines below the level are not written', () => {
    const { out, log } = lines('json', 'warn');
    log.info({}, 'quiet');
    expect(out).toEqual([]);
  });
});

describe('metrics', () => {
  test('counters, gauges and durations come out as Prometheus text', async () => {
    const { metrics, text } = systemMetrics();
    metrics.count('runs_total', { state: 'succeeded' });
    metrics.count('runs_total', { state: 'succeeded' }, 2);
    metrics.gauge('queue_depth', 4);
    metrics.observe('step_ms', 12, { kind: 'llm' });
    const output = await text();
    expect(output).toContain('agent_runtime_runs_total{state="succeeded"} 3');
    expect(output).toContain('agent_runtime_queue_depth 4');
    expect(output).toContain('agent_runtime_step_ms_count{kind="llm"} 1');
    expect(output).toContain('agent_runtime_process_cpu_seconds_total');
  });

  test('a measurement that does not fit is counted and breaks nothing', async () => {
    const { metrics, text } = systemMetrics();
    metrics.count('runs_total', { state: 'failed' });
    metrics.count('runs_total', { another: 'label' });
    metrics.gauge('no good name', 1);
    metrics.count('runs_total', { state: 'failed' }, -1);
    const output = await text();
    expect(output).toContain('agent_runtime_runs_total{state="failed"} 1');
    expect(output).toContain('agent_runtime_metrics_dropped_total 3');
  });
});
