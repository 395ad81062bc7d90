#!/usr/bin/env node
// The command line and its screens from their bundle, which is made when it is not there or is old. An older Node cannot run it, so it
// hands over to the pinned one.
import { fileURLToPath, pathToFileURL } from 'node:url';

const oldestNodeMajor = 24;

if (Number(process.versions.node.split('.')[0]) < oldestNodeMajor) {
  const { becomePinnedNode } = await import('../../../scripts/pinned-node.mjs');
  becomePinnedNode([fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
} else {
  const { enableCompileCache } = await import('node:module');
  const { compileCache, ensureBundle } = await import('../../../scripts/bundles.mjs');
  const main = await ensureBundle('tui');
  // What was compiled once is not compiled again: the second frame of the day comes in half the time.
  enableCompileCache(compileCache);
  await import(pathToFileURL(main).href);
}
