// The command line and its screens as a bundle in dist/tui: Node reads no JSX, and one minified file starts several times faster.
// Built when it is missing or older than its sources, so that a pull or an edit never shows yesterday's screens.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './setup.mjs';

const folder = join(root, 'dist', 'tui');
const sources = [
  'apps/tui/src',
  'packages/domain/src',
  'packages/pki/src',
  'pnpm-lock.yaml',
  'scripts/screens.mjs',
];
// CommonJS dependencies inside an ES module bundle still call require().
const banner =
  'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);';

/** The bundle's entry: what `apps/tui/src/main.ts` is in the source. */
export const screensMain = join(folder, 'main.mjs');

/** Where Node keeps what it compiled of the bundle. */
export const screensCache = join(root, '.cache', 'screens');

/** Builds the bundle when it has to be. @returns the path of its entry */
export async function ensureScreens() {
  if (!isFresh()) await buildScreens();
  return screensMain;
}

/** Builds the bundle beside the old one and then takes its place: a screen that starts meanwhile reads one or the other. */
export async function buildScreens() {
  const { build } = await import('esbuild');
  const made = `${folder}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  await build({ ...tuiBuild(), outdir: made });
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
}

/** How esbuild makes it. Splitting keeps the schemas of the contract out of the first frame. */
export function tuiBuild(entry = 'apps/tui/src/main.ts') {
  return {
    absWorkingDir: root,
    entryPoints: { main: entry },
    outExtension: { '.js': '.mjs' },
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    jsx: 'automatic',
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.DEV': '"false"',
      // Yoga would fetch() its own data: URL, and Node would load an HTTP client before the first frame. Nothing here uses the global.
      fetch: 'undefined',
    },
    // Ink asks for it only when DEV is set; left outside, Node would miss it at the start.
    alias: { 'react-devtools-core': join(root, 'scripts', 'no-devtools.mjs') },
    banner: { js: banner },
    legalComments: 'linked',
    logLevel: 'warning',
  };
}

function isFresh() {
  if (!existsSync(screensMain)) return false;
  const builtAt = statSync(screensMain).mtimeMs;
  return sources.every((path) => newestUnder(join(root, path)) < builtAt);
}

function newestUnder(path) {
  const about = statSync(path);
  if (!about.isDirectory()) return about.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestUnder(join(path, name))),
    about.mtimeMs,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureScreens();
