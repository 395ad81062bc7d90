// Makes sure the pinned toolchain and every dependency are installed. Uses nothing but Node >= 20 and npm.
// `node scripts/setup.mjs` by hand or from `npm run setup`; the other npm scripts call ensureSetup() first.
// A stamp in node_modules remembers the lockfile of the last install, so an up-to-date tree costs milliseconds.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const stampFile = join(root, 'node_modules', '.agent-runtime-setup');
const lockFolder = join(root, '.cache');
const lockFile = join(lockFolder, 'setup.lock');
const lockWaitMs = 250;
const lockDeadlineMs = 10 * 60_000;

/** Installs what the lockfile says unless that has been done already. Exits the process when it cannot. */
export function ensureSetup() {
  if (isUpToDate()) return;
  takeLock();
  try {
    // Another process may have done the work while this one waited.
    if (!isUpToDate()) install();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function wantedStamp() {
  // A node_modules folder is of one platform: a tree shared with a container is installed again there.
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function isUpToDate() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wantedStamp();
}

function install() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  process.stderr.write(
    'Installing the pinned toolchain and dependencies (the first time takes up to a minute).\n',
  );
  const result = spawnSync(
    'npx',
    [
      '--yes',
      packageManager,
      'install',
      '--frozen-lockfile',
      '--loglevel=error',
      '--config.confirmModulesPurge=false',
    ],
    {
      cwd: root,
      env: { ...process.env, npm_config_loglevel: 'error' },
      // Standard output stays clean for commands that print JSON.
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    },
  );
  if (result.status !== 0) {
    rmSync(lockFile, { force: true });
    const why = result.error ? `: ${result.error.message}` : '';
    process.stderr.write(`Set-up failed${why}. Mend the cause above and run "npm run setup" again.\n`);
    process.exit(result.status ?? 1);
  }
  writeFileSync(stampFile, wantedStamp());
}

/** One install at a time: two writers in one node_modules folder leave it broken. */
function takeLock() {
  mkdirSync(lockFolder, { recursive: true });
  const deadline = Date.now() + lockDeadlineMs;
  while (!tryLock()) {
    if (!isHolderAlive()) rmSync(lockFile, { force: true });
    else if (Date.now() > deadline) {
      process.stderr.write(
        `Another set-up has held ${lockFile} for ten minutes; remove it if that is not so.\n`,
      );
      process.exit(1);
    } else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockWaitMs);
  }
}

function tryLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isHolderAlive() {
  try {
    process.kill(Number(readFileSync(lockFile, 'utf8')), 0);
    return true;
  } catch (error) {
    // EPERM: alive, of another user.
    return error.code === 'EPERM';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureSetup();
  // So that the first start is as quick as the next.
  const { ensureBundle } = await import('./bundles.mjs');
  for (const name of ['runtime', 'tui']) await ensureBundle(name);
}
