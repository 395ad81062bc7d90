import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mayImport } from './fences.ts';
import { folders, root } from './source.ts';

type Manifest = { name?: string; private?: boolean } & Partial<Record<string, Record<string, string>>>;

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const homes = ['packages', 'apps'].flatMap((floor) =>
  folders(join(root, floor))
    .map((name) => `${floor}/${name}`)
    .filter((home) => existsSync(join(root, home, 'package.json'))),
);
const manifestOf = (home: string): Manifest => JSON.parse(read(`${home}/package.json`));

describe.each(['.', ...homes])('package.json of %s', (home) => {
  const manifest = manifestOf(home);
  const fields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
  const versions = fields.flatMap((field) => Object.entries(manifest[field] ?? {}));

  test('takes every version from the catalog or the workspace', () => {
    const others = versions.filter(([, version]) => version !== 'catalog:' && version !== 'workspace:*');
    expect(others).toEqual([]);
  });

  test('is never published and runs no script at install', () => {
    expect(manifest.private).toBe(true);
    const scripts = Object.keys(manifest.scripts ?? {});
    expect(scripts.filter((name) => /^(pre|post)?(install|prepare)$/.test(name))).toEqual([]);
  });

  test('depends on the rooms below it only', () => {
    const rooms = Object.keys(manifest.dependencies ?? {}).filter((name) =>
      name.startsWith('@agent-runtime/'),
    );
    const allowed = mayImport[home.split('/')[1] ?? ''] ?? [];
    expect(rooms.filter((name) => !allowed.includes(name.replace('@agent-runtime/', '')))).toEqual([]);
  });
});

test('the catalog pins exact versions', () => {
  const catalog = /^catalog:\n((?: {2}.*\n)+)/m.exec(read('pnpm-workspace.yaml'))?.[1] ?? '';
  const lines = catalog.trim().split('\n');
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.filter((line) => !/: \d+\.\d+\.\d+(-[\w.]+)?$/.test(line))).toEqual([]);
});

test('the lockfile names digests and no host', () => {
  const lockfile = read('pnpm-lock.yaml');
  expect(lockfile).toContain('integrity: sha512-');
  expect(lockfile).not.toMatch(/https?:|tarball:|git\+|registry/);
});

test('every package is type-checked from the root', () => {
  const references = homes
    .map((home) => `"./${home}"`)
    .filter((path) => !read('tsconfig.json').includes(path));
  expect(references).toEqual([]);
});
