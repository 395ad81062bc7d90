import { spawnSync } from 'node:child_process';
import { AppError, parseId } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { Crash, crashPoints } from './crash.ts';
import { seededIds } from './ids.ts';
import { memoryLiveFeed } from './live.ts';
import { recordingLogger, recordingMetrics } from './log.ts';
import { memoryPanic } from './panic.ts';

describe('seededIds', () => {
  test('are valid, unique, in order of making, and the same for the same seed', () => {
    const ids = seededIds(7);
    const made = Array.from({ length: 200 }, () => ids.make('task'));
    for (const id of made) expect(parseId('task', id)).toBe(id);
    expect(new Set(made).size).toBe(200);
    expect([...made].sort()).toEqual(made);
    expect(seededIds(7).make('task')).toBe(made[0]);
    expect(seededIds(8).make('task')).not.toBe(made[0]);
    expect(parseId('run', ids.make('run'))).toMatch(/^run_/);
  });

  test('secrets are URL-safe, long enough and different', () => {
    const ids = seededIds();
    const [first, second] = [ids.secret(128), ids.secret(128)];
    expect(first).toMatch(/^[A-Za-z0-9_-]{22,}$/);
    expect(first).not.toBe(second);
  });
});

describe('crashPoints', () => {
  test('throwAt dies at the n-th visit and stays dead', () => {
    const points = crashPoints.throwAt('commit.after:*', 2);
    points.reach('commit.after:task.create');
    points.reach('perform.before:post');
    expect(() => points.reach('commit.after:run.start')).toThrow(Crash);
    expect(() => points.reach('perform.after:post')).toThrow('crashed at perform.after:post');
    expect(points.hasCrashed).toBe(true);
  });

  test('record and none never die', () => {
    const points = crashPoints.record();
    for (const name of ['a', 'b', 'a']) points.reach(name);
    expect(points.reached).toEqual(['a', 'b', 'a']);
    crashPoints.none().reach('a');
    crashPoints.fromEnv({}).reach('a');
  });

  test('fromEnv kills a child process, and nothing runs after it', () => {
    const script = `import { crashPoints } from ${JSON.stringify(new URL('./crash.ts', import.meta.url).href)};
      const points = crashPoints.fromEnv(process.env);
      points.reach('here'); console.log('once'); points.reach('here'); console.log('twice');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { TESTKIT_CRASH_AT: 'here#2' },
      encoding: 'utf8',
    });
    expect([child.signal, child.stdout]).toEqual(['SIGKILL', 'once\n']);
  });
});

test('a live feed reaches the listeners of its topic, past one that throws', () => {
  const feed = memoryLiveFeed();
  const seen: string[] = [];
  feed.subscribe('run', () => {
    throw new Error('mine');
  });
  const leave = feed.subscribe('run', (event) => seen.push(event.kind));
  feed.publish({ topic: 'run', kind: 'step', data: {} });
  feed.publish({ topic: 'other', kind: 'step', data: {} });
  leave();
  feed.publish({ topic: 'run', kind: 'late', data: {} });
  expect(seen).toEqual(['step']);
  expect(feed.events).toHaveLength(3);
  expect(feed.listeners).toBe(1);
});

test('a logger keeps the lines of its children with their fields', () => {
  const log = recordingLogger();
  log.child({ run_id: 'run_1' }).child({ room: 'run' }).warn({ left: 2 }, 'slow');
  expect(log.lines).toEqual([
    { level: 'warn', fields: { run_id: 'run_1', room: 'run', left: 2 }, message: 'slow' },
  ]);
  log.error({ cause: new Error('canary-1') }, 'broke');
  expect(log.dump()).toContain('canary-1');
});

test('metrics add up', () => {
  const metrics = recordingMetrics();
  metrics.count('calls', { kind: 'a' });
  metrics.count('calls', { kind: 'b' }, 2);
  metrics.gauge('open', 3);
  expect([metrics.total('calls'), metrics.total('none'), metrics.gauges.get('open')]).toEqual([3, 0, 3]);
});

test('panic turns on always, and off only when that can be kept', () => {
  const panic = memoryPanic();
  panic.setPersistable(false);
  panic.turnOn('user_1', 5);
  expect(panic.state()).toEqual({ isOn: true, by: 'user_1', atMs: 5 });
  expect(() => panic.turnOff('user_1', 6)).toThrow(AppError);
  expect(panic.isOn()).toBe(true);
  panic.setPersistable(true);
  panic.turnOff('user_1', 7);
  expect(panic.isOn()).toBe(false);
});
