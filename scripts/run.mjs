// node scripts/run.mjs [NAME=value ...] FILE [args ...]: set-up if needed, then FILE under the pinned Node.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { becomePinnedNode } from './pinned-node.mjs';
import { ensureSetup, root } from './setup.mjs';

const words = process.argv.slice(2);
const env = { ...process.env };
while (/^[A-Z_]+=/.test(words[0] ?? '')) {
  const [name, value] = words.shift().split(/=(.*)/s);
  env[name] = value;
}

ensureSetup();
const [file, ...args] = words;
if (file === undefined || !existsSync(join(root, file))) {
  process.stderr.write(`There is no ${file ?? 'file to run'} in this clone.\n`);
  process.exit(5);
}
becomePinnedNode([join(root, file), ...args], env);
