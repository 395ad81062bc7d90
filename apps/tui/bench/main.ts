import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
/** Runs a program in a pseudo-terminal until it shows a text, leaves it by `q`, and prints how many ms that took from the fork on. */
const FIRST_FRAME = `
import fcntl, os, pty, struct, sys, termios, time
began = time.monotonic()
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
seen = b''
while sys.argv[1].encode() not in seen: seen += os.read(fd, 65536)
print(round((time.monotonic() - began) * 1000))
os.write(fd, b'q')
try:
    while os.read(fd, 65536): pass
except OSError: pass
os.waitpid(pid, 0)
`;
/** What a repaint that moved the cursor holds: the row under it, and the end of the frame. Rows that stay are not written again. */
const CURSOR_MOVED = /\u001b\[7m[\s\S]*\u001b\[\?2026l/;
/** A pseudo-terminal around a command; keys and output go through its pipes. */
const PTY = 'import pty, sys; pty.spawn(["sh", "-c", sys.argv[1]])';

interface Screen {
  readonly child: ChildProcess;
  /** Everything that was written since the last `forget`. */
  seen(): string;
  forget(): void;
  /** ms until it is there. */
  until(text: string | RegExp): Promise<number>;
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
    first: async () => ({ firstFrameMs: firstFrames(real, 8), bareNodeMs: bareFrames(folder, 5) }),
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
function firstFrames(main: string, times: number): readonly number[] {
  const cache = mkdtempSync(join(tmpdir(), 'screens-cache-'));
  const env = {
    ...process.env,
    TERM: 'xterm-256color',
    NODE_COMPILE_CACHE: cache,
    AGENT_RUNTIME_DATA_DIR: join(cache, 'none'),
    XDG_CONFIG_HOME: cache,
  };
  const words = ['-c', FIRST_FRAME, 'Overview', process.execPath, main];
  const all = Array.from({ length: times }, () =>
    Number(execFileSync('python3', words, { env, encoding: 'utf8' })),
  );
  rmSync(cache, { recursive: true, force: true });
  return all;
}

/** What the same measure says of Node with an empty program. */
function bareFrames(folder: string, times: number): readonly number[] {
  const empty = join(folder, 'empty.mjs');
  writeFileSync(empty, "process.stdout.write('Overview');");
  const words = ['-c', FIRST_FRAME, 'Overview', process.execPath, empty];
  return Array.from({ length: times }, () => Number(execFileSync('python3', words, { encoding: 'utf8' })));
}

/** Down through the list: from the key to the new row under the cursor. */
async function keyToRepaint(main: string): Promise<object> {
  const screen = open(main, { BENCH_APPROVALS: '1000', BENCH_EVENTS_PER_S: '10', BENCH_SCREEN: 'approvals' });
  await screen.until('1000 waiting');
  const tookMs: number[] = [];
  for (let n = 0; n < PRESSES; n += 1) {
    screen.forget();
    screen.child.stdin?.write('j');
    tookMs.push(await screen.until(CURSOR_MOVED));
    await new Promise((resolve) => setTimeout(resolve, 70));
  }
  await end(screen);
  tookMs.sort((a, b) => a - b);
  const at = (share: number): number =>
    tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0;
  return { keyP50Ms: at(0.5), keyP95Ms: at(0.95) };
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
      while (!(typeof text === 'string' ? output.includes(text) : text.test(output))) {
        if (child.exitCode !== null || performance.now() > deadline)
          throw new Error(`no "${String(text)}" in:\n${output.slice(-2_000)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return Math.round((performance.now() - began) * 10) / 10;
    },
  };
}

/** Quits, and reads what the app says about itself. */
async function end(screen: Screen): Promise<{ readonly rssMiB?: number; readonly events?: number }> {
  const exited = new Promise((resolve) => screen.child.once('exit', resolve));
  screen.child.stdin?.write('Q');
  await exited;
  const line = /BENCH (\{.*\})/.exec(screen.seen())?.[1];
  return line === undefined ? {} : (JSON.parse(line) as object); // safe: bench/app.tsx writes it
}
