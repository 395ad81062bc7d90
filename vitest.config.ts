import { defineConfig } from 'vitest/config';
import { ClaimsReporter } from './scripts/claims/reporter.ts';
import { ClosingLineReporter } from './scripts/closing-line-reporter.ts';
import { LongestFirst } from './scripts/longest-first.ts';

// `npm run soak` repeats the same suites with full counts; they read the same variable.
const isSoak = process.env.SOAK === '1';

export default defineConfig({
  test: {
    pool: 'forks',
    // One more than the cores that it must do with: suites that wait for processes leave theirs to others.
    maxWorkers: 3,
    include: [
      'packages/**/src/**/*.test.ts',
      'apps/**/src/**/*.test.ts',
      'apps/**/src/**/*.test.tsx',
      'scripts/**/*.test.ts',
    ],
    // A suite that needs more says so itself: describe(name, { timeout: ms }, ...).
    testTimeout: isSoak ? 600_000 : 10_000,
    hookTimeout: isSoak ? 60_000 : 10_000,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new ClosingLineReporter(), new ClaimsReporter()],
  },
});
