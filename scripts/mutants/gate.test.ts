import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../house/source.ts';

const IS_SOAK = process.env.SOAK === '1';
/** The rest of the engine is for `npm run mutants`: its suites cost more than the sample does. */
const ROOMS = ['domain/src/', 'engine/src/approval/', 'engine/src/gate/', 'engine/src/panic/'].map(
  (place) => `packages/${place}`,
);
const SAMPLE = IS_SOAK ? 300 : 60;

test(`${SAMPLE} rules of the domain and of approval, gate and panic, each broken once, are noticed`, {
  timeout: 3_600_000,
}, () => {
  const words = [join(root, 'scripts/mutants.ts'), '--near', '--sample', String(SAMPLE), ...ROOMS];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  // The last line says counts and seed; MUTANTS_SEED=<seed> tries the same sample again.
  console.info(stdout.trimEnd().split('\n').at(-1));
  expect({ status, told: status === 0 ? '' : `${stdout}\n${stderr}` }).toEqual({ status: 0, told: '' });
});

test('the gate fails on a mutant that lives and is not justified', { timeout: 3_600_000 }, () => {
  // Removes nothing that a test could see: the same value is assigned again (label.ts `join`). Justified by nobody under this page.
  const words = [join(root, 'scripts/mutants.ts'), '--room', '--id', '48ba5db411', '--no-excuses'];
  const { status, stdout } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  expect(stdout).toContain('48ba5db411 packages/domain/src/label/label.ts');
  expect(status).toBe(1);
});
