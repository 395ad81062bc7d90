import { expect, test } from 'vitest';
import { noteCache } from './cache.ts';

const note = (path: string) => ({ path, passages: [] });

test('keeps what was used last, up to its size, and only the version that was asked for', () => {
  const cache = noteCache(30);
  for (const key of ['a', 'b', 'c']) cache.put(key, '1', note(key), 10);
  expect(cache.get('a', '1')?.path).toBe('a');
  cache.put('d', '1', note('d'), 10);
  expect(cache.get('b', '1')).toBeUndefined();
  expect(['a', 'c', 'd'].map((key) => cache.get(key, '1')?.path)).toEqual(['a', 'c', 'd']);
  expect(cache.get('a', '2')).toBeUndefined();
  cache.put('a', '2', note('a2'), 25);
  expect(['a', 'c', 'd'].map((key) => cache.get(key, key === 'a' ? '2' : '1')?.path)).toEqual([
    'a2',
    undefined,
    undefined,
  ]);
});
