// `npm start`: the runtime with embedded defaults. What "up" means is decided in apps/runtime.
import { becomePinnedNode } from './pinned-node.mjs';
import { root } from './setup.mjs';

becomePinnedNode([`${root}apps/runtime/src/main.ts`, 'up', ...process.argv.slice(2)]);
