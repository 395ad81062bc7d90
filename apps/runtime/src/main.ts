import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRoot } from './command/root.ts';
import { runMain } from './command/run-main.ts';

// The only place that touches clock, randomness, environment, terminal and signals; everything else gets them as arguments.
const root = findRoot(dirname(fileURLToPath(import.meta.url)));

process.exitCode = await runMain({
  args: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  root,
  time: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
  random: (size) => randomBytes(size),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTty: process.stdout.isTTY === true && process.stdin.isTTY === true,
  isLogTty: process.stderr.isTTY === true,
  runtimeDir: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  onSignal: (listener) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => listener(signal));
  },
  onUncaught: (listener) => {
    process.on('uncaughtException', listener);
    process.on('unhandledRejection', listener);
  },
  exit: (code) => process.exit(code),
});
