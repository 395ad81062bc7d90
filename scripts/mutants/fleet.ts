import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Line, Plan, Task } from './plan.ts';

/** A worker that says nothing for this long hangs in the mutant it began: after each test it gives a sign, and a test has seconds. */
const SILENCE_MS = 20_000;
/** One that starts or measures tells nothing while a suite loads and while its longest test runs, on a machine that may be busy. */
const LONG_SILENCE_MS = 300_000;
/** A worker keeps what failing tests leave behind; after this many mutants another one begins. */
const TASKS_PER_WORKER = 400;

export type Verdict = Extract<Line, { kind: 'judged' }>;

/** Starts workers one after another, each in a process group of its own, and ends those that hang. */
export class Fleet {
  readonly #root: string;
  readonly #folder: string;
  readonly #woven: Plan['woven'];
  #count = 0;

  constructor(root: string, folder: string, woven: Plan['woven']) {
    this.#root = root;
    this.#folder = folder;
    this.#woven = woven;
  }

  /** Measures suites without any mutant. @returns the file with what was measured @throws Error when a test fails by itself */
  async measure(suites: readonly string[]): Promise<string> {
    const { out, lines } = await this.#work({ suites, tasks: [], measured: [] });
    refuseBroken(lines);
    if (lines.at(-1)?.kind !== 'finished') throw new Error('a worker ended while it measured');
    return out;
  }

  /** Judges every task; what kills or hangs its worker counts as killed. */
  async judge(
    tasks: readonly Task[],
    measured: readonly string[],
    onVerdict: (verdict: Verdict) => void,
  ): Promise<void> {
    let left = tasks;
    while (left.length > 0) {
      const { lines } = await this.#work({ suites: [], tasks: left.slice(0, TASKS_PER_WORKER), measured });
      refuseBroken(lines);
      const judged = lines.filter((line) => line.kind === 'judged');
      const done = new Set(judged.map(({ number }) => number));
      for (const verdict of judged) onVerdict(verdict);
      const begun = lines.findLast((line) => line.kind === 'begun');
      if (lines.at(-1)?.kind !== 'finished') {
        if (begun === undefined || done.has(begun.number))
          throw new Error('a worker ended before it began a mutant');
        done.add(begun.number);
        onVerdict({ kind: 'judged', number: begun.number, verdict: 'killed', by: 'its worker hung or died' });
      }
      left = left.filter(({ number }) => !done.has(number));
    }
  }

  async #work(part: Pick<Plan, 'suites' | 'tasks' | 'measured'>): Promise<{ out: string; lines: Line[] }> {
    this.#count += 1;
    const base = join(this.#folder, `worker-${this.#count}`);
    const out = `${base}.out`;
    const plan: Plan = { root: this.#root, woven: this.#woven, out, ...part };
    writeFileSync(out, '');
    writeFileSync(`${base}.json`, JSON.stringify(plan));
    mkdirSync(`${base}.tmp`);
    // A group of its own, so that the worker's own worker ends with it. Its stdin is a lifeline: shift.ts ends the group when this process is gone.
    const child = spawn(process.execPath, [join(this.#root, 'scripts/mutants/shift.ts')], {
      cwd: this.#root,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, MUTANTS_PLAN: `${base}.json`, TMPDIR: `${base}.tmp`, VITEST: undefined },
    });
    const end = (): void => {
      if (child.pid !== undefined) endGroup(child.pid);
    };
    // Before the folder goes that the worker writes into.
    process.prependOnceListener('exit', end);
    child.stdin.once('error', end);
    const watch = watchSilence(out, end, part.tasks.length > 0 ? SILENCE_MS : LONG_SILENCE_MS);
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    clearInterval(watch);
    process.off('exit', end);
    end();
    const text = existsSync(out) ? readFileSync(out, 'utf8') : '';
    // safe: every line was written by runner.ts; the last may be cut by the end of its process.
    const lines = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
    return { out, lines };
  }
}

/** @throws Error naming what failed although no mutant made it */
function refuseBroken(lines: readonly Line[]): void {
  const broken = lines.flatMap((line) =>
    line.kind === 'broken' ? [`${line.suite}: ${line.name}: ${line.error}`] : [],
  );
  if (broken.length > 0) throw new Error(`these fail without any mutant:\n${broken.join('\n')}`);
}

function watchSilence(out: string, end: () => void, silenceMs: number): NodeJS.Timeout {
  let size = -1;
  let sinceMs = performance.now();
  return setInterval(() => {
    const now = readFileSync(out).length;
    if (now !== size) {
      size = now;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs > (now === 0 ? LONG_SILENCE_MS : silenceMs)) end();
  }, 1_000);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
