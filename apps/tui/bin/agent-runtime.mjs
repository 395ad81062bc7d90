#!/usr/bin/env node
// The command line, straight from source; the screens (no command, on a terminal) from their bundle, which is made when it is not
// there or is old. An older Node cannot read TypeScript, so it hands over to the pinned one.
import { fileURLToPath } from 'node:url';

const oldestNodeMajor = 24;

if (Number(process.versions.node.split('.')[0]) < oldestNodeMajor) {
  const { becomePinnedNode } = await import('../../../scripts/pinned-node.mjs');
  becomePinnedNode([fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
} else if (process.argv.length === 2 && process.stdin.isTTY && process.stdout.isTTY) {
  const { pathToFileURL } = await import('node:url');
  const { enableCompileCache } = await import('node:module');
  const { ensureScreens, screensCache } = await import('../../../scripts/screens.mjs');
  const main = await ensureScreens();
  // Compiled once, not at every start: the second frame of the day comes in half the time.
  enableCompileCache(screensCache);
  await import(pathToFileURL(main).href);
} else {
  await import(new URL('../src/main.ts', import.meta.url).href);
}
