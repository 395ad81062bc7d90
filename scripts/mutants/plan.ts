/** What one worker is told to do; the file's name stands in `MUTANTS_PLAN`. Paths are absolute. */
export interface Plan {
  readonly root: string;
  /** Source file -> file with its woven text. */
  readonly woven: Readonly<Record<string, string>>;
  /** Suites to measure: each test's time and the sites it reaches. */
  readonly suites: readonly string[];
  /** Mutants to judge; needs what was measured before. */
  readonly tasks: readonly Task[];
  readonly measured: readonly string[];
  /** Lines of JSON, one `Line` each, are appended here. */
  readonly out: string;
}

export interface Task {
  readonly number: number;
  readonly site: number;
  readonly path: string;
  readonly isStatic: boolean;
  /** The folder whose suites it meets now, and the one whose suites it has met. */
  readonly below: string;
  readonly met: string | undefined;
  /** It meets no more tests than these, the likeliest first; all of them when absent. */
  readonly most?: number | undefined;
}

/** One test with what it costs and where it comes by; no `id`: what loading the file itself reaches. */
export interface Measured {
  readonly suite: string;
  readonly id: string | undefined;
  readonly name: string;
  readonly ms: number;
  readonly sites: readonly number[];
}

export type Line =
  | { readonly kind: 'measured'; readonly test: Measured }
  | { readonly kind: 'broken'; readonly suite: string; readonly name: string; readonly error: string }
  | { readonly kind: 'begun'; readonly number: number }
  /** A sign of life after each test. */
  | { readonly kind: 'alive' }
  | {
      readonly kind: 'judged';
      readonly number: number;
      readonly verdict: 'killed' | 'survived' | 'unreached';
      readonly by: string;
    }
  | { readonly kind: 'finished' };

/** The switch that woven files read. */
export interface MutantSwitch {
  /** Number of the mutant that is on; 0: none. */
  a: number;
  /** 1 at the index of each site that was reached. */
  readonly h: Uint8Array;
}
