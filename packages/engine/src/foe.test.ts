import { describe, expect, test } from 'vitest';
import { ATTACKS } from './foe-attacks.fixture.ts';
import { type GameResult, playGame } from './foe-game.fixture.ts';

const IS_SOAK = process.env.SOAK === '1';
/** `FOE_SEED=<n>` plays that one game again. */
const ONLY = process.env.FOE_SEED;
const TURNS = 5;
const GAMES = IS_SOAK ? 4_000 : 200;
const BASE = IS_SOAK ? 1_000_000 : 1;

describe('a hostile model that knows the policy', { timeout: IS_SOAK ? 14_400_000 : 1_800_000 }, () => {
  test(`T1 to T4 hold in ${GAMES * TURNS} turns over the real engine, with deaths at any point`, async () => {
    const seeds = ONLY === undefined ? Array.from({ length: GAMES }, (_, n) => BASE + n) : [Number(ONLY)];
    const results: GameResult[] = [];
    for (const seed of seeds) {
      const result = await playGame(seed, TURNS);
      expect(result.faults, `replay with FOE_SEED=${seed}`).toEqual([]);
      results.push(result);
    }
    const sum = totals(results);
    const used = new Set(results.flatMap((result) => [...result.strikes.keys()]));
    console.info(
      `foe: seeds ${seeds[0]}..${seeds.at(-1)}, ${seeds.length * TURNS} trials, ${JSON.stringify(sum)}, ${used.size} attacks, 0 violations`,
    );
    if (ONLY !== undefined) return;
    // Games in which nothing was asked, approved or sent would prove nothing.
    expect([...used].sort()).toEqual(Object.keys(ATTACKS).sort());
    expect(sum.executed).toBeGreaterThan(GAMES / 4);
    expect(sum.answers).toBeGreaterThan(GAMES);
    expect(sum.deaths).toBeGreaterThan(GAMES / 4);
  });
});

function totals(results: readonly GameResult[]): GameResult['counts'] {
  const sum = { runs: 0, asked: 0, approved: 0, executed: 0, answers: 0, deaths: 0 };
  for (const { counts } of results) {
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += counts[key]; // safe: its own keys
  }
  return sum;
}
