import { manualClock, recordingLogger } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { repeat } from './loop.ts';

test('rounds go on after a failure, and stopping waits for the last one', async () => {
  const clock = manualClock();
  const log = recordingLogger();
  let rounds = 0;
  let release = (): void => undefined;
  const loop = repeat({ clock, log }, 'signing', 1_000, async () => {
    rounds += 1;
    if (rounds === 1) throw new Error('no space');
    if (rounds === 3) await new Promise<void>((resolve) => (release = resolve));
  });
  await clock.advance(3_000);
  expect(rounds).toBe(3);
  expect(log.dump()).toContain('signing failed and is tried again');
  let isStopped = false;
  const stopped = loop.stop().then(() => {
    isStopped = true;
  });
  await clock.advance(10_000);
  expect(isStopped).toBe(false);
  release();
  await stopped;
  await clock.advance(10_000);
  expect(rounds).toBe(3);
});
