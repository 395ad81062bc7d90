import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Quantiles of a list of milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly count: number;
}

export function spread(valuesMs: readonly number[]): Spread {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), count: sorted.length };
}

/** Runs an action one after the other and notes how long each took. */
export async function timeEach(
  times: number,
  action: (index: number) => Promise<void>,
): Promise<readonly number[]> {
  const values: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const startedAt = performance.now();
    await action(index);
    values.push(performance.now() - startedAt);
  }
  return values;
}

/** Runs actions on several lanes at once, each lane one after the other. @returns actions per second */
export async function rate(
  lanes: number,
  perLane: number,
  action: (lane: number, index: number) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let index = 0; index < perLane; index += 1) await action(lane, index);
    }),
  );
  return (lanes * perLane * 1000) / (performance.now() - startedAt);
}

/** Milliseconds of a whole command, start to end; the best of several, for the machine does other things too. */
export function timeCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  times: number,
): number {
  const values = Array.from({ length: times }, () => {
    const startedAt = performance.now();
    execFileSync(process.execPath, [...args], { env, stdio: 'ignore' });
    return performance.now() - startedAt;
  });
  return Math.min(...values);
}

/** What the kernel says of a process (Linux): resident memory in MiB, CPU seconds, bytes written. Zeros elsewhere. */
export function processFacts(pid: number): {
  readonly rssMiB: number;
  readonly cpuMs: number;
  readonly writtenBytes: number;
} {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const io = readFileSync(`/proc/${pid}/io`, 'utf8');
    const ticks = Number(stat[11] ?? 0) + Number(stat[12] ?? 0);
    return {
      rssMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
      cpuMs: ticks * 10,
      writtenBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0),
    };
  } catch {
    return { rssMiB: 0, cpuMs: 0, writtenBytes: 0 };
  }
}
