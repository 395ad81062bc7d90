// A process of its own for tests that need one: `node child.ts hold|commit|panic <data folder> [commits at once]`. Says what it has done on stdout.
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRedactor } from '@agent-runtime/domain';
import { recordingLogger } from '@agent-runtime/testkit';
import { openStore } from '../src/boot/index.ts';

const [, , mode = '', dataDir = '', atOnce = '1'] = process.argv;
const open = await openStore({
  dataDir,
  masterKey: new Uint8Array(32).fill(9),
  clock: { nowMs: Date.now, monotonicMs: () => performance.now(), sleep: (ms) => sleep(ms) },
  log: recordingLogger(),
  crash: { reach: () => undefined },
  redactor: makeRedactor(() => []),
  config: { auditContent: 'metadata', checkpointEvery: 10 },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Commits for ever; each one is acknowledged on stdout, a whole line, only after `commit` has resolved. */
async function commitForEver(lane: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const key = `${open.store.epoch}-${lane}-${count}`;
    const draft = { action: 'notify.give', actor: 'appliance', subject: key };
    await open.store.commit(draft, async (tx) => {
      await tx.insert('notify_notice', { key: `${key}a`, at: 1 });
      await tx.insert('notify_notice', { key: `${key}b`, at: 1 });
    });
    say(`done ${key}`);
  }
}

say(`open ${open.store.epoch}`);
if (mode === 'panic') {
  open.panic.turnOn('user_child', 1);
  say('panic');
}
if (mode === 'commit')
  await Promise.all(Array.from({ length: Number(atOnce) }, (_, lane) => commitForEver(lane)));
else await new Promise((resolve) => setTimeout(resolve, 60_000));
