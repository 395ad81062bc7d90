// The runtime from its bundle, which is made when it is not there or is old. Whoever starts it gives Node the flags of ../node-flags.json.
import { enableCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import { compileCache, ensureBundle } from '../../../scripts/bundles.mjs';

const main = await ensureBundle('runtime');
// What was compiled once is not compiled again. In the clone, where nobody else can write.
enableCompileCache(compileCache);
await import(pathToFileURL(main).href);
