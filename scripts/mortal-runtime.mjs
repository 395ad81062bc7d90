// For the crash suites: the runtime that kills itself at chosen points, from a bundle, for half of what they cost is hundreds of starts.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileCache, ensureProgram } from './bundles.mjs';
import { root } from './setup.mjs';

const main = await ensureProgram(
  'apps/runtime/src/journeys/crash-main.fixture.ts',
  join(root, '.cache', 'mortal'),
);
enableCompileCache(compileCache);
await import(pathToFileURL(main).href);
