import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

type Tally = { passed: number; failed: number; skipped: number };

/**
 * Prints `N passed, N failed, N skipped` as the very last line of a run, for scripts that read only that line.
 * A file that cannot be loaded and an error outside any test count as one failure each.
 */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const line = closingLine(tally(modules, unhandledErrors.length));
    // Other reporters still write after this hook; at exit nobody does.
    process.once('exit', () => writeSync(process.stdout.fd, `${line}\n`));
  }
}

/** Counts tests by outcome; `brokenCount` errors that belong to no test are added to the failed ones. */
export function tally(modules: readonly TestModule[], brokenCount: number): Tally {
  const counts: Tally = { passed: 0, failed: brokenCount, skipped: 0 };
  for (const module of modules) {
    let hasFailedTest = false;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') counts.passed += 1;
      else if (state === 'failed') counts.failed += 1;
      else counts.skipped += 1;
      hasFailedTest ||= state === 'failed';
    }
    // The file itself or a hook of a suite failed, and no test shows it.
    if (module.state() === 'failed' && !hasFailedTest) counts.failed += 1;
  }
  return counts;
}

/** The line itself; numbers are integers >= 0. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
