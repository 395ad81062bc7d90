import { isAbsolute } from 'node:path';
import { expect, test } from 'vitest';
import { dataPaths } from './data-paths.ts';

test('every path is absolute and inside the data folder, by its public name', () => {
  const paths = dataPaths('some/data');
  for (const path of Object.values(paths)) {
    expect(isAbsolute(path)).toBe(true);
    expect(path.startsWith(paths.data)).toBe(true);
  }
  const names = Object.values(paths).map((path) => path.slice(paths.data.length));
  expect(names).toEqual(
    expect.arrayContaining([
      '/agent-runtime/meta.sqlite',
      '/secrets.vault',
      '/audit/checkpoints.jsonl',
      '/agent-runtime/panic',
      '/workspaces',
    ]),
  );
});
