import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome, type Running } from './journey.fixture.ts';
import { isLogWhole } from './promises.fixture.ts';

const ROUNDS = process.env.SOAK === '1' ? 50 : 4;

describe('two runtimes on one data folder', { timeout: 120_000 + ROUNDS * 30_000 }, () => {
  let home: Home;
  let runtime: Running;
  beforeAll(async () => {
    home = newHome();
    runtime = await home.start();
  }, 120_000);
  afterAll(() => home.remove());

  const secondIsRefused = async (): Promise<void> => {
    const second = await home.runtime(['up']);
    expect({ code: second.code, err: second.err }).toMatchObject({
      code: 6,
      err: expect.stringContaining(`in use by another runtime (process ${runtime.pid})`),
    });
    expect(second.err).toContain('Stop that one first');
  };

  test('the second one is refused and says who is there; the first goes on', async () => {
    await secondIsRefused();
    expect((await home.ask('ping')).status).toBe('succeeded');
  });

  test('also while the first one is stopped and answers nothing; woken, it goes on', async () => {
    process.kill(runtime.pid, 'SIGSTOP');
    try {
      await secondIsRefused();
    } finally {
      process.kill(runtime.pid, 'SIGCONT');
    }
    expect((await home.ask('ping')).status).toBe('succeeded');
  });

  test('killed with kill -9, also while it is stopped, the first one leaves no lock behind', async () => {
    process.kill(runtime.pid, 'SIGSTOP');
    await runtime.kill();
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('ping')).status).toBe('succeeded');
    expect(await isLogWhole(home)).toBe(true);
    await runtime.stop();
  });

  test(`of two at the same instant exactly one starts, ${ROUNDS} times`, async () => {
    const refusals: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const both = await Promise.allSettled([1, 2].map(() => home.start({}, ['up', '--json'])));
      const winners = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      for (const one of both) if (one.status === 'rejected') refusals.push(String(one.reason));
      // Killed: the next pair also meets what a dead process left.
      await Promise.all(winners.map((winner) => winner.kill()));
      expect(winners).toHaveLength(1);
    }
    expect(refusals).toHaveLength(ROUNDS);
    for (const refusal of refusals) expect(refusal).toContain('in use by another runtime');
    runtime = await home.start({}, ['up', '--json']);
    expect(await isLogWhole(home)).toBe(true);
    await runtime.stop();
  });
});
