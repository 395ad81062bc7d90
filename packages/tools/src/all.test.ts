import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DEFAULT_TOOLS } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { allTools } from './all.ts';
import { promptBytes } from './conformance.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const folders = readdirSync(here).filter((name) => existsSync(`${here}/${name}/spec.ts`));
const names = allTools.map(({ name }) => name);

test('every folder is registered by the name of its tool, and brings its tests', () => {
  const expected = folders.filter((name) => name !== '_template').map((name) => name.replaceAll('-', '_'));
  expect([...names].sort()).toEqual(expected.sort());
  for (const name of folders) expect(existsSync(`${here}/${name}/spec.test.ts`), name).toBe(true);
});

test('every tool that a workspace has by default exists', () => {
  expect(names).toEqual(expect.arrayContaining([...DEFAULT_TOOLS]));
});

test('the tools of a workspace stay small in a prompt', () => {
  const defaults = allTools.filter(({ name }) => DEFAULT_TOOLS.some((tool) => tool === name));
  expect(promptBytes(defaults)).toBeLessThanOrEqual(2_250);
});

test('reading tools are open to viewers, everything else needs a member', () => {
  for (const { class: effect, minRole } of allTools)
    expect(minRole).toBe(effect === 'R' ? 'viewer' : 'member');
});
