import { appendFileSync, readFileSync } from 'node:fs';
import { type RunnerTask, type RunnerTestFile, type SerializedConfig, TestRunner, vi } from 'vitest';
import { startTests } from 'vitest/internal/browser';
import type { Line, Measured, MutantSwitch, Plan, Task } from './plan.ts';

/** A test that takes longer does not judge, and what hangs this long is dead. */
const TEST_TIMEOUT_MS = 5_000;
const MAX_TEST_MS = 2_500;

interface Modules {
  readonly idToModuleMap: Map<
    string,
    { promise?: unknown; exports?: unknown; evaluated?: boolean; importers: Set<string> }
  >;
  readonly fileToModulesMap: Map<string, Set<unknown>>;
  invalidateModule(module: unknown): void;
}

const file = process.env.MUTANTS_PLAN;
if (file === undefined)
  throw new Error('MUTANTS_PLAN names no file: this runner is started by scripts/mutants.ts');
// safe: scripts/mutants.ts has just written it.
const plan = JSON.parse(readFileSync(file, 'utf8')) as Plan;
const mutants: MutantSwitch = { a: 0, h: new Uint8Array(100_000) };
Object.assign(globalThis, { __mutants: mutants });

function say(line: Line): void {
  appendFileSync(plan.out, `${JSON.stringify(line)}\n`);
}

type Traces = Parameters<TestRunner['__setTraces']>[0];
/** What vitest hands to the runner it made; ours need it too. */
let kept: Traces | undefined;

/** Runs chosen tests of one suite at a time, and stops at the first that fails. */
class SuiteRunner extends TestRunner {
  failed: { readonly id: string; readonly name: string; readonly error: string } | undefined;
  /** Called after each test and, with no test, after a suite is loaded. */
  onReached: ((test: RunnerTask | undefined) => void) | undefined;

  async onCollected(): Promise<void> {
    this.onReached?.(undefined);
  }

  override async onBeforeRunTask(test: RunnerTask): Promise<void> {
    await super.onBeforeRunTask(test);
    if (this.failed !== undefined) test.mode = 'skip';
  }

  override onAfterRunTask(test: RunnerTask): void {
    super.onAfterRunTask(test);
    if (test.result?.state === 'fail')
      this.failed ??= { id: test.id, name: test.name, error: test.result.errors?.[0]?.message ?? '' };
    this.onReached?.(test);
  }
}

/** Measures suites and judges mutants once the worker is up. */
// biome-ignore lint/style/noDefaultExport: vitest takes a runner by its default export.
export default class MutantRunner extends TestRunner {
  override __setTraces(traces: Traces): void {
    super.__setTraces(traces);
    kept = traces;
  }

  override async onAfterRunFiles(files: RunnerTestFile[]): Promise<void> {
    super.onAfterRunFiles(files);
    for (const suite of plan.suites) await measure(this.config, moduleRunnerOf(this), suite);
    if (plan.tasks.length > 0) await judgeAll(this.config, moduleRunnerOf(this));
    say({ kind: 'finished' });
  }
}

// safe: vitest puts it on every runner before the first file (resolveTestRunner).
function moduleRunnerOf(runner: TestRunner): object {
  return (runner as unknown as { moduleRunner: object }).moduleRunner;
}

function modules(): Modules {
  // safe: vitest's own state of this worker, as its `vi.resetModules` uses it.
  return (globalThis as unknown as { __vitest_worker__: { evaluatedModules: Modules } }).__vitest_worker__
    .evaluatedModules;
}

/** Loads one suite afresh, over modules that are loaded already, and runs the tests with these ids; all without ids. */
async function run(
  config: SerializedConfig,
  moduleRunner: object,
  suite: string,
  testIds?: string[],
  onReached?: SuiteRunner['onReached'],
): Promise<SuiteRunner['failed']> {
  const runner = new SuiteRunner({
    ...config,
    testTimeout: mutants.a === 0 ? 60_000 : TEST_TIMEOUT_MS,
    passWithNoTests: true,
  });
  Object.defineProperty(runner, 'moduleRunner', { value: moduleRunner });
  if (kept !== undefined) runner.__setTraces(kept);
  runner.onReached = onReached;
  const known = modules();
  for (const module of known.fileToModulesMap.get(suite) ?? []) known.invalidateModule(module);
  const files = await startTests(
    [testIds === undefined ? { filepath: suite } : { filepath: suite, testIds }],
    runner,
  );
  vi.useRealTimers();
  vi.restoreAllMocks();
  const broken = files.find(({ result }) => result?.state === 'fail');
  return (
    runner.failed ??
    (broken && { id: '', name: 'the file itself', error: broken.result?.errors?.[0]?.message ?? '' })
  );
}

async function measure(config: SerializedConfig, moduleRunner: object, suite: string): Promise<void> {
  mutants.h.fill(0);
  const failed = await run(config, moduleRunner, suite, undefined, (test) => {
    const sites: number[] = [];
    for (let at = mutants.h.indexOf(1); at >= 0; at = mutants.h.indexOf(1, at + 1)) sites.push(at);
    mutants.h.fill(0);
    const seen: Measured = {
      suite,
      id: test?.id,
      name: test?.name ?? '',
      ms: test?.result?.duration ?? 0,
      sites,
    };
    say({ kind: 'measured', test: seen });
  });
  if (failed !== undefined) say({ kind: 'broken', suite, name: failed.name, error: failed.error });
}

async function judgeAll(config: SerializedConfig, moduleRunner: object): Promise<void> {
  const tests = plan.measured
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
    .filter((line) => line.startsWith('{"kind":"measured"'))
    // safe: lines of our own kind, written by `say`.
    .map((line) => (JSON.parse(line) as Extract<Line, { kind: 'measured' }>).test);
  const kills = new Map<string, number>();
  for (const task of plan.tasks) {
    say({ kind: 'begun', number: task.number });
    // What is reached while files load is made once: only fresh modules show it.
    const isFresh =
      task.isStatic || tests.some(({ id, sites }) => id === undefined && sites.includes(task.site));
    const chosen = choose(
      tests.filter(({ suite }) => meets(task, suite)),
      task,
      kills,
      isFresh,
    );
    let verdict: 'killed' | 'survived' | 'unreached' = chosen.length === 0 ? 'unreached' : 'survived';
    let by = '';
    if (isFresh) resetModules();
    mutants.a = task.number;
    for (const { suite, ids } of chosen) {
      const failed = await run(config, moduleRunner, suite, ids, () => say({ kind: 'alive' }));
      if (failed === undefined) continue;
      // No mutant takes a file away: somebody changed the tree, and nothing can be said any more.
      if (/^(Cannot find module|Failed to load)/.test(failed.error)) {
        say({ kind: 'broken', suite, name: failed.name, error: failed.error });
        process.exit(1);
      }
      verdict = 'killed';
      by = `${suite.slice(plan.root.length + 1)}: ${failed.name}: ${failed.error}`;
      for (const killer of [suite, failed.id])
        kills.set(`${task.path} ${killer}`, (kills.get(`${task.path} ${killer}`) ?? 0) + 1);
      break;
    }
    mutants.a = 0;
    if (isFresh) resetModules();
    say({ kind: 'judged', number: task.number, verdict, by });
  }
}

interface Chosen {
  readonly suite: string;
  readonly ids: string[] | undefined;
}

function meets(task: Task, suite: string): boolean {
  const path = suite.slice(plan.root.length + 1);
  return path.startsWith(task.below) && !(task.met !== undefined && path.startsWith(task.met));
}

/** Tests of one suite that are tried before all others, because they killed before in this file. */
const MAX_FAVOURITES = 4;

/**
 * The suites that reach a mutant, with the tests that do; first its own, then those beside it, then those that killed before, then
 * the quick. Before all of them the few tests that killed most in this file.
 */
function choose(
  tests: readonly Measured[],
  task: Task,
  kills: ReadonlyMap<string, number>,
  isFresh: boolean,
): readonly Chosen[] {
  const bySuite = new Map<string, { ids: Set<string>; ms: number; isWhole: boolean }>();
  for (const test of tests) {
    if (!isFresh && !test.sites.includes(task.site)) continue;
    const entry = bySuite.get(test.suite) ?? { ids: new Set(), ms: 0, isWhole: false };
    bySuite.set(test.suite, entry);
    if (isFresh) entry.isWhole = true;
    else if (test.id !== undefined && test.ms <= MAX_TEST_MS) entry.ids.add(test.id);
    entry.ms += test.ms;
  }
  const folder = task.path.slice(0, task.path.lastIndexOf('/') + 1);
  const pack = `${task.path.split('/').slice(0, 2).join('/')}/`;
  const own = `${task.path.slice(0, -'.ts'.length)}.test.ts`;
  const far = (suite: string): number =>
    // Nothing of these is the farthest.
    [own, folder, pack].findIndex((near) => suite.startsWith(`${plan.root}/${near}`)) + 1 || 4;
  const killed = (killer: string): number => kills.get(`${task.path} ${killer}`) ?? 0;
  const sorted = [...bySuite]
    .sort(([a, x], [b, y]) => far(a) - far(b) || killed(b) - killed(a) || x.ms - y.ms)
    .map(([suite, { ids, isWhole }]) => ({ suite, ids: isWhole ? undefined : [...ids] }));
  return first(
    task.most,
    sorted.flatMap(({ suite, ids = [] }) => favourites(suite, ids, killed)).concat(sorted),
  );
}

/** So many tests from the front; a whole suite is never cut. */
function first(most: number | undefined, chosen: readonly Chosen[]): readonly Chosen[] {
  let left = most ?? Number.POSITIVE_INFINITY;
  return chosen.flatMap(({ suite, ids }) => {
    const some = ids?.slice(0, Math.max(0, left));
    left -= some?.length ?? 0;
    return some?.length === 0 ? [] : [{ suite, ids: some }];
  });
}

/** As tests run in the order of their file, a few are picked out: the whole suite would begin with others. */
function favourites(
  suite: string,
  ids: readonly string[],
  killed: (killer: string) => number,
): readonly Chosen[] {
  const best = ids
    .filter((id) => killed(id) > 0)
    .sort((a, b) => killed(b) - killed(a))
    .slice(0, MAX_FAVOURITES);
  return best.length > 0 && best.length < ids.length ? [{ suite, ids: best }] : [];
}

/** Forgets all evaluated modules of the project, so that constants are made anew. */
function resetModules(): void {
  for (const [path, node] of modules().idToModuleMap) {
    if (/\/node_modules\/|\/vitest\/dist\/|^mock:|\/scripts\/mutants\//.test(path)) continue;
    node.promise = undefined;
    node.exports = undefined;
    node.evaluated = false;
    node.importers.clear();
  }
}
