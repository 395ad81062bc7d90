import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Suites of minutes, longest first: one of them begun last would keep one core busy alone.
const LONGEST = [
  'journeys/crash-points.test.ts',
  'src/simulation.test.ts',
  'journeys/crash-random.test.ts',
  'journeys/caddy.test.ts',
];

/** A fresh clone knows no durations; Vitest would start with the largest files. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
