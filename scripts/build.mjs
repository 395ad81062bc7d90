// `npm run build`: each app as one minified file in dist/. better-sqlite3 stays outside, it brings a native library.
import { statSync } from 'node:fs';
import { build } from 'esbuild';
import { root } from './setup.mjs';

const entries = { runtime: 'apps/runtime/src/main.ts', tui: 'apps/tui/src/main.ts' };
// CommonJS dependencies inside an ES module bundle still call require().
const banner =
  'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);';

await build({
  absWorkingDir: root,
  entryPoints: entries,
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  external: ['better-sqlite3'],
  banner: { js: banner },
  legalComments: 'linked',
  logLevel: 'warning',
});

for (const name of Object.keys(entries)) {
  process.stdout.write(
    `dist/${name}.mjs  ${Math.ceil(statSync(`${root}dist/${name}.mjs`).size / 1024)} KiB\n`,
  );
}
