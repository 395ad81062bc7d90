import { AppError, type ErrorKind } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { isWords } from './passing.ts';

test.each<[boolean, string, ErrorKind]>([
  [true, 'effect.sink.unavailable', 'unavailable'],
  [true, 'workspace.disk.unavailable', 'unavailable'],
  [true, 'workspace.file.missing', 'missing'],
  [true, 'approval.decision.denied', 'denied'],
  [false, 'database.disk.unavailable', 'unavailable'],
  [false, 'ingest.halt.unavailable', 'unavailable'],
  [false, 'ingest.drain.unavailable', 'unavailable'],
  [false, 'base.invariant.bug', 'bug'],
])('%s: %s is said in words, and not offered again', (words, code, kind) => {
  expect(isWords(new AppError({ code, kind, message: 'x' }))).toBe(words);
});

test('what is no error of ours is thrown on', () => {
  expect([isWords(new Error('x')), isWords('x'), isWords(undefined)]).toEqual([false, false, false]);
});
