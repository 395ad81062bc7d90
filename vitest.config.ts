import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    include: ['packages/**/src/**/*.test.ts', 'apps/**/src/**/*.test.ts', 'scripts/house/*.test.ts'],
    testTimeout: 10_000,
    hookTimeout: 10_000,
  },
});
