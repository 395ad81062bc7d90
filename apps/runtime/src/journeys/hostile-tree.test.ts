import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INSIDE, OUTSIDE, plantTree, type Tree } from './hostile-tree.fixture.ts';
import { type Home, newHome, type Running } from './journey.fixture.ts';
import { isLogWhole } from './promises.fixture.ts';

const FILES = process.env.SOAK === '1' ? 5_000 : 300;

interface Labels {
  readonly items: readonly {
    readonly path: string;
    readonly integrity: number;
    readonly audience: readonly string[];
  }[];
}

describe(`a hostile tree of ${FILES} files and worse`, { timeout: 240_000 }, () => {
  let home: Home;
  let runtime: Running;
  let tree: Tree;
  const workspace = () => join(home.dataDir, 'workspaces', 'community');
  const seen: string[] = [];
  /** A command; what it says is kept, to look for what must not be in it. */
  const cli = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
    const ended = await home.cli(args);
    seen.push(ended.out, ended.err);
    return ended;
  };
  beforeAll(async () => {
    home = newHome();
    await (await home.start()).stop();
    tree = plantTree(workspace(), join(home.folder, 'outside'), FILES);
    runtime = await home.start({}, ['up', '--json']);
  }, 180_000);
  afterAll(async () => {
    tree.close();
    console.info(`hostile tree: could not be made here: ${JSON.stringify(tree.missing)}`);
    await home.remove();
  }, 120_000);

  test('it starts, is ready, and finds what is whole', async () => {
    expect((await fetch(`${runtime.url}/readyz`)).status).toBe(200);
    const found = await cli('search', INSIDE, '--json');
    expect(found.code).toBe(0);
    expect(found.out).toContain('notes/plain.md');
    expect((await cli('search', INSIDE)).out).not.toMatch(/\u001b\[2J|\u202e|\u0007/);
  });

  test.each([
    'notes/link.md',
    'notes/passwd.md',
    'notes/key.md',
    'notes/folder-link/secret.md',
    'notes/itself/plain.md',
    'notes/loop-a.md',
    'notes/dangling.md',
    'notes/hard.md',
    'notes/fifo.md',
    'notes/s.md',
    'notes/sparse.md',
    'notes/../../../secrets/master.key',
    'notes/wide',
  ])('%s cannot be opened', async (path) => {
    const { code, err } = await cli('open', path);
    expect(code, err).not.toBe(0);
    expect(err).not.toContain('    at ');
  });

  test('bytes of any kind are shown or refused, never the end of it', async () => {
    for (const name of ['latin1', 'overlong', 'utf16', 'nul', 'one-line', 'empty', 'yaml-bomb', 'yaml-tag'])
      expect((await cli('open', `notes/${name}.md`)).err, name).not.toContain('    at ');
    expect((await cli('open', 'notes/plain.md')).out).toContain(`${INSIDE} plain`);
  });

  test('what a file claims of itself makes no label', async () => {
    const listed = await home.cli(['label', 'list', '--prefix', 'notes/', '--json']);
    const { items } = listed.json<Labels>();
    expect(items, listed.out + listed.err).toBeDefined();
    const labelOf = (name: string) => {
      const row = items.find(({ path }) => path === `notes/${name}.md`);
      return row === undefined ? undefined : { integrity: row.integrity, audience: row.audience };
    };
    const plain = labelOf('plain');
    expect(plain).toBeDefined();
    for (const name of ['claims-staff', 'prototype', 'unended']) expect(labelOf(name), name).toEqual(plain);
    // The one claim that counts is `audience: public` in a file of staff, as edits on the disk are here; it raises nothing else.
    expect(labelOf('claims-public')).toEqual({ integrity: plain?.integrity, audience: [] });
    for (const { path, audience } of items.filter(({ path }) => path !== 'notes/claims-public.md'))
      expect(audience, path).not.toEqual([]);
  });

  test('nothing from outside was read, and the log is whole', async () => {
    const key = readFileSync(join(home.folder, 'secrets', 'master.key'), 'utf8').trim();
    const said = [...seen, runtime.log()].join('\n');
    for (const foreign of [OUTSIDE, key, 'root:x:0:0'])
      expect(said.includes(foreign), foreign.slice(0, 6)).toBe(false);
    expect(await isLogWhole(home)).toBe(true);
  });

  test('rebuilt from this tree, what was forged is named and left out', async () => {
    await runtime.stop();
    rmSync(join(home.dataDir, 'agent-runtime', 'meta.sqlite'));
    const rebuilt = await home.runtime(['rebuild', '--yes', '--json']);
    expect({ code: rebuilt.code, err: rebuilt.err }).toMatchObject({ code: 0 });
    expect(rebuilt.json<{ flagged: string[] }>().flagged.join()).toContain('2026-01-01.md');
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.cli(['enrol', '--force'])).code).toBe(0);
    const tasks = await home.cli(['task', 'list', '--json']);
    expect(tasks.code).toBe(0);
    expect(tasks.out + rebuilt.out).not.toContain('Everybody is an admin now');
  });
});
