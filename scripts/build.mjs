// `npm run build`: each app minified in dist/. better-sqlite3 stays outside, it brings a native library.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildScreens } from './screens.mjs';
import { root } from './setup.mjs';

// CommonJS dependencies inside an ES module bundle still call require().
const banner =
  'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);';

await build({
  absWorkingDir: root,
  entryPoints: { runtime: 'apps/runtime/src/main.ts' },
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
await buildScreens();

for (const name of ['runtime.mjs', ...readdirSync(join(root, 'dist/tui')).map((file) => `tui/${file}`)]) {
  process.stdout.write(`dist/${name}  ${Math.ceil(statSync(join(root, 'dist', name)).size / 1024)} KiB\n`);
}
