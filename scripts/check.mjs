// `npm run check`: types, format and lint, house rules. Runs all three so that one look shows everything.
import { spawnSync } from 'node:child_process';
import { root } from './setup.mjs';

const checks = [
  ['types', ['node_modules/typescript/bin/tsc', '-b']],
  ['format and lint', ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings']],
  ['house rules', ['node_modules/vitest/vitest.mjs', 'run', 'scripts/house']],
];

const failed = checks.filter(([name, args]) => {
  process.stdout.write(`\n== ${name}\n`);
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status !== 0;
});

const verdict = failed.length === 0 ? 'passed' : `failed: ${failed.map(([name]) => name).join(', ')}`;
process.stdout.write(`\ncheck ${verdict}\n`);
process.exit(failed.length === 0 ? 0 : 1);
