import { expect, test } from 'vitest';
import { toolConformance } from '../conformance.ts';
import { MAX_WRITE_CHARS, mdWrite } from './spec.ts';

toolConformance(mdWrite, [{ path: 'notes/a.md', text: '', mode: 'create' }]);

test('names one file and one of three modes, and policy hears of the path', () => {
  const args = { path: 'skills/x.md', text: 'a', mode: 'append' };
  expect(mdWrite.input.safeParse(args).success).toBe(true);
  expect(mdWrite.input.safeParse({ ...args, mode: 'delete' }).success).toBe(false);
  expect(mdWrite.target(args)).toEqual({ kind: 'file', path: 'skills/x.md', access: 'write' });
});

test('takes a long note and refuses one that is too long', () => {
  const args = { path: 'notes/a.md', mode: 'create' };
  expect(mdWrite.input.safeParse({ ...args, text: 'x'.repeat(MAX_WRITE_CHARS) }).success).toBe(true);
  expect(mdWrite.input.safeParse({ ...args, text: 'x'.repeat(MAX_WRITE_CHARS + 1) }).success).toBe(false);
});
