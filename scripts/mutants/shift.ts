// node scripts/mutants/shift.ts, with MUTANTS_PLAN: one worker that measures suites or judges mutants, in memory only.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startVitest } from 'vitest/node';
import type { Plan } from './plan.ts';

const file = process.env.MUTANTS_PLAN;
if (file === undefined) throw new Error('MUTANTS_PLAN names no file');
// safe: scripts/mutants.ts has just written it.
const plan = JSON.parse(readFileSync(file, 'utf8')) as Plan;
const here = join(plan.root, 'scripts/mutants');

// Whoever began this worker may be killed while a mutant loops for ever in the inner one, which then hears no message: SIGKILL to both.
process.stdin.once('close', () => process.kill(-process.pid, 'SIGKILL')).resume();

const vitest = await startVitest(
  'test',
  [],
  {
    config: false,
    root: plan.root,
    watch: false,
    // The cache is keyed by the file on disk: it would hand out the mutants of another run.
    fsModuleCache: false,
    include: ['scripts/mutants/entry.ts'],
    runner: join(here, 'runner.ts'),
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    reporters: [],
    disableConsoleIntercept: false,
    silent: true,
    hookTimeout: 10_000,
    teardownTimeout: 1_000,
  },
  {
    plugins: [
      {
        name: 'woven',
        enforce: 'pre',
        load(id: string) {
          const woven = plan.woven[id];
          return woven === undefined ? undefined : readFileSync(woven, 'utf8');
        },
      },
    ],
  },
);
await vitest.close();
process.exit(0);
