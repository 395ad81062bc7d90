import { writeSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';
import { root } from '../house/source.ts';
import { readPage } from './check.ts';
import { type Claim, means, type Page } from './page.ts';

/** One claim that this run did not prove. An `excused` one was skipped by a test that says why: it is told and fails nothing. */
export interface Unproved {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
  readonly isExcused: boolean;
}

/**
 * After a full run: every test that docs/security-claims.md names was collected, ran and passed, or the run fails. A part of the
 * suite (a filter of files or names, a shard, an interrupted run) proves only a part and is not judged.
 */
export class ClaimsReporter implements Reporter {
  readonly #read: () => Page;
  #vitest: Vitest | undefined;

  constructor(read: () => Page = readPage) {
    this.#read = read;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], _errors: readonly unknown[], reason: string): void {
    if (this.#vitest === undefined || reason === 'interrupted' || isPart(this.#vitest)) return;
    const { claims } = this.#read();
    const unproved = claims.flatMap((claim) => judge(claim, modules, this.#vitest?.config.root ?? root));
    const lines = unproved.map(
      ({ line, text, reason: why }) => `claim not proved: ${text} (line ${line}): ${why}\n`,
    );
    if (unproved.some(({ isExcused }) => !isExcused)) process.exitCode = 1;
    lines.push(`${claims.length} claims, ${unproved.length} not proved\n`);
    // Before the closing line, which stays the last; other reporters still write after this hook.
    process.prependOnceListener('exit', () => writeSync(process.stdout.fd, lines.join('')));
  }
}

function isPart(vitest: Vitest): boolean {
  const { testNamePattern, shard, changed, related } = vitest.config;
  // safe: the words of the command line; internal to vitest, and its absence is told by the test of this reporter.
  const { filenamePattern = [] } = vitest as unknown as { filenamePattern?: readonly string[] };
  return (
    filenamePattern.length > 0 ||
    testNamePattern !== undefined ||
    shard !== undefined ||
    Boolean(changed) ||
    (related?.length ?? 0) > 0
  );
}

/** What this run leaves open of one claim. */
export function judge(claim: Claim, modules: readonly TestModule[], base: string): readonly Unproved[] {
  return claim.tests.flatMap(({ file, title }) => {
    const open = (reason: string, isExcused = false): readonly Unproved[] => [
      {
        line: claim.line,
        text: claim.text,
        reason: `${file}${title === undefined ? '' : `: ${title}`} ${reason}`,
        isExcused,
      },
    ];
    const module = modules.find(({ moduleId }) => moduleId === `${base.replace(/\/$/, '')}/${file}`);
    if (module === undefined) return open('did not run');
    const tests = [...module.children.allTests()].filter(
      (test) => title === undefined || isNamed(test, title),
    );
    if (tests.length === 0) return open('is no test of that file');
    const results = tests.map((test) => test.result());
    if (results.some(({ state }) => state === 'failed') || module.state() === 'failed') return open('failed');
    const skipped = tests.filter((test) => test.result().state !== 'passed');
    if (skipped.length === 0) return [];
    const whys = skipped.map(whyOf);
    const why = whys.find((one) => one !== undefined);
    if (whys.includes(undefined) || why === undefined) return open('was skipped and does not say why');
    // Tests that need a tool may be missing, each with its reason.
    return open(`was skipped: ${why}`, true);
  });
}

/** The title is one of the test or of a group around it. */
function isNamed(test: TestCase, title: string): boolean {
  let at: TestCase | TestSuite | TestModule = test;
  while (at.type !== 'module') {
    if (means(title, at.name)) return true;
    at = at.parent;
  }
  return false;
}

/** From `ctx.skip(reason)`, or from `skipped: <why>` in the name of the test or of a group around it. */
function whyOf(test: TestCase): string | undefined {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined && result.note !== '') return result.note;
  let at: TestCase | TestSuite | TestModule = test;
  while (at.type !== 'module') {
    const [, why] = /skipped: (.+)/.exec(at.name) ?? [];
    if (why !== undefined) return why;
    at = at.parent;
  }
  return undefined;
}
