import { makeLabel } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { playTwin, type Transcript, type TwinInput, VARIANTS } from './foe-twins.fixture.ts';

const IS_SOAK = process.env.SOAK === '1';
/** `FOE_SEED=<n>` plays that one pair of each variant again. */
const ONLY = process.env.FOE_SEED;
const PAIRS = IS_SOAK ? 60 : 6;
const OPERATIONS = 9;
const SALTS = ['canaryaone', 'canarybother'] as const;

/** Two houses of one seed that differ in nothing but what the observers may not see. */
async function playPair(pair: Omit<TwinInput, 'salt' | 'operations'>): Promise<readonly Transcript[]> {
  const twins: Transcript[] = [];
  for (const salt of SALTS) twins.push(await playTwin({ ...pair, salt, operations: OPERATIONS }));
  return twins;
}

describe('T2: what an observer gets does not depend on what is not theirs', {
  timeout: IS_SOAK ? 7_200_000 : 1_200_000,
}, () => {
  test.each(VARIANTS)(
    'two histories equal but for another %s give the same bytes on every sink',
    async (variant) => {
      const seeds = ONLY === undefined ? Array.from({ length: PAIRS }, (_, n) => n + 1) : [Number(ONLY)];
      let compared = 0;
      for (const seed of seeds) {
        const [one, other] = await playPair({ seed, variant });
        expect(one?.lines, `replay with FOE_SEED=${seed}`).toEqual(other?.lines);
        for (const line of one?.lines ?? []) expect(line).not.toMatch(/canarya|canaryb/);
        compared += one?.lines.length ?? 0;
      }
      console.info(
        `T2 ${variant}: seeds ${seeds[0]}..${seeds.at(-1)}, ${seeds.length * OPERATIONS} operations in each twin, ${compared} outputs compared, 0 differences`,
      );
      expect(compared).toBeGreaterThan(seeds.length * OPERATIONS * 2);
    },
  );

  test('a planted leak is found', async () => {
    let differences = 0;
    for (let seed = 1; seed <= 10 && differences === 0; seed += 1) {
      const [one, other] = await playPair({
        seed,
        variant: 'context',
        wrapFiles: (files) => ({
          ...files,
          read: async (workspace, path) => ({ ...(await files.read(workspace, path)), label: makeLabel(2) }),
        }),
      });
      if (JSON.stringify(one?.lines) !== JSON.stringify(other?.lines)) differences += 1;
    }
    expect(differences).toBe(1);
  });
});
