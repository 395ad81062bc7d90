import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Measures the screens in a real pseudo-terminal (by python3): first frame, key to repaint with 1,000 approvals and ten events
// a second, memory after an hour's worth of events. Prints a line of JSON for each.
// `node apps/tui/bench/main.ts [first] [keys] [memory]`; all of them without a word.
const root = fileURLToPath(new URL('../../..', import.meta.url));
const PRESSES = 60;
const HOUR_OF_EVENTS = 36_000;
const LIMIT_MS = 600_000;
/** A pseudo-terminal around a command; keys and output go through its pipes. */
const PTY = 'import pty, sys; pty.spawn(["sh", "-c", sys.argv[1]])';

interface Screen {
  readonly child: ChildProcess;
  /** Everything that was written since the last `forget`. */
  seen(): string;
  forget(): void;
  /** ms until the text is there. */
  until(text: string): Promise<number>;
}

const scripts = (await import(pathToFileURL(join(root, 'scripts/bundles.mjs')).href)) as {
  ensureBundle(name: 'tui'): Promise<string>;
  tuiBuild(entry: string): object;
};
mkdirSync(join(root, 'dist'), { recursive: true });
const folder = mkdtempSync(join(root, 'dist', 'bench-'));
try {
  const real = await scripts.ensureBundle('tui');
  const { build } = await import('esbuild');
  await build({ ...scripts.tuiBuild('apps/tui/bench/app.tsx'), outdir: folder });
  const fake = join(folder, 'main.mjs');
  const parts = {
    first: async () => ({ firstFrameMs: await firstFrames(real, 5) }),
    keys: () => keyToRepaint(fake),
    memory: () => memory(fake),
  };
  // One line as soon as it is known: on a busy machine a part may take minutes.
  const wanted = process.argv.slice(2);
  for (const [name, measure] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stdout.write(`${JSON.stringify({ part: name, load: loadavg()[0], ...(await measure()) })}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The real app without a runtime: from the start of the process to its first line. The first run also compiles. */
async function firstFrames(main: string, times: number): Promise<readonly number[]> {
  const cache = mkdtempSync(join(tmpdir(), 'screens-cache-'));
  const all: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const screen = open(main, {
      NODE_COMPILE_CACHE: cache,
      AGENT_RUNTIME_DATA_DIR: join(cache, 'none'),
      XDG_CONFIG_HOME: cache,
    });
    all.push(await screen.until('Overview'));
    await end(screen);
  }
  rmSync(cache, { recursive: true, force: true });
  return all;
}

/** Down through the list: from the key to the new row under the cursor. */
async function keyToRepaint(main: string): Promise<object> {
  const screen = open(main, { BENCH_APPROVALS: '1000', BENCH_EVENTS_PER_S: '10', BENCH_SCREEN: 'approvals' });
  await screen.until('1000 waiting');
  // High tier first, each sorted by age: the order of the list is the order of the numbers within a tier.
  const order = [...Array(1_000).keys()].sort((a, b) => Number(a % 50 !== 0) - Number(b % 50 !== 0) || a - b);
  const tookMs: number[] = [];
  for (const row of order.slice(1, PRESSES + 1)) {
    screen.forget();
    screen.child.stdin?.write('j');
    tookMs.push(await screen.until(`question ${String(row).padStart(5, '0')}`));
    await new Promise((resolve) => setTimeout(resolve, 70));
  }
  const about = await end(screen);
  tookMs.sort((a, b) => a - b);
  const at = (share: number): number =>
    tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0;
  // Wall time says what a person feels on this machine now, CPU time what it costs on a busy one: loading the list and ten events a
  // second are in it.
  return {
    keyP50Ms: at(0.5),
    keyP95Ms: at(0.95),
    cpuPerKeyMs: Math.round((about.cpuAfterMs ?? 0) / PRESSES),
  };
}

async function memory(main: string): Promise<object> {
  const screen = open(main, {
    BENCH_APPROVALS: '1000',
    BENCH_EVENTS_PER_S: '10',
    BENCH_SCREEN: 'overview',
    BENCH_FLOOD: String(HOUR_OF_EVENTS),
  });
  await screen.until('Overview');
  await new Promise((resolve) => setTimeout(resolve, HOUR_OF_EVENTS / 5));
  const about = await end(screen);
  return { rssMiB: about.rssMiB, rssAfterEvents: about.events };
}

function open(main: string, env: Readonly<Record<string, string>>): Screen {
  const command = `stty rows 24 cols 80; exec ${process.execPath} ${main}`;
  let began = performance.now();
  let output = '';
  let wake = (): void => undefined;
  const child = spawn('python3', ['-c', PTY, command], {
    env: { ...process.env, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdout?.on('data', (part) => {
    output += String(part);
    wake();
  });
  child.once('exit', () => wake());
  return {
    child,
    seen: () => output,
    forget: () => {
      output = '';
      began = performance.now();
    },
    async until(text) {
      const deadline = performance.now() + LIMIT_MS;
      while (!output.includes(text)) {
        if (child.exitCode !== null || performance.now() > deadline)
          throw new Error(`no "${text}" in:\n${output.slice(-2_000)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return Math.round((performance.now() - began) * 10) / 10;
    },
  };
}

/** Quits, and reads what the app says about itself. */
async function end(
  screen: Screen,
): Promise<{ readonly cpuAfterMs?: number; readonly rssMiB?: number; readonly events?: number }> {
  const exited = new Promise((resolve) => screen.child.once('exit', resolve));
  screen.child.stdin?.write('Q');
  await exited;
  const line = /BENCH (\{.*\})/.exec(screen.seen())?.[1];
  return line === undefined ? {} : (JSON.parse(line) as object); // safe: bench/app.tsx writes it
}
