// Runs a program with the Node that package.json pins (node_modules/.bin/node), whatever Node started us.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

/** Path of the pinned Node. */
export const pinnedNode = join(bin, process.platform === 'win32' ? 'node.exe' : 'node');

/**
 * Flags of Node for the runtime: without them V8 keeps two to three times the memory that a turn needs before it collects.
 * Whoever starts the runtime gives them.
 */
export function runtimeFlags() {
  return JSON.parse(readFileSync(join(root, 'apps/runtime/node-flags.json'), 'utf8'));
}

/** This environment with the local tools first on its PATH. */
export function environment(env = process.env) {
  return { ...env, PATH: `${bin}${delimiter}${env.PATH ?? ''}` };
}

/**
 * Becomes the pinned Node running `args`: replaces this process where the platform can, else starts a child and
 * passes on its signals and exit code. Does not return control to the caller's program.
 * @param args  what follows `node` on a command line
 * @param env   environment of the program; the local tools are put first on its PATH
 */
export function becomePinnedNode(args, env = process.env) {
  const fullEnv = environment(env);
  // Replacing the process keeps terminal, signals and exit code exact; Node 20 cannot.
  if (process.execve && process.platform !== 'win32')
    process.execve(pinnedNode, [pinnedNode, ...args], fullEnv);
  const child = spawn(pinnedNode, args, { stdio: 'inherit', env: fullEnv });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; twice would mean "stop at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`Cannot start the pinned Node (${error.message}). Run "npm run setup".\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
