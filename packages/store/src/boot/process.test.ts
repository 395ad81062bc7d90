import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { atEnd, codeOf, openFixture, temporaryFolder } from '../../bench/fixtures.ts';

const script = fileURLToPath(new URL('../../bench/child.ts', import.meta.url));

interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** Resolves with the first line that fits. */
  waitFor(isIt: (line: string, count: number) => boolean): Promise<string>;
  kill(): Promise<void>;
}

function start(...args: string[]): Child {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const reader: Interface = createInterface({ input: child.stdout });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  atEnd(kill);
  reader.on('line', (line) => lines.push(line));
  return {
    process: child,
    lines,
    kill,
    waitFor: (isIt) =>
      new Promise((resolve, reject) => {
        const look = (line: string): void => {
          if (isIt(line, lines.length)) resolve(line);
        };
        lines.forEach(look);
        reader.on('line', look);
        reader.once('close', () =>
          reject(new Error(`the child ended after: ${lines.slice(-3).join(' | ')}\n${errors}`)),
        );
      }),
  };
}

describe('a second process', () => {
  test('is refused with the number of the first, and may begin when that was killed', async () => {
    const dataDir = temporaryFolder();
    const child = start('hold', dataDir);
    await child.waitFor((line) => line === 'open 1');
    const second = openFixture({ dataDir });
    expect(await codeOf(second)).toBe('lock.folder.conflict');
    await expect(openFixture({ dataDir })).rejects.toThrow(`process ${child.process.pid}`);
    await child.kill();
    const open = await openFixture({ dataDir });
    expect(open.store.epoch).toBe(2);
    expect(open.rollback).toBeUndefined();
  });

  test('within one process as well, and closing frees the folder', async () => {
    const open = await openFixture();
    expect(await codeOf(openFixture({ dataDir: open.dataDir }))).toBe('lock.folder.conflict');
    // The refused try must not have cost the first its lock.
    const other = start('hold', open.dataDir);
    await expect(other.waitFor((line) => line.startsWith('open'))).rejects.toThrow('the child ended');
    await open.close();
    await open.close();
    const again = await openFixture({ dataDir: open.dataDir });
    expect(again.store.epoch).toBe(2);
  });
});

const KILLS = process.env.SOAK === '1' ? 200 : 6;

describe('kill -9', { timeout: 30_000 + KILLS * 15_000 }, () => {
  test('in the middle of commits: what was acknowledged is there, whole, and the log verifies', async () => {
    const dataDir = temporaryFolder();
    const acknowledged: string[] = [];
    for (let round = 0; round < KILLS; round += 1) {
      const child = start('commit', dataDir, String(1 + (round % 3) * 8));
      // Another moment of the work each time.
      await child.waitFor((_line, count) => count > 5 + (round % 40) * 37);
      await child.kill();
      acknowledged.push(...child.lines.flatMap((line) => (line.startsWith('done ') ? [line.slice(5)] : [])));
    }
    const open = await openFixture({ dataDir });
    expect(open.rollback).toBeUndefined();
    expect(open.store.epoch).toBe(KILLS + 1);
    const keys = new Set((await open.store.read.find('notify_notice', {})).map(({ key }) => key));
    expect(acknowledged.length).toBeGreaterThan(KILLS * 5);
    expect(acknowledged.filter((key) => !keys.has(`${key}a`) || !keys.has(`${key}b`))).toEqual([]);
    expect([...keys].filter((key) => key.endsWith('a') && !keys.has(`${key.slice(0, -1)}b`))).toEqual([]);
    const given = new Set<string>();
    for await (const event of open.audit.all()) if (event.action === 'notify.give') given.add(event.subject);
    expect(given.size * 2).toBe(keys.size);
    expect(await open.audit.verify()).toMatchObject({ isIntact: true, problems: [] });
  });

  test('right after panic: it is on at the next start', async () => {
    const dataDir = temporaryFolder();
    const child = start('panic', dataDir);
    await child.waitFor((line) => line === 'panic');
    await child.kill();
    const open = await openFixture({ dataDir });
    expect(open.panic.state()).toMatchObject({ isOn: true, by: 'user_child' });
  });
});
