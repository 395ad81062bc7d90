// The two programs as bundles in dist/: Node reads no JSX, and one file starts in half the time of its hundreds of sources. Built when
// missing or older than their sources, so that a pull or an edit never runs yesterday's program.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Not from setup.mjs: every start of a program comes by here, and loads no more than it needs.
const root = fileURLToPath(new URL('..', import.meta.url));

/** Where Node keeps what it compiled of them. */
export const compileCache = join(root, '.cache', 'compile');

/** Parts of the screens that a newer bundle no longer names, ms: an open screen may still ask for one. */
const PARTS_KEPT_MS = 30 * 24 * 3_600_000;

const shared = {
  absWorkingDir: root,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // Names stay: they stand in stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // CommonJS dependencies inside an ES module bundle still call require().
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
  },
  legalComments: 'linked',
  logLevel: 'warning',
};

/** How esbuild makes the runtime, or another program out of the same parts. better-sqlite3 stays outside, it brings a native library. */
export function runtimeBuild(entry = 'apps/runtime/src/main.ts') {
  return { ...shared, entryPoints: { main: entry }, external: ['better-sqlite3'] };
}

/**
 * Modules of Node that are loaded when something of them is used. Imported as ES modules, each is loaded whole at the start and all its
 * getters are run: some 10 of 255 ms to the first frame.
 */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup(build) {
    const names = new Set(builtinModules);
    build.onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path }) => {
      const name = path.replace(/^node:/, '');
      return names.has(name) ? { path: name, namespace: 'builtin' } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const module = process.getBuiltinModule(path);
      const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
      // Functions are called, and what inherits has more than its own members (process): these are given whole.
      if (typeof module === 'function' || Object.getPrototypeOf(module) !== Object.prototype)
        return { contents: `module.exports = ${load};` };
      const keys = JSON.stringify(Object.getOwnPropertyNames(module));
      return {
        contents: `for (const key of ${keys}) Object.defineProperty(exports, key, { enumerable: true, get: () => ${load}[key] });`,
      };
    });
  },
};

/** How esbuild makes the screens. Splitting keeps the schemas of the contract out of the first frame. */
export function tuiBuild(entry = 'apps/tui/src/main.ts') {
  return {
    ...shared,
    entryPoints: { main: entry },
    chunkNames: 'part-[hash]',
    splitting: true,
    plugins: [lazyBuiltins],
    minify: true,
    jsx: 'automatic',
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.DEV': '"false"',
      // Yoga would fetch() its own data: URL, and Node would load an HTTP client before the first frame. Nothing here uses the global.
      fetch: 'undefined',
    },
    alias: {
      // Ink asks for it only when DEV is set; left outside, Node would miss it at the start.
      'react-devtools-core': join(root, 'scripts', 'no-devtools.mjs'),
      'string-width': join(root, 'apps/tui/src/app/string-width.ts'),
    },
  };
}

const everyone = ['packages/domain/src', 'packages/pki/src', 'pnpm-lock.yaml', 'scripts/bundles.mjs'];
const runtimeSources = [
  'apps/runtime/src',
  ...['adapters', 'engine', 'store', 'tools'].map((name) => `packages/${name}/src`),
  ...everyone,
];
const bundles = {
  runtime: { folder: join(root, 'dist', 'runtime'), sources: runtimeSources, how: runtimeBuild() },
  tui: { folder: join(root, 'dist', 'tui'), sources: ['apps/tui/src', ...everyone], how: tuiBuild() },
};

/** @returns the path of the program, built anew when it has to be */
export async function ensureBundle(name) {
  const { folder, sources } = bundles[name];
  const main = join(folder, 'main.mjs');
  if (!isFresh(main, sources)) await buildBundle(name);
  return main;
}

/** Builds a program whether it has to be or not. @returns its folder */
export async function buildBundle(name) {
  const { folder, how } = bundles[name];
  await build(how, folder);
  return folder;
}

/** Another program from the sources of the runtime, such as one of a test. @returns its path */
export async function ensureProgram(entry, folder) {
  const main = join(folder, 'main.mjs');
  if (!isFresh(main, runtimeSources)) await build(runtimeBuild(entry), folder);
  return main;
}

/**
 * Builds beside the old files, then each new one takes its place, the entry last: whoever starts meanwhile runs one or the other, and
 * whoever runs already finds the parts that it has not loaded yet.
 */
async function build(how, folder) {
  const { build: esbuild } = await import('esbuild');
  const made = `${folder}.${process.pid}`;
  const startedMs = Date.now();
  try {
    await esbuild({ ...how, outdir: made });
    mkdirSync(folder, { recursive: true });
    const names = readdirSync(made).sort((a, b) => Number(a === 'main.mjs') - Number(b === 'main.mjs'));
    for (const name of names) renameSync(join(made, name), join(folder, name));
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (!names.includes(name) && statSync(path).mtimeMs < startedMs - PARTS_KEPT_MS) rmSync(path);
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function isFresh(main, sources) {
  if (!existsSync(main)) return false;
  const builtAt = statSync(main).mtimeMs;
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
