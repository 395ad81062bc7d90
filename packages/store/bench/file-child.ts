// A process of its own that dies by SIGKILL at a named point: `node file-child.ts write|project <data folder> <point> <nth>`. The
// workspace `garden` is there already.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLabel, makeRedactor, parseWorkspaceId } from '@agent-runtime/domain';
import { crashPoints, recordingLogger } from '@agent-runtime/testkit';
import { openStore } from '../src/boot/index.ts';
import { makeProjector } from '../src/projector/index.ts';
import { makeWorkspaceFiles } from '../src/workspace/index.ts';

const [, , mode = '', dataDir = '', point = '', nth = '1'] = process.argv;
const crash = crashPoints.killAt(point, Number(nth));
const clock = { nowMs: Date.now, monotonicMs: () => performance.now(), sleep: (ms: number) => sleep(ms) };
const log = recordingLogger();
const open = await openStore({
  dataDir,
  masterKey: new Uint8Array(32).fill(9),
  clock,
  log,
  crash: { reach: () => undefined },
  redactor: makeRedactor(() => []),
  config: { auditContent: 'metadata' },
});
const { store, audit, paths, projectorKey: macKey } = open;
const shared = { root: paths.workspaces, macKey, crash, log };

if (mode === 'project') {
  await makeProjector({
    ...shared,
    read: store.read,
    audit,
    cursorFile: join(paths.appliance, 'projector.json'),
  }).run();
} else {
  const workspace = parseWorkspaceId('garden');
  const files = makeWorkspaceFiles({ ...shared, store, clock, goodFolder: join(paths.appliance, 'good') });
  const { hash } = await files.read(workspace, 'notes/plan.md');
  await files.write({
    workspace,
    path: 'notes/plan.md',
    text: `new ${'x'.repeat(100_000)}\n`,
    label: makeLabel(0, ['ws:garden']),
    expected: hash,
    audit: { action: 'workspace.write', actor: 'child', subject: 'notes/plan.md' },
  });
}
process.stdout.write('survived\n');
await open.close();
