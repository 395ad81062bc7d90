// Commits per second and CPU per commit: `node packages/store/bench/commit.ts [commits]`. JSON lines on stdout.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRedactor } from '@agent-runtime/domain';
import { recordingLogger } from '@agent-runtime/testkit';
import { createMasterKey, openStore } from '../src/index.ts';

const count = Number(process.argv[2] ?? 4_000);
const dataDir = mkdtempSync(join(tmpdir(), 'store-bench-'));
const open = await openStore({
  dataDir,
  masterKey: createMasterKey(),
  clock: { nowMs: Date.now, monotonicMs: () => performance.now(), sleep: (ms) => sleep(ms) },
  log: recordingLogger(),
  crash: { reach: () => undefined },
  redactor: makeRedactor(() => []),
  config: { auditContent: 'metadata' },
});

async function commits(callers: number): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) {
      const key = `${callers}-${next}`;
      next += 1;
      const draft = { action: 'notify.give', actor: 'appliance', subject: key, data: { callers } };
      await open.store.commit(draft, (tx) => tx.insert('notify_notice', { key, at: 1 }));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsedMs = performance.now() - start;
  const used = process.cpuUsage(cpu);
  const line = {
    bench: 'store.commit',
    callers,
    commits: count,
    perSecond: Math.round((count / elapsedMs) * 1_000),
    cpuMsEach: Number(((used.user + used.system) / 1_000 / count).toFixed(3)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function journal(works: number): Promise<void> {
  const start = performance.now();
  const work = (at: number) => ({
    id: `w${at}`,
    workflow: 'bench',
    key: `k${at % 12}`,
    lane: 'l',
    input: {},
    notBefore: 0,
  });
  await open.journal.put(Array.from({ length: works }, (_, at) => work(at)));
  for (let done = 0; done < works; ) {
    const claimed = await open.journal.claim({ nowMs: 1, max: 12, laneLimit: () => 100 });
    await Promise.all(claimed.map(({ id }) => open.journal.finish(id, 'done')));
    done += claimed.length;
  }
  const line = { bench: 'store.journal', works, keys: 12, elapsedMs: Math.round(performance.now() - start) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

for (const callers of [1, 16, 64]) await commits(callers);
await journal(1_200);
await open.close();
rmSync(dataDir, { recursive: true, force: true });
