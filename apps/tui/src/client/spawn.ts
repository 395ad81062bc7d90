import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Commands on a stopped data folder live in the runtime; this runs one in our terminal. */
export interface RuntimeSpawn {
  readonly root: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const SIGNAL_EXIT = 130;

/** What `npm start` gives Node as well: see the file. */
function runtimeFlags(root: string): readonly string[] {
  return JSON.parse(readFileSync(join(root, 'apps/runtime/node-flags.json'), 'utf8')) as string[]; // safe: a file of this clone
}

/** @returns exit code; 130 when a signal ended it */
export function spawnRuntime({ root, args, env }: RuntimeSpawn): Promise<number> {
  const { AGENT_RUNTIME_DATA_DIR_FILE: _file, ...rest } = env; // the value is given too, and both together are refused
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...runtimeFlags(root), join(root, 'apps/runtime/bin/runtime.mjs'), ...args],
      {
        stdio: 'inherit',
        env: rest,
      },
    );
    // Ctrl-C reaches the child by the terminal; we wait for it to drain.
    const wait = (): void => undefined;
    process.on('SIGINT', wait);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('exit', (code) => {
      process.removeListener('SIGINT', wait);
      resolve(code ?? SIGNAL_EXIT);
    });
  });
}
