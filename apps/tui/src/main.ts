import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { World } from './cli/world.ts';
import type { Remote } from './client/connect.ts';
import {
  findPlaces,
  findRoot,
  readVersion,
  settingOf,
  settingsGiven,
  socketPath,
  wantsColor,
  wantsReader,
} from './config.ts';

// The outside of the command line: environment, terminal, clock, child processes. Everything else gets it as an argument.
const root = findRoot(fileURLToPath(new URL('.', import.meta.url)));
const places = findPlaces(process.env, process.cwd(), root);
const isTty = process.stdout.isTTY === true;

const remote: Remote = {
  socketPath: socketPath(places.dataDir),
  configDir: places.configDir,
  server: settingOf(process.env, 'AGENT_RUNTIME_SERVER'),
  passphrase: settingOf(process.env, 'AGENT_RUNTIME_KEY_PASSPHRASE'),
  nowMs: () => Date.now(),
};

const world: World = {
  places,
  settings: settingsGiven(process.env),
  nodeVersion: process.versions.node,
  version: readVersion(root),
  isTty,
  useColor: wantsColor(process.env, isTty),
  columns: Math.max(40, process.stdout.columns ?? 80),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  readInput: async () => {
    if (process.stdin.isTTY === true) return undefined;
    const parts: Buffer[] = [];
    for await (const part of process.stdin) parts.push(Buffer.from(part));
    return Buffer.concat(parts).toString('utf8');
  },
  nowMs: () => Date.now(),
  newKey: () => randomUUID(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        // A signal may live as long as the screens; it must not collect every sleep that ever was.
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end);
    }),
  runtime: async ({ args }) => {
    const { spawnRuntime } = await import('./client/spawn.ts');
    return spawnRuntime({ root, args, env: { ...process.env, AGENT_RUNTIME_DATA_DIR: places.dataDir } });
  },
  connect: async () => (await import('./client/connect.ts')).connect(remote),
  witnesses: async () => (await import('./client/witness-store.ts')).witnessStore(places.configDir),
  enrolByUrl: async (how) => (await import('./client/connect.ts')).enrolByAddress(remote, how),
};

// `agent-runtime task list | head -1`: the reader has enough, which is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 70);
});

const words = process.argv.slice(2);
if (words.length === 0 && isTty && process.stdin.isTTY === true && process.env.TERM !== 'dumb') {
  // From the bundle only (bin/agent-runtime.mjs): Node reads no JSX. Nothing of the command line is loaded for it.
  const { openScreens } = await import('./app/open.tsx');
  const code = await openScreens({
    connect: async () => (await import('./client/connect-screens.ts')).connectScreens(remote),
    witnesses: world.witnesses,
    clock: { nowMs: world.nowMs, sleep: world.sleep },
    newKey: world.newKey,
    theme: { useColor: world.useColor, isReader: wantsReader(process.env) },
  });
  // Whoever pressed q is done: a connection that is still open must not keep the shell waiting.
  process.exit(code);
} else {
  const { runCli } = await import('./cli/program.ts');
  process.exitCode = await runCli(world, words);
}
