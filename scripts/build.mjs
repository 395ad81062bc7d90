// `npm run build`: both programs anew in dist/.
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildBundle } from './bundles.mjs';
import { root } from './setup.mjs';

for (const name of ['runtime', 'tui']) {
  const folder = await buildBundle(name);
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    process.stdout.write(`${relative(root, path)}  ${Math.ceil(statSync(path).size / 1024)} KiB\n`);
  }
}
