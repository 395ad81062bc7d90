import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '@agent-runtime/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { atEnd, openFixture, temporaryFolder } from '../../bench/fixtures.ts';

const CHILD = fileURLToPath(new URL('../../bench/faulty-child.ts', import.meta.url));
const isInstalled = spawnSync('fiu-run', ['-h'], { stdio: 'ignore' }).error === undefined;
const SKIPPED = isInstalled ? '' : ' (skipped: fiu-run is not installed, Debian package fiu-utils)';
const IS_SOAK = process.env.SOAK === '1';
/** Moments of each fault, as acknowledged commits before it. */
const MOMENTS = IS_SOAK ? Array.from({ length: 20 }, (_, at) => 1 + 3 * at) : [2, 9];

const EIO = 5;
const ENOSPC = 28;
const FAULTS = [
  ['fsync', 'posix/io/sync/fsync', EIO],
  ['write to the database', 'posix/io/rw/pwrite', ENOSPC],
  ['write to a file', 'posix/io/rw/write', ENOSPC],
  ['half a write', 'posix/io/rw/write/reduce', 0],
  ['half a write to the database', 'posix/io/rw/pwrite/reduce', 0],
  ['rename', 'posix/io/dir/rename', EIO],
  ['open', 'posix/io/oc/open', EIO],
  ['truncate', 'posix/io/rw/ftruncate', EIO],
  ['read from the database', 'posix/io/rw/pread', EIO],
] as const;

interface Faulty {
  readonly lines: string[];
  count(word: string): number;
  control(command: string): void;
  isOver(): boolean;
  kill(): Promise<void>;
}

function start(dataDir: string): Faulty {
  const control = join(dataDir, 'fiu');
  const child: ChildProcess = spawn('fiu-run', ['-x', '-f', control, process.execPath, CHILD, dataDir], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('the child has no output');
  const reader = createInterface({ input: child.stdout });
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]);
  reader.on('line', (line) => lines.push(line));
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  atEnd(kill);
  return {
    lines,
    isOver,
    kill,
    count: (word) => lines.filter((line) => line.startsWith(`${word} `)).length,
    control: (command) =>
      void execFileSync('fiu-ctrl', ['-f', control, '-c', command, String(child.pid)], { stdio: 'ignore' }),
  };
}

const counts = { faults: 0, acknowledged: 0, refused: 0, ghosts: 0 };

/** What was said and what is there. */
async function check(dataDir: string, lines: readonly string[]): Promise<void> {
  const said = (word: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.split(' ')[1] ?? ''] : []));
  const open = await openFixture({ dataDir });
  expect(open.rollback).toBeUndefined();
  const keys = new Set((await open.store.read.find('notify_notice', {})).map(({ key }) => key));
  const halves = [...keys].filter(
    (key) => keys.has(`${key.slice(0, -1)}a`) !== keys.has(`${key.slice(0, -1)}b`),
  );
  expect(halves).toEqual([]);
  expect(said('done').filter((key) => !keys.has(`${key}a`))).toEqual([]);
  // A claim whose head could not be signed is written, and given back by whoever made it.
  const unsigned = new Set(
    lines.filter((line) => line.endsWith('audit.head.unavailable')).map((line) => line.split(' ')[1]),
  );
  const ghosts = said('refused').filter((key) => keys.has(`${key}a`) && !unsigned.has(key));
  counts.acknowledged += said('done').length;
  counts.refused += said('refused').length;
  counts.ghosts += ghosts.length;
  expect(ghosts).toEqual([]);
  expect(await open.audit.verify()).toMatchObject({ isIntact: true, problems: [] });
  const given = new Set<string>();
  for await (const event of open.audit.all()) given.add(event.subject);
  expect([...keys].filter((key) => !given.has(key.slice(0, -1)))).toEqual([]);
  // The file holds one writing, whole.
  const text = existsSync(join(dataDir, 'written')) ? readFileSync(join(dataDir, 'written'), 'utf8') : '';
  const [first = ''] = text.split('\n');
  expect(text === '' || text === `${first}\n`.repeat(400)).toBe(true);
  await open.close();
}

describe.skipIf(!isInstalled)(
  `calls of the system that fail${SKIPPED}`,
  { timeout: 120_000 + MOMENTS.length * 60_000 },
  () => {
    afterAll(() => console.info(`faults: ${JSON.stringify(counts)}`));

    test.each(FAULTS)(
      '%s: what was acknowledged is there, nothing is half there, and it goes on',
      async (_, name, errno) => {
        const dataDir = temporaryFolder();
        const child = start(dataDir);
        for (const moment of MOMENTS) {
          await until(() => child.count('done') >= moment || child.isOver(), 'it commits', 60_000);
          const before = child.count('done');
          child.control(`enable name=${name},failinfo=${errno},onetime`);
          counts.faults += 1;
          // It goes on by itself, with commits and with files.
          await until(() => child.count('done') > before + 8 || child.isOver(), 'it goes on', 60_000);
          expect(child.isOver(), child.lines.slice(-3).join(' | ')).toBe(false);
        }
        await child.kill();
        await check(dataDir, child.lines);
      },
    );

    test.each([FAULTS[0], FAULTS[1]])(
      '%s for a while, killed meanwhile: nothing refused comes back',
      async (_, name, errno) => {
        const dataDir = temporaryFolder();
        const lines: string[] = [];
        for (const moment of MOMENTS) {
          const child = start(dataDir);
          await until(() => child.count('done') >= moment || child.isOver(), 'it commits', 60_000);
          child.control(`enable name=${name},failinfo=${errno}`);
          counts.faults += 1;
          await until(() => child.count('refused') > 2 || child.isOver(), 'it is refused', 60_000);
          await child.kill();
          lines.push(...child.lines);
        }
        await check(dataDir, lines);
      },
    );
  },
);
