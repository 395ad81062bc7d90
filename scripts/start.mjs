// `npm start`: the runtime with embedded defaults; a new instance is made first when there is none.
// What that means is decided in apps/runtime.
import { becomePinnedNode, runtimeFlags } from './pinned-node.mjs';
import { root } from './setup.mjs';

becomePinnedNode([
  ...runtimeFlags(),
  `${root}apps/runtime/src/main.ts`,
  'up',
  '--setup',
  ...process.argv.slice(2),
]);
