import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from './house/source.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program for run.mjs, named from the clone as run.mjs wants it. */
function program(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return relative(root, join(folder, name));
}

const show = program(
  'show.mjs',
  `console.log(JSON.stringify([process.versions.node, process.env.SAMPLE, process.argv.slice(2)])); process.exit(7);`,
);
const wait = program(
  'wait.mjs',
  `process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1e6); console.log('up');`,
);

// An older Node has no execve and must start a child; deleting it takes the same road.
const roads = {
  'replacing itself': [],
  'with a child': ['--import', 'data:text/javascript,delete process.execve'],
};

describe.each(Object.entries(roads))('run.mjs %s', (_, flags) => {
  test('passes arguments, environment and exit code', () => {
    const args = [...flags, join(root, 'scripts/run.mjs'), 'SAMPLE=a=b', show, 'x', 'y z'];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual([process.versions.node, 'a=b', ['x', 'y z']]);
    expect(status).toBe(7);
  });

  test('passes a signal on and ends as the program does', async () => {
    const child = spawn(process.execPath, [...flags, join(root, 'scripts/run.mjs'), wait], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([9, null]);
  });
});

test('a program that is not there', () => {
  const args = [join(root, 'scripts/run.mjs'), 'apps/nowhere/main.ts'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toContain('There is no apps/nowhere/main.ts');
  expect(status).toBe(5);
});
