import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTheatre, shrink, type Theatre } from './simulation.fixture.ts';
import type { Played } from './simulation-history.fixture.ts';
import { movesOf } from './simulation-moves.fixture.ts';

const IS_SOAK = process.env.SOAK === '1';
/** `SIM_SEED=7` plays that one history and prints its trace; `SIM_FIRST` and `SIM_COUNT` choose other seeds. */
const ONE = process.env.SIM_SEED === undefined ? undefined : Number(process.env.SIM_SEED);
const FIRST = ONE ?? Number(process.env.SIM_FIRST ?? 1);
const COUNT = ONE === undefined ? Number(process.env.SIM_COUNT ?? (IS_SOAK ? 8_000 : 800)) : 1;

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

async function explain(seed: number, played: Played): Promise<string> {
  const moves = await shrink(theatre, seed, movesOf(seed));
  const { faults } = await theatre.play(seed, moves);
  return [
    `seed ${seed}: ${played.faults.slice(0, 5).join('; ')}`,
    `after leaving out moves: ${faults.slice(0, 5).join('; ')}`,
    ...moves.map(({ move, turns }) => `  ${JSON.stringify(move)} then ${turns ?? 'all'} turns`),
    `replay: SIM_SEED=${seed} npm test -- packages/engine/src/simulation.test.ts`,
  ].join('\n');
}

describe('the whole engine under schedules drawn from a seed', { timeout: 3_600_000 }, () => {
  test(`${COUNT} histories from seed ${FIRST}`, async () => {
    const sums = { runs: 0, answers: 0, asked: 0, executed: 0, deaths: 0 };
    const points = new Set<string>();
    const before = process.cpuUsage();
    for (let seed = FIRST; seed < FIRST + COUNT; seed += 1) {
      const played = await theatre.play(seed, movesOf(seed));
      if (ONE !== undefined) console.info(played.trace.join('\n'));
      if (played.faults.length > 0) expect.fail(await explain(seed, played));
      for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += played.counts[key]; // safe: its own keys
      for (const point of played.points) points.add(point);
    }
    const { user, system } = process.cpuUsage(before);
    const cost = `${points.size} points, ${Math.round((user + system) / 1e6)} CPU-seconds`;
    // Histories in which nobody dies, asks or answers would prove nothing.
    if (COUNT >= 100) {
      expect(sums.deaths).toBeGreaterThan(COUNT);
      expect(sums.answers).toBeGreaterThan(COUNT);
      expect(sums.executed).toBeGreaterThan(COUNT / 50);
      for (const point of [
        'commit.after:effect.perform',
        'perform.after:message.post',
        'commit.after:run.step',
      ])
        expect(points).toContain(point);
    }
    console.info(`simulation: seeds ${FIRST} to ${FIRST + COUNT - 1}, ${JSON.stringify(sums)}, ${cost}`);
  });

  test('the same seed gives the same history, bit for bit', async () => {
    for (let seed = FIRST; seed < FIRST + Math.min(COUNT, IS_SOAK ? 100 : 20); seed += 1) {
      const [one, other] = [await theatre.play(seed, movesOf(seed)), await theatre.play(seed, movesOf(seed))];
      // The lines first: they say where two plays part.
      expect(other.trace).toEqual(one.trace);
      expect(other.digest).toBe(one.digest);
    }
  });
});
