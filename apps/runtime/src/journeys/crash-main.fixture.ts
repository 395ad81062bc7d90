import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CrashPoints } from '@agent-runtime/domain';
import { findRoot } from '../command/root.ts';
import { runMain } from '../command/run-main.ts';

// The runtime's program, but mortal: it writes down every crash point that it reaches and kills itself at the one that stands in a file.
const root = findRoot(dirname(fileURLToPath(import.meta.url)));
const folder = process.env.CRASH_DIR ?? '';
const aheadMs = Number(readOr(join(folder, 'ahead'), '0'));

process.exitCode = await runMain({
  args: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  root,
  time: { wallMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() },
  random: (size) => randomBytes(size),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTty: false,
  isLogTty: false,
  runtimeDir: tmpdir(),
  onSignal: (listener) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => listener(signal));
  },
  onUncaught: (listener) => {
    process.on('uncaughtException', listener);
    process.on('unhandledRejection', listener);
  },
  exit: (code) => process.exit(code),
  // Without a folder it is the product's program.
  ...(folder === '' ? {} : { crash: crashFile(folder) }),
});

/** `at` holds `<name>#<nth>` or `*#<nth>`, counted from when it was written; `reached` gets one line per point. */
function crashFile(where: string): CrashPoints {
  let wanted = '';
  let seen = 0;
  return {
    reach: (name) => {
      appendFileSync(join(where, 'reached'), `${name}\n`);
      const now = readOr(join(where, 'at'), '');
      if (now !== wanted) {
        wanted = now;
        seen = 0;
      }
      const [point = '', nth = '1'] = wanted.split('#');
      if (point !== '*' && point !== name) return;
      seen += 1;
      if (seen < Number(nth)) return;
      appendFileSync(join(where, 'reached'), `killed ${name}\n`);
      process.kill(process.pid, 'SIGKILL');
    },
  };
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return fallback;
  }
}
