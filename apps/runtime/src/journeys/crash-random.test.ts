import { seededRandom } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Act, EFFECT_ACTS, WORK_ACTS } from './crash-acts.fixture.ts';
import { Attempt, type CrashWorld, newCrashWorld } from './crash-world.fixture.ts';

/** `CRASH_KILLS=<number>` makes it shorter or longer. */
const KILLS = Number(process.env.CRASH_KILLS ?? (process.env.SOAK === '1' ? 1_000 : 50));
/** `CRASH_SEED=<seed>` chooses the same acts and the same moments again. */
const SEED = Number(
  process.env.CRASH_SEED ?? (process.env.SOAK === '1' ? Date.now() % 1_000_000_000 : 20_261_130),
);
/** Acts at the same time. */
const AT_ONCE = 4;
/** Rounds in one world; a longer life costs more in each look at all of it. */
const ROUNDS_PER_WORLD = 50;
/** A round reaches more points than this, and takes longer than this, ms. */
const MAX_POINT = 80;
const MAX_DELAY_MS = 400;

const LOAD: readonly Act[] = [
  WORK_ACTS.chat,
  WORK_ACTS.tools,
  WORK_ACTS.failure,
  WORK_ACTS.steer,
  EFFECT_ACTS['approved post'],
  EFFECT_ACTS['post of several messages'],
  EFFECT_ACTS['approved write'],
  EFFECT_ACTS.deny,
  EFFECT_ACTS.withdraw,
  EFFECT_ACTS.edit,
].filter((act) => act !== undefined);

describe('kill -9 anywhere under load', { timeout: 60_000 + 20_000 * KILLS }, () => {
  let world: CrashWorld;
  const random = seededRandom(SEED);
  const below = (limit: number): number => Math.floor(random() * limit);
  let atPoints = 0;
  beforeAll(async () => {
    world = await newCrashWorld();
  }, 60_000);
  afterAll(() => world.remove());

  interface Moment {
    /** The so-manieth point that is reached, or else after so many ms from outside. */
    readonly point: number | undefined;
    readonly delayMs: number;
  }

  async function die(work: Promise<unknown>, { point, delayMs }: Moment): Promise<void> {
    const { runtime } = world;
    if (point === undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
    else await Promise.race([work, runtime.ended()]);
    if (world.isUp()) await runtime.kill();
    else atPoints += 1;
    await work;
  }

  test(`${KILLS} times (seed ${SEED}): the invariants hold`, async () => {
    for (let round = 0; round < KILLS; round += 1) {
      if (round > 0 && round % ROUNDS_PER_WORLD === 0) {
        await world.remove();
        world = await newCrashWorld();
      }
      const acts = Array.from({ length: AT_ONCE }, (_, at) => ({
        act: LOAD[below(LOAD.length)] ?? LOAD[0],
        n: 1 + round * AT_ONCE + at,
      }));
      const run = (isRepeat: boolean): Promise<void>[] =>
        acts.map(async ({ act, n }) => act?.(new Attempt(world, n, isRepeat)));
      const isInside = random() < 0.5;
      const moment = { point: isInside ? 1 + below(MAX_POINT) : undefined, delayMs: below(MAX_DELAY_MS) };
      if (isInside) world.arm(`*#${moment.point}`);
      await die(Promise.allSettled(run(false)), moment);
      await world.restart();
      const repeated = await Promise.allSettled(run(true));
      const troubles = repeated.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
      const how = `CRASH_SEED=${SEED}, round ${round + 1}: ${JSON.stringify(moment)}, ${world.reached().findLast((point) => point.startsWith('killed ')) ?? ''}`;
      expect([...troubles, ...(await world.check())], how).toEqual([]);
    }
    console.info(`random kills: ${KILLS} (${atPoints} at points, the others from outside), seed ${SEED}`);
  });
});
