// A process of its own on a failing disk: `node faulty-child.ts <data folder>`. Commits and writes for ever, and says on stdout what was
// acknowledged (`done key`, `wrote name`) and what was refused (`refused key code`), so that a test can compare it with what is there later.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, makeRedactor } from '@agent-runtime/domain';
import { recordingLogger } from '@agent-runtime/testkit';
import { openStore } from '../src/boot/index.ts';
import { writePrivateFile } from '../src/vault/index.ts';

const [, , dataDir = ''] = process.argv;

/** The whole line, whatever the system refuses: what is said here is what the test believes. */
function say(line: string): void {
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch {
      // The failure that was meant for a file; the next call succeeds.
    }
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof AppError ? thrown.code : String(thrown).replaceAll('\n', ' ');
}

async function attempt(done: string, key: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
    say(`${done} ${key}`);
  } catch (thrown) {
    say(`refused ${key} ${codeOf(thrown)}`);
    await sleep(5);
  }
}

async function run(): Promise<void> {
  const open = await openStore({
    dataDir,
    masterKey: new Uint8Array(32).fill(9),
    clock: { nowMs: Date.now, monotonicMs: () => performance.now(), sleep: (ms) => sleep(ms) },
    log: recordingLogger(),
    crash: { reach: () => undefined },
    redactor: makeRedactor(() => []),
    config: { auditContent: 'metadata', checkpointEvery: 7 },
  });
  say(`open ${open.store.epoch}`);
  for (let count = 0; ; count += 1) {
    const key = `${open.store.epoch}-${count}`;
    // Every fifth one is of the kind after which something may leave: its head is signed before it is acknowledged.
    const isClaim = count % 5 === 0;
    const audit = {
      action: isClaim ? 'effect.perform' : 'notify.give',
      actor: 'appliance',
      subject: key,
      data: { class: 'E1' },
    };
    await attempt('done', key, () =>
      open.store.commit(audit, async (tx) => {
        await tx.insert('notify_notice', { key: `${key}a`, at: 1 });
        await tx.insert('notify_notice', { key: `${key}b`, at: 1 });
      }),
    );
    if (count % 3 === 0)
      await attempt('wrote', `file-${key}`, async () =>
        writePrivateFile(join(dataDir, 'written'), `${key}\n`.repeat(400)),
      );
  }
}

await run().catch((thrown: unknown) => {
  say(`ended ${codeOf(thrown)}`);
  process.exitCode = 8;
});
