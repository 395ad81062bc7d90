#!/usr/bin/env node
// The command line, straight from source. An older Node cannot read TypeScript, so it hands over to the pinned one.
import { fileURLToPath } from 'node:url';

const oldestNodeMajor = 24;
const main = new URL('../src/main.ts', import.meta.url);

if (Number(process.versions.node.split('.')[0]) >= oldestNodeMajor) {
  await import(main.href);
} else {
  const { becomePinnedNode } = await import('../../../scripts/pinned-node.mjs');
  becomePinnedNode([fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}
